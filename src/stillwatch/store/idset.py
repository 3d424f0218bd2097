"""Exchange ids seen so far, as 64-bit keyed hashes in one open-addressed table: at most 27 bytes an id."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _add_all(table, hashes, fresh):  # type: ignore[no-untyped-def]
    mask = np.uint64(table.shape[0] - 1)
    added = 0
    for row in range(hashes.shape[0]):
        h = hashes[row]
        i = h & mask
        while table[i] != np.uint64(0) and table[i] != h:
            i = (i + np.uint64(1)) & mask
        if table[i] == h:
            fresh[row] = False
        else:
            table[i] = h
            fresh[row] = True
            added += 1
    return added


class IdSet:
    """A growing set of hashes; 0 stands for no hash, and is never new.

    Two ids share a hash with probability n^2 / 2^65: below one in a hundred thousand for 16 million ids.
    """

    def __init__(self) -> None:
        self._table = np.zeros(1 << 16, np.uint64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, hashes: np.ndarray) -> np.ndarray:
        """Add hashes (rows,); which of them were new, the first of equals counting as new."""
        while (self._count + len(hashes)) * 8 > len(self._table) * 5:
            old = self._table[self._table != 0]
            self._table = np.zeros(len(self._table) * 2, np.uint64)
            _add_all(self._table, old, np.empty(len(old), np.bool_))
        fresh = np.empty(len(hashes), np.bool_)
        self._count += int(_add_all(self._table, hashes, fresh))
        return fresh
