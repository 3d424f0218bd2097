"""From the cue book to the tables of the prefilter, and back from its bits to cues.

Lanes of 64 needs are dealt out language by language. Lane 1 holds the marks of languages: words of which a text must
hold one before phrases of that language count in it (`CueBook.marks`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache, lru_cache
from importlib import resources

from stillwatch.sketch.cues.anchors import Anchor, Need, needs
from stillwatch.sketch.cues.book import CueBook
from stillwatch.sketch.cues.phrases import LATIN
from stillwatch.sketch.cues.prefilter import LANE_BITS, Tables, build

_FIRST_LANE = 2  # 0 is none, 1 holds the marks
# Words that prompts are full of; a guess at their frequency is enough, a wrong one costs time and changes nothing.
_COMMON = frozenset(
    "answer answers assistant assistants question questions task tasks user model write make following given text list "
    "use using help problem response example examples instruction instructions prompt new first one two give please "
    "complete step steps output input part change explain show keep reason short good best work time data code".split()
)


class Sieve:
    """The prefilter of one cue book. Immutable, for all threads."""

    def __init__(self, book: CueBook) -> None:
        price = _price()
        self.languages: list[str] = ["", ""]  # of each lane
        self._cues: list[tuple[int, ...]] = [(), ()]  # cue of each bit of each lane
        lanes: dict[int, list[Need]] = {}
        lane_mark = [0, 0]
        marked = sorted(book.marks)
        mark_needs: list[Need] = []
        self.sure: dict[str, int] = {}  # bits of lane 1 that prove the mark
        self.maybe: dict[str, int] = {}  # ... that leave it to the engine
        for language in marked:
            self.sure[language] = self.maybe[language] = 0
            for steps, proof in _proofs_apart(book.marks[language], price):
                (self.sure if proof else self.maybe)[language] |= 1 << len(mark_needs)
                mark_needs.append(Need(steps))
        lanes[1] = mark_needs
        for language in ("en", *marked):
            mine = [(p.cue, need) for p in book.patterns if p.language == language for need in needs(p.regex, price)]
            for k in range(0, len(mine), LANE_BITS):
                part = mine[k : k + LANE_BITS]
                lanes[len(self.languages)] = [need for _, need in part]
                self.languages.append(language)
                self._cues.append(tuple(cue for cue, _ in part))
                lane_mark.append(self.sure.get(language, 0) | self.maybe.get(language, 0))
        if rest := {p.language for p in book.patterns if p.language in LATIN} - {"en", *marked}:
            raise ValueError(f"languages without marks: {', '.join(sorted(rest))}")
        self.tables: Tables = build(lanes, lane_mark)
        self.cues: Callable[[int, int], int] = lru_cache(maxsize=1 << 14)(self._cues_of)

    def _cues_of(self, lane: int, bits: int) -> int:
        """Cue bits that a sentence may hold."""
        bits &= (1 << LANE_BITS) - 1  # 64-bit words come as signed numbers
        out = 0
        for number, cue in enumerate(self._cues[lane]):
            if bits >> number & 1:
                out |= 1 << cue
        return out


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


@cache
def _stop_words() -> frozenset[str]:
    text = resources.files("stillwatch.sketch").joinpath("data/lexicon.toml").read_text(encoding="utf-8")
    return frozenset(w for language in tomllib.loads(text)["languages"].values() for w in language["stopwords"])


def _price() -> Callable[[str], float]:
    stop = _stop_words()

    def price(word: str) -> float:
        if word in stop:
            return 100.0
        if len(word) <= 2 or word.isdigit():
            return 30.0
        return 8.0 if word in _COMMON else 2.0 if len(word) == 3 else 1.0

    return price
