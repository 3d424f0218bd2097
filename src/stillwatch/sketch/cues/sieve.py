"""From the cue book to the tables of the prefilter, and back from its bits to cues.

Lanes of 64 needs are dealt out language by language. Lane 1 holds the marks of languages: words of which a text must
hold one before phrases of that language count in it (`CueBook.marks`).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stillwatch.sketch.cues.anchors import Anchor, Need, needs
from stillwatch.sketch.cues.book import CueBook
from stillwatch.sketch.cues.own_files import read_own, write_atomically
from stillwatch.sketch.cues.phrases import LATIN
from stillwatch.sketch.cues.prefilter import LANE_BITS, Tables, build, hash_of

_SEAL = 16  # bytes of checksum before stored tables
# Words that prompts are full of; a guess at their frequency is enough, a wrong one costs time and changes nothing.
_COMMON = frozenset(
    "answer answers assistant assistants question questions task tasks user model write make following given text list "
    "use using help problem response example examples instruction instructions prompt new first one two give please "
    "complete step steps output input part change explain show keep reason short good best work time data code".split()
)


class Sieve:
    """The prefilter of one cue book. Immutable, for all threads."""

    def __init__(self, book: CueBook, cache_dir: Path | None) -> None:
        """Make the tables, which takes two seconds, or take them from the cache folder."""
        path = None if cache_dir is None else cache_dir / f"sieve-{book.digest}-{_code_digest()}.npz"
        made = None if path is None else _stored(path)
        if made is None:
            made = _made(book)
            if path is not None:
                _store(path, made)
        self.languages = made.languages
        # for each lane: marks that prove its language; 0 where it needs none
        self.proofs = np.array([made.sure.get(name, 0) for name in made.languages], np.uint64)
        self.tables = made.tables
        # (lanes, 64) the cue bit that each bit of a lane stands for
        self.cues = np.zeros((len(made.cues), LANE_BITS), np.uint64)
        for lane, cues in enumerate(made.cues):
            self.cues[lane, : len(cues)] = [1 << cue for cue in cues]


def _proofs_apart(regex: str, price: Callable[[str], float]) -> list[tuple[tuple[frozenset[Anchor], ...], bool]]:
    """The needs of a list of words, and whether each proves a match by itself.

    A plain word does: between any two separators the pattern matches it. A word with an accent is bytes that separate
    and what they leave (`valuez` of `évaluez`), which proves nothing.
    """
    out = []
    pattern = re.compile(regex.encode("latin-1"))
    for need in needs(regex, price):
        if len(need.steps) > 1:
            out.append((need.steps, False))
            continue
        (step,) = need.steps
        whole = frozenset(
            a
            for a in step
            if len(a.words) == 1 and not a.open and pattern.fullmatch(b"\0" + a.words[0].encode("latin-1") + b"\0")
        )
        out += [((part,), proof) for part, proof in ((whole, True), (step - whole, False)) if part]
    return out


class _Made(NamedTuple):
    languages: list[str]  # of each lane
    cues: list[list[int]]  # cue of each bit of each lane
    sure: dict[str, int]  # language -> bits of lane 1 that prove its mark
    maybe: dict[str, int]  # ... that leave it to the engine
    tables: Tables


def _made(book: CueBook) -> _Made:
    price = _price()
    languages: list[str] = ["", ""]
    cues: list[list[int]] = [[], []]
    lanes: dict[int, list[Need]] = {}
    lane_mark = [0, 0]
    marked = sorted(book.marks)
    mark_needs: list[Need] = []
    sure, maybe = dict.fromkeys(marked, 0), dict.fromkeys(marked, 0)
    for language in marked:
        for steps, proof in _proofs_apart(book.marks[language], price):
            (sure if proof else maybe)[language] |= 1 << len(mark_needs)
            mark_needs.append(Need(steps))
    lanes[1] = mark_needs
    for language in ("en", *marked):
        mine = [(p.cue, need) for p in book.patterns if p.language == language for need in needs(p.regex, price)]
        for k in range(0, len(mine), LANE_BITS):
            part = mine[k : k + LANE_BITS]
            lanes[len(languages)] = [need for _, need in part]
            languages.append(language)
            cues.append([cue for cue, _ in part])
            lane_mark.append(sure.get(language, 0) | maybe.get(language, 0))
    if rest := {p.language for p in book.patterns if p.language in LATIN} - {"en", *marked}:
        raise ValueError(f"languages without marks: {', '.join(sorted(rest))}")
    if rest := {language for language in marked if not sure[language]}:
        raise ValueError(f"languages without a plain word among their marks: {', '.join(sorted(rest))}")
    return _Made(languages, cues, sure, maybe, build(lanes, lane_mark))


def _code_digest() -> str:
    """Names the code and the word list that tables are made by: 16 hex digits."""
    digest = hashlib.blake2b(digest_size=8)
    here = resources.files(__package__)
    for name in ("anchors.py", "prefilter.py", "sieve.py"):
        digest.update(here.joinpath(name).read_bytes())
    digest.update(_lexicon().encode())
    digest.update(str(hash_of("word")).encode())
    return digest.hexdigest()


def _stored(path: Path) -> _Made | None:
    """What `_store` wrote, or None; a damaged file must not become addresses in compiled code."""
    data = read_own(path)
    if data is None or hashlib.blake2b(data[_SEAL:], digest_size=_SEAL).digest() != data[:_SEAL]:
        return None
    with np.load(io.BytesIO(data[_SEAL:]), allow_pickle=False) as arrays:
        languages, cues, sure, maybe = json.loads(str(arrays["about"]))
        held = [arrays[name] for name in Tables._fields[:-1]]
    return _Made(languages, cues, sure, maybe, Tables.of(*held))


def _store(path: Path, made: _Made) -> None:
    out = io.BytesIO()
    arrays: dict[str, Any] = dict(zip(Tables._fields[:-1], made.tables[:-1], strict=True))
    np.savez(out, about=np.array(json.dumps(made[:4])), **arrays)
    data = out.getvalue()
    write_atomically(path, hashlib.blake2b(data, digest_size=_SEAL).digest() + data)


def _lexicon() -> str:
    return resources.files("stillwatch.sketch").joinpath("data/lexicon.toml").read_text(encoding="utf-8")


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(w for language in tomllib.loads(_lexicon())["languages"].values() for w in language["stopwords"])


def _price() -> Callable[[str], float]:
    stop = _stop_words()

    def price(word: str) -> float:
        if word in stop:
            return 100.0
        if len(word) <= 2 or word.isdigit():
            return 30.0
        return 8.0 if word in _COMMON else 2.0 if len(word) == 3 else 1.0

    return price
