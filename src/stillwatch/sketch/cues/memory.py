"""Candidate sentences that were judged before, and what the engine said of them. One object for each thread.

Templates come back by the thousand, so most candidates need no engine. Places are found by a keyed hash of the
sentence, of what surrounds it and of the phrases in question; a new entry takes the place of an old one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stillwatch.sketch.cues.anchors import CONTEXT
from stillwatch.sketch.cues.prefilter import Candidates
from stillwatch.sketch.hashing import finish, hash_span, trailing_zeros

_SLOTS = 1 << 16  # 1 MiB
Telling = Callable[[NDArray[np.uint64]], NDArray[np.uint64]]


class Memory:
    """Cue bits of sentences, direct-mapped."""

    def __init__(self) -> None:
        self._seed = np.uint64(secrets.randbits(64))
        self._held = np.zeros(2 * _SLOTS, np.uint64)

    @staticmethod
    def wanted(
        found: Candidates, cues: NDArray[np.uint64], held: NDArray[np.uint64], telling: Telling | None
    ) -> NDArray[np.uint64]:
        """Cue bits that each candidate is to be read for.

        Args:
            cues:    (lanes, 64) cue bit that each bit of a lane stands for.
            held:    (rows,) cue bits that are known of the rows.
            telling: which of the cues that a row may hold matter; None: all.
        """
        used = int(found.used[0])
        out, possible = np.empty(used, np.uint64), held.copy()
        _wanted(found.found, used, cues, out, possible)
        if telling is not None:
            out &= telling(possible)[found.found[: 5 * used : 5]]
        return out

    def recall(
        self,
        text: NDArray[np.uint8],
        bounds: NDArray[np.int64],
        found: Candidates,
        wanted: NDArray[np.uint64],
        proofs: NDArray[np.uint64],
    ) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64]]:
        """Bits of the candidates that are remembered.

        Args:
            wanted: of each candidate the cue bits in question.
            proofs: for each lane the marks of which a row must hold one; 0: no need. A candidate without any is not
                    looked up: whether it counts depends on the rest of the row.
        Returns:
            Cue bits, (candidates,); numbers of the candidates that are not remembered, and the keys to `learn` them
            by, 0: not to be learned.
        """
        sure, missing, keys = np.zeros_like(wanted), np.empty(len(wanted), np.int64), np.empty_like(wanted)
        count = _recall(
            text, bounds, found.found, wanted, found.marks, proofs, self._seed, self._held, sure, missing, keys
        )
        return sure, missing[:count], keys[:count]

    @staticmethod
    def gather(found: Candidates, sure: NDArray[np.uint64], out: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Add the bits of the candidates to `out`, (rows,); which of them first occur in their row there."""
        fresh = np.zeros(len(sure), np.uint64)
        _gather(found.found, sure, np.zeros(len(out), np.uint64), fresh, out)
        return fresh

    def learn(self, key: int, bits: int) -> None:
        """Remember the cue bits of a candidate."""
        slot = key & (_SLOTS - 1)
        self._held[2 * slot], self._held[2 * slot + 1] = key, bits


@njit(cache=True, nogil=True)
def _wanted(found, used, cues, out, possible):  # type: ignore[no-untyped-def]
    for k in range(used):
        raised = np.uint64(found[5 * k + 4])
        bits = np.uint64(0)
        while raised != np.uint64(0):
            bits |= cues[found[5 * k + 3], trailing_zeros(raised)]
            raised &= raised - np.uint64(1)
        out[k] = bits
        possible[found[5 * k]] |= bits


@njit(cache=True, nogil=True)
def _gather(found, sure, have, fresh, out):  # type: ignore[no-untyped-def]
    for k in range(sure.shape[0]):
        row = found[5 * k]
        fresh[k] = sure[k] & ~have[row]
        have[row] |= sure[k]
        out[row] |= sure[k]


@njit(cache=True, nogil=True)
def _recall(text, bounds, found, wanted, marks, proofs, seed, held, sure, missing, keys):  # type: ignore[no-untyped-def]
    count = 0
    for k in range(wanted.shape[0]):
        if wanted[k] == np.uint64(0):
            continue
        row, start, stop = found[5 * k], found[5 * k + 1], found[5 * k + 2]
        lane = found[5 * k + 3]
        first, last = bounds[row], bounds[row + 1]
        if proofs[lane] != np.uint64(0) and marks[row] & proofs[lane] == np.uint64(0):
            missing[count], keys[count] = k, np.uint64(0)
            count += 1
            continue
        a, b = max(start - CONTEXT, first), min(stop + CONTEXT, last)
        edges = np.uint64((a == first) + 2 * (b == last))
        question = finish(wanted[k] ^ seed) ^ (np.uint64(lane) << np.uint64(2)) ^ edges
        key = hash_span(text, a, b, finish(question ^ seed))
        slot = np.int64(key & np.uint64(_SLOTS - 1))
        if held[2 * slot] == key:
            sure[k] = held[2 * slot + 1]
        else:
            missing[count], keys[count] = k, key
            count += 1
    return count
