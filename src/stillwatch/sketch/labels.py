"""The labels that parts of a text carry: JSON keys, XML tags, headings, words before a colon.

A label is compared without case, digits and separators, so that `"final_answer":`, `<finalAnswer>`, `## Final Answer` and
`**Final answer 2:**` are one. `labels.toml` says which of them name a question, an answer, a score and so on. Labels
that are not in it still count as labels: that a block of them repeats can be seen without knowing a word.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numba import njit

# Parts, by bit; FRESH goes with QUESTION: not the question that was given.
PARTS: Final = (
    "question", "answer", "reasoning", "critique", "score", "pair", "difficulty", "tests", "persona", "user",
    "assistant", "topic", "fresh",
)  # fmt: skip
(QUESTION, ANSWER, REASONING, CRITIQUE, SCORE, PAIR, DIFFICULTY, TESTS, PERSONA, USER, ASSISTANT, TOPIC, FRESH) = (
    1 << i for i in range(13)
)
FRESH_WORD: Final = 1 << 15  # of a word before a label's last one
NUMBER: Final = np.uint64(1)  # hash of a label that is a number alone

_FNV, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_BYTES, _WORDS = 48, 5  # of the longest label
_LAST_WORD_UP_TO = 4  # words of a line's label; `here is one more question for you:` is a sentence
_KEY_UP_TO = 2  # of a key or tag; `instruction_or_question` is a choice


class Vocabulary(NamedTuple):
    """Words of `labels.toml`, open-addressed: `keys` (slots,) uint64 hashes, 0 empty; `parts` (slots,) int64 bits."""

    keys: np.ndarray
    parts: np.ndarray


def word_hash(word: str) -> int:
    """FNV-1a of a word as labels are hashed: ASCII in lower case, without digits and separators."""
    h = int(_FNV)
    for byte in word.encode():
        lower = byte + 32 if 65 <= byte <= 90 else byte
        if lower >= 128 or 97 <= lower <= 122:
            h = (h ^ lower) * int(_PRIME) & 0xFFFFFFFFFFFFFFFF
    return h


@cache
def vocabulary() -> Vocabulary:
    """The table of `labels.toml`, made once."""
    book = tomllib.loads(Path(__file__).with_name("labels.toml").read_text(encoding="utf-8"))
    entries: dict[int, int] = {}
    for name, part in [*book["part"].items(), ("fresh word", book["fresh"])]:
        bit = FRESH_WORD if name == "fresh word" else 1 << PARTS.index(name)
        for word in part["words"]:
            # letters outside ASCII are not put into lower case while reading
            for form in {word, word.capitalize(), word.upper()}:
                key = word_hash(form)
                entries[key] = entries.get(key, 0) | bit
    slots = 16
    while slots < 4 * len(entries):
        slots *= 2
    keys, parts = np.zeros(slots, np.uint64), np.zeros(slots, np.int64)
    for key, bits in entries.items():
        slot = key & (slots - 1)
        while keys[slot]:
            slot = (slot + 1) & (slots - 1)
        keys[slot], parts[slot] = key, bits
    return Vocabulary(keys, parts)


@njit(cache=True, nogil=True)
def _parts_of(h, keys, parts):  # type: ignore[no-untyped-def]
    slot = np.int64(h) & (keys.shape[0] - 1)
    while keys[slot] != np.uint64(0):
        if keys[slot] == h:
            return parts[slot]
        slot = (slot + 1) & (keys.shape[0] - 1)
    return np.int64(0)


@njit(cache=True, nogil=True)
def _hash_span(data, a, b):  # type: ignore[no-untyped-def]
    h = _FNV
    for i in range(a, b):
        h = (h ^ np.uint64(data[i])) * _PRIME
    return h


@njit(cache=True, nogil=True)
def label_at(data, i, stop, keys, parts):  # type: ignore[no-untyped-def]
    """Read the label that begins at data[i]; (where its content begins, hash, PARTS bits), or (-1, 0, 0).

    (-2, NUMBER, 0) is an item of a numbered list without a label. A label ends with a colon, or closes the bracket, tag
    or quotation that opened it, or is a heading of its own line.
    """
    heading = False
    numbered = item = False
    opener = 0
    begin = i
    while i < stop and i - begin < 24:
        c = data[i]
        if c == 35 or c == 42 or c == 95:  # # * _
            heading = True
        elif c == 91 or c == 60 or c == 34 or c == 123:  # [ < " {
            opener = np.int64(c)
            if i + 1 < stop and data[i + 1] == 47:  # a closing tag
                return -1, np.uint64(0), 0
        elif 48 <= c <= 57:
            numbered = True
        elif numbered and (c == 46 or c == 41):  # . )
            item = opener == 0
        elif c != 32 and c != 9 and c != 62 and c != 45:  # > -
            break
        i += 1
    first = i
    whole = word = _FNV
    words = 0
    fresh = 0
    inside = False  # a word
    lower = False
    depth = 0
    end = -1
    while i < stop and i - first < _BYTES:
        c = np.int64(data[i])
        if c == 40:
            depth += 1
        elif c == 41 and depth > 0:
            depth -= 1
        elif c == 10 or c == 13:
            if heading and opener == 0 and words > 0:
                end = i
            break
        elif depth > 0:
            pass
        elif 97 <= c <= 122 or 65 <= c <= 90 or c >= 128:
            if c == 0xEF and i + 2 < stop and data[i + 1] == 0xBC and data[i + 2] == 0x9A:  # a wide colon
                end = i + 3
                break
            if c == 0xE3 and i + 2 < stop and data[i + 1] == 0x80 and (data[i + 2] == 0x90 or data[i + 2] == 0x91):
                heading = True
                i += 3  # lenticular brackets
                continue
            upper = 65 <= c <= 90
            if not inside or (upper and lower):
                if words > 0 and _parts_of(word, keys, parts) & FRESH_WORD:
                    fresh = FRESH
                word = _FNV
                words += 1
                inside = True
            lower = 97 <= c <= 122
            byte = np.uint64(c + 32 if upper else c)
            word = (word ^ byte) * _PRIME
            whole = (whole ^ byte) * _PRIME
        elif c == 32 or c == 95 or c == 45 or c == 47 or c == 35 or c == 42 or c == 39:
            inside = False
        elif 48 <= c <= 57:
            pass
        elif c == 58:  # :
            if i + 2 < stop and data[i + 1] == 47 and data[i + 2] == 47:
                break
            end = i + 1
            break
        elif (c == 62 and opener == 60) or (c == 93 and opener == 91) or (c == 125 and opener == 123):
            end = i + 1
            break
        elif c == 34 and opener == 34:
            j = i + 1
            while j < stop and data[j] <= 32:
                j += 1
            if j < stop and data[j] == 58:
                end = j + 1
            break
        else:
            break
        i += 1
    if i == stop and heading and words > 0:
        end = stop
    if words == 0:
        # a number alone, as in a list that is to be gone on with
        return (i, NUMBER, 0) if item else (-1, np.uint64(0), 0)
    if end < 0 or words > _WORDS:
        return (-2, NUMBER, 0) if item else (-1, np.uint64(0), 0)
    while end < stop and (data[end] == 32 or data[end] == 42 or data[end] == 58 or data[end] == 95):
        end += 1
    found = _parts_of(whole, keys, parts)
    if found == 0 and 1 < words <= (_KEY_UP_TO if opener else _LAST_WORD_UP_TO):
        found = _parts_of(word, keys, parts)
    if found == 0 and i - first >= 9 and data[first] >= 0xE3 and data[i - 6] >= 0xE3 and data[i - 3] >= 0xE3:
        # no blanks between the words of Chinese and Japanese
        found = _parts_of(_hash_span(data, i - 6, i), keys, parts)
        if (_parts_of(_hash_span(data, first, first + 3), keys, parts)
                | _parts_of(_hash_span(data, first, first + 6), keys, parts)) & FRESH_WORD:  # fmt: skip
            fresh = FRESH
    found &= ~FRESH_WORD
    if found & QUESTION:
        found |= fresh
    return end, whole, found
