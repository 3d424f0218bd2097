"""The multi-pattern engines behind the cues: Hyperscan where it is installed, RE2 anywhere. Same results.

A prefilter (`prefilter.py`) names the sentences that can hold a cue of a language with Latin letters, and the engine
reads those, each for the cues in question; rows with other scripts it reads whole. Sentences are scanned one by
one, so that nothing can match across rows, and `SINGLEMATCH` bounds the callbacks at one per cue and scan, also on a
text built to match a million times. A row counts for the languages it can be in: English always, a language of another
script if the row has its letters, and another Latin-script language if the row has one of its own words
(`CueBook.marks`). Sentences seen before are remembered, by keyed hash: templates come back by the thousand.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import re
import sys
import threading
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stillwatch.errors import ComponentError
from stillwatch.sketch.cues.anchors import CONTEXT
from stillwatch.sketch.cues.book import CueBook
from stillwatch.sketch.cues.memory import Memory, Telling
from stillwatch.sketch.cues.own_files import read_own, write_atomically
from stillwatch.sketch.cues.phrases import UNSPACED
from stillwatch.sketch.cues.prefilter import PADDING, Candidates, Tables, find_candidates, new_memo
from stillwatch.sketch.cues.sieve import Sieve

_NUL = b"\x00"
_CUE_BITS = (1 << 64) - 1
_OTHER_SCRIPTS = (  # first bytes of the letters in UTF-8, in the order of `prefilter.SCRIPTS`
    ("cjk", re.compile(rb"[\xe3-\xed]")),  # kana, Han, Hangul
    ("ru", re.compile(rb"[\xd0\xd1]")),
    ("ar", re.compile(rb"[\xd8-\xdb]")),
    ("hi", re.compile(rb"\xe0[\xa4\xa5]")),
)
# RE2 gives up on a text whose automaton does not fit; it never did in the tests, and then single patterns follow
_RE2_BYTES = 1 << 28


class Scanner(Protocol):
    """One compiled set of patterns."""

    def __call__(self, text: bytes, /) -> int:
        """Return the bits of the patterns that match a text between NUL bytes."""
        ...


class Engine:
    """Scans rows for all cues. Safe to use from many threads."""

    name = ""

    def __init__(self, book: CueBook, cache_dir: Path | None) -> None:
        self._book = book
        self._threads = _Threads()
        self._marked = sorted(book.marks)
        self._sieve = Sieve(book, cache_dir)

    @property
    def prefilter(self) -> Tables:
        """Tables of the prefilter."""
        return self._sieve.tables

    def _compile(self, name: str, patterns: list[tuple[int, str]]) -> Scanner:
        """Compile (bit, regex) pairs, or take them from the cache, for use in this thread."""
        raise NotImplementedError

    def _scanner(self, name: str) -> Scanner:
        """Scanner of one language (or `cjk`), of one cue of it (`en-14`), or of its marks (`marks-es`)."""
        scanners = self._threads.scanners
        if name not in scanners:
            first, _, second = name.partition("-")
            if first == "marks":
                patterns = [(0, self._book.marks[second])]
            else:
                languages = UNSPACED if first == "cjk" else {first}
                patterns = [
                    (p.cue, p.regex)
                    for p in self._book.patterns
                    if p.language in languages and (not second or p.cue == int(second))
                ]
            if name == "en":
                patterns += [(64 + i, self._book.marks[language]) for i, language in enumerate(self._marked)]
            scanners[name] = self._compile(name, patterns)
        return scanners[name]

    def scan(self, buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return cue bits, (rows,), for rows `buffer[offsets[i]:offsets[i + 1]]`."""
        return self.judge(buffer, offsets, self.candidates(buffer, offsets))[0]

    def candidates(self, buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Candidates:
        """What the prefilter leaves of the rows."""
        if len(buffer) < int(offsets[-1]) + PADDING:
            buffer = np.concatenate([buffer, np.zeros(PADDING, np.uint8)])
        return find_candidates(buffer, offsets, self._sieve.tables, self._threads.memo)

    def judge(
        self, buffer: NDArray[np.uint8], offsets: NDArray[np.int64], found: Candidates, telling: Telling | None = None
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Let the engine read the sentences that the prefilter left.

        Args:
            telling: says of the cues that each row may hold, (rows,) uint64, which ones matter; others may be missed.
        Returns:
            Cue bits, (rows,), and of each candidate the bits that first occur in its row there, (candidates,).
        """
        out = np.zeros(len(offsets) - 1, np.uint64)
        raw = buffer.data
        for row in np.flatnonzero(found.scripts).tolist():
            text = b"".join((_NUL, raw[int(offsets[row]) : int(offsets[row + 1])], _NUL))
            out[row] = self._other_scripts(text, int(found.scripts[row]))
        sieve, memory = self._sieve, self._threads.memory
        wanted = memory.wanted(found, sieve.cues, out, telling)
        sure, missing, keys = memory.recall(buffer, offsets, found, wanted, sieve.proofs)
        said: dict[int, int] = {}  # of this very batch
        columns = found.found.reshape(-1, 5)[missing, :4].T.tolist()  # flat lists: thousands of small ones wake the GC
        asked = zip(missing.tolist(), *columns, wanted[missing].tolist(), keys.tolist(), strict=True)
        for k, row, start, stop, lane, cues, key in asked:
            bits = said.get(key) if key else None
            if bits is None:
                bits = self._sentence(raw, offsets, row, start, stop, sieve.languages[lane], cues, marked=key != 0)
                if key:
                    said[key] = bits
                    memory.learn(key, bits)
            if bits:
                sure[k] = bits
        return out, memory.gather(found, sure, out)

    def _sentence(
        self, raw: memoryview, offsets: NDArray[np.int64], row: int, start: int, stop: int, language: str, cues: int,
        *, marked: bool,
    ) -> int:  # fmt: skip
        """Those of the cue bits that one candidate holds; `marked`: its row is known to be of its language."""
        first, last = int(offsets[row]), int(offsets[row + 1])
        if not marked and not self._scanner(f"marks-{language}")(b"".join((_NUL, raw[first:last], _NUL))):
            return 0
        a, b = start - CONTEXT, stop + CONTEXT
        text = bytes(raw[max(a, first) : min(b, last)])
        if a <= first:
            text = _NUL + text
        if b >= last:
            text += _NUL
        scanners = self._threads.by_cue
        bits = 0
        while cues:
            cue = cues & -cues
            cues ^= cue
            scanner = scanners.get((language, cue))
            if scanner is None:
                scanner = self._scanner(f"{language}-{cue.bit_length() - 1}")
                scanners[language, cue] = scanner
            if scanner(text):
                bits |= cue
        return bits

    def scan_all(self, buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
        """What `scan` returns, without its prefilter: every row is read for every language it can be in."""
        raw, bounds = buffer.data, pairwise(offsets.tolist())
        out = [self._cues(b"".join((_NUL, raw[a:b], _NUL))) if b > a else 0 for a, b in bounds]
        return np.array(out, dtype=np.uint64)

    def _cues(self, text: bytes) -> int:
        bits = self._scanner("en")(text)
        marks = bits >> 64
        bits &= _CUE_BITS
        for number, language in enumerate(self._marked):
            if marks >> number & 1:
                bits |= self._scanner(language)(text)
        return bits | self._other_scripts(text)

    def _other_scripts(self, text: bytes, seen: int = -1) -> int:
        """Cue bits of a row for languages of other scripts; `seen`: SCRIPTS bits that its bytes may stand for."""
        bits = 0
        if not text.isascii():
            for number, (name, letters) in enumerate(_OTHER_SCRIPTS):
                if seen >> number & 1 and letters.search(text):
                    bits |= self._scanner(name)(text)
        return bits


class _Threads(threading.local):
    """What each thread has of its own."""

    def __init__(self) -> None:
        self.scanners: dict[str, Scanner] = {}
        self.by_cue: dict[tuple[str, int], Scanner] = {}
        self.memory = Memory()
        self.memo = new_memo()


class HyperscanEngine(Engine):
    """Hyperscan in block mode: shared databases, compiled when first needed, one scratch space per thread."""

    name = "hyperscan"

    def __init__(self, book: CueBook, cache_dir: Path | None) -> None:
        super().__init__(book, cache_dir)
        import hyperscan

        self._hyperscan = hyperscan
        self._cache_dir = cache_dir
        self._platform = _platform_digest(metadata.version("hyperscan"))
        self._lock = threading.Lock()
        self._databases: dict[str, Any] = {}

    def _compile(self, name: str, patterns: list[tuple[int, str]]) -> Scanner:
        with self._lock:
            if name not in self._databases:
                self._databases[name] = self._load(name, patterns)
        database = self._databases[name]
        scratch = self._hyperscan.Scratch(database)
        found = 0

        def on_match(bit: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            nonlocal found
            found |= 1 << bit

        def scan(text: bytes, /) -> int:
            nonlocal found
            found = 0
            database.scan(text, match_event_handler=on_match, scratch=scratch)
            return found

        return scan

    def _load(self, name: str, patterns: list[tuple[int, str]]) -> object:
        hs = self._hyperscan
        path = None
        if self._cache_dir is not None:
            path = self._cache_dir / f"cues-{name}-{self._book.digest}-{self._platform}.hs"
            if (stored := read_own(path)) is not None:
                # a file from another build or a torn disk is refused by Hyperscan's own header and checksum
                with contextlib.suppress(hs.HyperscanError, ValueError):
                    return hs.loadb(stored, mode=hs.HS_MODE_BLOCK)
        database = hs.Database(mode=hs.HS_MODE_BLOCK)
        database.compile(
            expressions=[regex.encode("ascii") for _, regex in patterns],
            ids=[bit for bit, _ in patterns],
            flags=[hs.HS_FLAG_SINGLEMATCH | hs.HS_FLAG_DOTALL] * len(patterns),
        )
        if path is not None:
            write_atomically(path, hs.dumpb(database))
        return database


class Re2Engine(Engine):
    """RE2 sets; portable, slower."""

    name = "re2"

    def __init__(self, book: CueBook, cache_dir: Path | None) -> None:
        super().__init__(book, cache_dir)
        import re2

        self._re2 = re2
        self._lock = threading.Lock()
        self._scanners: dict[str, Scanner] = {}

    def _compile(self, name: str, patterns: list[tuple[int, str]]) -> Scanner:
        with self._lock:
            if name not in self._scanners:
                self._scanners[name] = self._new(patterns)
            return self._scanners[name]

    def _new(self, patterns: list[tuple[int, str]]) -> Scanner:
        options = self._re2.Options()
        options.encoding = self._re2.Options.Encoding.LATIN1  # bytes in, bytes out
        options.max_mem = _RE2_BYTES
        options.dot_nl = True
        options.never_capture = True
        pattern_set = self._re2.Set.SearchSet(options)
        bits: dict[int, int] = {}
        for bit, regex in patterns:
            bits[pattern_set.Add(regex)] = 1 << bit
        bits[pattern_set.Add(r"\x00")] = 0  # always matches, so that no match at all means that the set gave up
        pattern_set.Compile()
        single: list[tuple[int, Any]] = []

        def scan(text: bytes, /) -> int:
            found = 0
            matched = pattern_set.Match(text)
            if matched is None:
                if not single:
                    single.extend(
                        (1 << bit, self._re2.compile(regex.encode("ascii"), options)) for bit, regex in patterns
                    )
                return sum({bit for bit, pattern in single if pattern.search(text) is not None})
            for index in matched:
                found |= bits[index]
            return found

        return scan


def open_engine(name: str, book: CueBook, cache_dir: Path | None) -> Engine:
    """Compile the book with the engine asked for; `auto` takes Hyperscan where it is installed, else RE2.

    Raises:
        ComponentError: the engine is not installed.
    """
    if name in ("auto", "hyperscan"):
        try:
            return HyperscanEngine(book, cache_dir)
        except ImportError as error:
            if name == "hyperscan":
                raise ComponentError(
                    "the `hyperscan` engine is not installed", fix="pip install hyperscan, or use engine `re2`"
                ) from error
    if name in ("auto", "re2"):
        try:
            return Re2Engine(book, cache_dir)
        except ImportError as error:
            raise ComponentError("no pattern engine is installed", fix="pip install google-re2 or hyperscan") from error
    raise ComponentError(f"unknown pattern engine `{name}`", fix="use one of `auto`, `hyperscan`, `re2`")


def _platform_digest(version: str) -> str:
    # a database is compiled for the instruction set at hand; another machine may share the home folder
    cpu = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        cpu = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    text = "\0".join((version, platform.machine(), sys.platform, cpu))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
