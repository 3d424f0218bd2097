"""Word table for languages and topics: what needs no model and no download.

The table answers, for the hash of a word, which languages use it as a function word and which topic it belongs to.
Chinese, Japanese and Korean words are looked up two characters at a time.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numba import njit

from stillwatch.sketch.hashing import finish, load64, load64_at, mix, word_at

_SLOTS = 1 << 14
PADDING = 16


class Lexicon(NamedTuple):
    """Open-addressed table: `keys` (slots,) word hashes (0 empty), `values` (slots,) packed codes.

    A code packs up to three language numbers (5 bits each, from bit 0) and a topic number (from bit 16); 0 is none.
    """

    keys: np.ndarray
    values: np.ndarray
    languages: tuple[str, ...]  # number 1 is languages[0]
    topics: tuple[str, ...]


@njit(inline="always")
def word_hash(data, start, stop):  # type: ignore[no-untyped-def]
    """Hash of a word, by its length and first 16 bytes; not keyed, so never stored as it is."""
    n = stop - start
    h = np.uint64(n) * np.uint64(0x9E3779B97F4A7C15)
    if n >= 8:
        h = mix(h, load64(data, start))
        rest = min(n - 8, 8)
        if rest > 0:
            w = load64(data, start + 8)
            if rest < 8:
                w &= (np.uint64(1) << np.uint64(8 * rest)) - np.uint64(1)
            h = mix(h, w)
    else:
        h = mix(h, load64(data, start) & ((np.uint64(1) << np.uint64(8 * n)) - np.uint64(1)))
    return finish(h)


@njit(forceinline=True)
def word_hash_at(text, start, stop):  # type: ignore[no-untyped-def]
    """`word_hash` of a text at an address."""
    n = stop - start
    h = np.uint64(n) * np.uint64(0x9E3779B97F4A7C15)
    if n >= 8:
        h = mix(h, load64_at(text, start))
        rest = min(n - 8, 8)
        if rest > 0:
            w = load64_at(text, start + 8)
            if rest < 8:
                w &= (np.uint64(1) << np.uint64(8 * rest)) - np.uint64(1)
            h = mix(h, w)
    else:
        h = mix(h, load64_at(text, start) & ((np.uint64(1) << np.uint64(8 * n)) - np.uint64(1)))
    return finish(h)


@njit(forceinline=True)
def look_up_at(table, slots, h):  # type: ignore[no-untyped-def]
    """Value of a hash in an open-addressed table of (hash, value) at an address, 0 if it does not hold it."""
    i = np.int64(h) & (slots - 1)
    while True:
        key = word_at(table, 2 * i)
        if key == h:
            return word_at(table, 2 * i + 1)
        if key == np.uint64(0):
            return key
        i = (i + 1) & (slots - 1)


@njit(cache=True)
def _hash_of(data, n):  # type: ignore[no-untyped-def]
    return word_hash(data, 0, n)


@lru_cache(maxsize=1)
def load() -> Lexicon:
    """The shipped lexicon."""
    text = resources.files("stillwatch.sketch").joinpath("data/lexicon.toml").read_text(encoding="utf-8")
    source = tomllib.loads(text)
    languages, topics = tuple(source["languages"]), tuple(source["topics"])
    codes: dict[str, int] = {}
    for number, name in enumerate(languages, start=1):
        for word in source["languages"][name]["stopwords"]:
            code = codes.get(word, 0)
            for shift in (0, 5, 10):
                if not (code >> shift) & 31:
                    codes[word] = code | number << shift
                    break
    for number, name in enumerate(topics, start=1):
        for words in source["topics"][name].values():
            for word in words:
                if not codes.get(word, 0) >> 16:
                    codes[word] = codes.get(word, 0) | number << 16
    keys, values = np.zeros(_SLOTS, np.uint64), np.zeros(_SLOTS, np.uint32)
    for word, code in codes.items():
        raw = word.encode()
        h = _hash_of(np.frombuffer(raw + bytes(PADDING), np.uint8), len(raw))
        slot = int(h) & (_SLOTS - 1)
        while keys[slot]:
            slot = (slot + 1) & (_SLOTS - 1)
        keys[slot], values[slot] = h, code
    return Lexicon(keys, values, languages, topics)
