"""What a prompt asks the model to produce: elicitation cues and classes per text.

    Cues.compile().match(buffer, offsets) -> cue bits (rows,) uint64      which phrases occur
    Cues.classes(bits)                    -> class bits (rows,) uint32    what that adds up to

The texts must be normalised before: NFKC, lower case, zero-width characters removed, look-alike letters undone, runs
of white space collapsed. A class is a reason to look, never a verdict: honest work asks for most of these things too.
`STRONG` classes are rare in it, `WEAK` ones are common, `BENIGN` ones name ordinary tasks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stillwatch.sketch.cues.book import CueBook, cue_book
from stillwatch.sketch.cues.engines import Engine, Places, open_engine
from stillwatch.sketch.cues.own_files import user_cache_dir
from stillwatch.sketch.cues.prefilter import Candidates, Tables

CUES_VERSION: Final = 2  # raised whenever a cue or a formula changes what it means


def _mask(grade: str) -> int:
    return sum(1 << c.bit for c in cue_book().classes if c.grade == grade)


CUE_BITS: Final[dict[str, int]] = dict(cue_book().cues)  # cue name -> bit in the uint64
CLASSES: Final[dict[str, int]] = {c.name: c.bit for c in cue_book().classes}  # class name -> bit in the uint32
STRONG: Final = np.uint32(_mask("strong"))
WEAK: Final = np.uint32(_mask("weak"))
BENIGN: Final = np.uint32(_mask("benign"))


WINDOW: Final = 1600  # bytes of normalised text within which cues add up to a class
_ANYWHERE: Final = np.uint64(
    sum(1 << CUE_BITS[name] for name in (
        "judge_role", "judged_answer", "pairwise", "code_edit", "agent_work", "answer_context", "standalone_query", "translate", "summarise", "classify", "extract",
        "commit", "rewrite_text",
    ))
)  # fmt: skip
BRIEF: Final = 1200  # bytes of a text in which any two cues belong together
_BRIEF: Final = np.uint64(1 << CUE_BITS["brief"])
_AROUND: Final = 1 << CUE_BITS["classroom"]  # makes innocent what it stands near to


def _marked_brief(bits: NDArray[np.uint64], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Cue bits with the one that says that a text with cues is short."""
    return np.where((bits != 0) & (np.diff(offsets) <= BRIEF), bits | _BRIEF, bits)


def _windows(
    bits: NDArray[np.uint64], offsets: NDArray[np.int64], places: Places
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Rows longer than a window (several times each), and the cue bits that stand together in them."""
    rows, parts = [], []
    for row, found in places.items():
        if offsets[row + 1] - offsets[row] <= WINDOW:
            continue
        located = 0
        for _, cues in found:
            located |= cues
        # cues of other scripts are found without their place
        common = int(bits[row]) & (int(_ANYWHERE) | ~located)
        for start, _ in found:
            near = common
            for place, cues in found:
                if start <= place <= start + WINDOW:
                    near |= cues
                elif start - WINDOW <= place < start:
                    near |= cues & _AROUND
            rows.append(row)
            parts.append(near)
    return np.array(rows, np.int64), np.array(parts, np.uint64)


class Cues:
    """The compiled cues. One object serves all threads."""

    def __init__(self, book: CueBook, engine: Engine) -> None:
        self._book = book
        self._engine = engine

    @classmethod
    def compile(cls, engine: str = "auto", *, cache_dir: Path | None = None, use_cache: bool = True) -> Cues:
        """Compile the bundled cues, or load them compiled from the user's cache folder.

        Args:
            engine:    `hyperscan`, `re2`, or `auto`: the first that is installed. Results do not differ.
            cache_dir: where the compiled database is kept; by default the user's cache folder.
            use_cache: False neither reads nor writes it.
        Raises:
            ComponentError: the engine is unknown or not installed.
        """
        folder = (cache_dir or user_cache_dir()) if use_cache else None
        return cls(cue_book(), open_engine(engine, cue_book(), folder))

    @property
    def digest(self) -> str:
        """Digest of all phrases and formulas, 16 hex digits: same digest, same bits."""
        return self._book.digest

    @property
    def engine(self) -> str:
        """Name of the engine in use."""
        return self._engine.name

    @property
    def prefilter(self) -> Tables:
        """Tables of the prefilter, for a caller that walks the words of the texts anyway."""
        return self._engine.prefilter

    def match(
        self, buffer: NDArray[np.uint8], offsets: NDArray[np.int64], found: Candidates | None = None
    ) -> NDArray[np.uint64]:
        """Find the cues in each text.

        Args:
            buffer:  the texts back to back, UTF-8, (bytes,); what lies behind the last is not read.
            offsets: start of each text and the end of the last, rising, (rows + 1,).
            found:   what the prefilter left of these very texts, where the caller has run it.
        Returns:
            Cue bits, (rows,); bit numbers in `CUE_BITS`. An empty text has none.
        Raises:
            ValueError: offsets fall or leave the buffer.
        """
        if len(offsets) == 0:
            return np.zeros(0, dtype=np.uint64)
        if int(offsets[0]) < 0 or int(offsets[-1]) > len(buffer) or bool(np.any(np.diff(offsets) < 0)):
            raise ValueError("`offsets` must rise and stay inside the buffer")
        buffer, offsets = np.ascontiguousarray(buffer, np.uint8), np.ascontiguousarray(offsets, np.int64)
        bits = self._engine.scan(buffer, offsets) if found is None else self._engine.judge(buffer, offsets, found)
        return _marked_brief(bits, offsets)

    def read(
        self, buffer: NDArray[np.uint8], offsets: NDArray[np.int64], found: Candidates | None = None
    ) -> NDArray[np.uint32]:
        """Class bits of each text, (rows,): what `match` finds, added up to classes.

        In a long text the cues of a class have to stand near each other (`WINDOW`): a manual of many pages mentions
        questions here and variety there. What makes a class innocent may stand anywhere.
        """
        places: Places = {}
        if len(offsets) <= 1:
            return np.zeros(0, np.uint32)
        bits = (
            self._engine.scan(buffer, offsets, places)
            if found is None
            else self._engine.judge(buffer, offsets, found, places)
        )
        out = self.classes(_marked_brief(bits, offsets))
        rows, parts = _windows(bits, offsets, places)
        if len(rows):
            out[np.unique(rows)] = 0
            np.bitwise_or.at(out, rows, self.classes(parts))
        return out

    def match_without_prefilter(self, buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
        """What `match` returns, by the engine alone: slow, for checks."""
        return _marked_brief(self._engine.scan_all(buffer, offsets), offsets)

    def classes(self, bits: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Return class bits, (rows,), for cue bits, (rows,); bit numbers in `CLASSES`."""
        bits = np.asarray(bits, dtype=np.uint64)
        out = np.zeros(len(bits), dtype=np.uint32)
        for entry in self._book.classes:
            out |= entry.formula(bits).astype(np.uint32) << np.uint32(entry.bit)
        return out

    def names(self, classes: int) -> tuple[str, ...]:
        """Return the class names of one row's class bits, in bit order."""
        return tuple(c.name for c in sorted(self._book.classes, key=lambda c: c.bit) if int(classes) >> c.bit & 1)
