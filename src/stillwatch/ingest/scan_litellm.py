"""The compiled path for LiteLLM callback payloads: a block of lines to a batch of exchanges, no objects per row.

    spans.scan -> litellm_rows.gather -> litellm_columns -> tables.EXCHANGE
          '-------------- lines that are out of the ordinary -------------> the record reader (read.read_lines)

Lines with anything out of the ordinary (message parts that are not text, tool calls, thinking blocks, raw keys where
an id belongs, damaged JSON, a clock that is off) are handed back one by one to the record reader, so both paths give
the same rows and the record reader alone decides what is rejected, and why. `tests/oracle` compares them.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from stillwatch.ingest.json_bytes import PADDING
from stillwatch.ingest.litellm_columns import Columns
from stillwatch.ingest.litellm_paths import TABLE
from stillwatch.ingest.records import Block
from stillwatch.ingest.settings import IngestSettings
from stillwatch.ingest.spans import LINE_OK, LINE_START, LINE_STOP, scan

_MAX_ID = IngestSettings().max_id_chars


class Compiled(NamedTuple):
    """Rows taken by the compiled path, and the lines that it leaves to the record reader."""

    exchanges: pa.RecordBatch
    left: list[tuple[int, bytes]]  # (line number, line), empty lines left out
    lines: int


class _Scratch(threading.local):
    """Memory of one thread, kept from block to block."""

    def __init__(self) -> None:
        self.data = np.zeros(0, np.uint8)
        self.events = np.empty((1 << 14, 5), np.int32)
        self.lines = np.empty((1 << 10, 3), np.int32)

    def holding(self, block: bytes) -> np.ndarray:
        """The block with a newline and padding behind it."""
        if len(self.data) < len(block) + PADDING:
            self.data = np.zeros(len(block) + (len(block) >> 3) + PADDING, np.uint8)
        self.data[: len(block)] = np.frombuffer(block, np.uint8)
        self.data[len(block)] = 10
        self.data[len(block) + 1 : len(block) + PADDING] = 0
        return self.data

    def grow(self, lines: int) -> None:
        """More room for whichever of the two was used up."""
        if lines == len(self.lines):
            self.lines = np.empty((2 * lines, 3), np.int32)
        else:
            self.events = np.empty((2 * len(self.events), 5), np.int32)


_scratch = _Scratch()


def compiled(block: Block, *, earliest_us: int = 0, latest_us: int = 1 << 62, max_id_chars: int = _MAX_ID) -> Compiled:
    """Exchanges of a block of LiteLLM callback payload lines.

    Rows that fail a check of the record reader (clock, missing id, wrong type) are left to it, never judged here.

    Args:
        earliest_us, latest_us: microseconds UTC between which a request may start and end.
        max_id_chars:           longer ids are left to the record reader.
    """
    size = len(block.data)
    data = _scratch.holding(block.data)
    while True:
        count, events, used = scan(data, size, *TABLE, _scratch.lines, _scratch.events)
        if used >= size:
            break
        _scratch.grow(count)
    lines = _scratch.lines[:count]
    ok = lines[:, LINE_OK] != 0
    exchanges = Columns(data, events, _scratch.events, ok, max_id_chars).batch(block.first_line, earliest_us, latest_us)
    left = []
    for line in np.flatnonzero(~ok).tolist():
        text = block.data[lines[line, LINE_START] : lines[line, LINE_STOP]]
        if text.strip():
            left.append((block.first_line + line, text))
    return Compiled(exchanges, left, count)
