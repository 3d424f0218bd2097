"""What ingest passes on: blocks of raw lines, batches of exchanges, and rejects."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole lines of a text input, decompressed.

    `data` ends with a newline unless it is the end of the file. `offset` is its place in the decompressed stream.
    """

    data: bytes
    first_line: int  # 1-based
    offset: int  # bytes
    line_ends: int = -1  # how many it holds, where that is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One record (or several alike) that could not be taken, and why. Never carries prompt text."""

    line: int | None
    field: str | None
    reason: str  # malformed | truncated | too_long | encoding | missing | type | clock | unknown_format | ...
    detail: str  # what is wrong and the fix, one sentence
    records: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Exchanges of one stretch of a file, in file order.

    `resume_offset` and `resume_line` say where reading goes on after this batch (bytes of the decompressed stream,
    or rows for Parquet).
    """

    exchanges: pa.RecordBatch  # tables.EXCHANGE
    rejects: list[Reject] = field(default_factory=list)
    records: int = 0  # records read, good and bad
    resume_offset: int = 0
    resume_line: int = 1
