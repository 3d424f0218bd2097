"""Keyed hashes of columns that are not text: accounts, payment instruments, sign-up addresses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from stillwatch.sketch.hashing import Secret, hash_strings
from stillwatch.sketch.sketch import Text


def hashes(secret: Secret, column: pa.Array, use: str) -> np.ndarray:
    """(rows,) uint64 keyed hashes of a string column, 0 where null or empty; as `Sketcher.hashes` gives them."""
    out = np.zeros(len(column), np.uint64)
    if column.null_count < len(column):
        text = Text(column)
        hash_strings(text.data, text.offsets, text.valid, secret.seed(use), secret.k0, secret.k1, out)
    return out


def value(secret: Secret, text: str, use: str) -> int:
    """The keyed hash of one value."""
    return int(hashes(secret, pa.array([text]), use)[0])
