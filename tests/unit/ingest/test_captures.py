"""Real captured traffic: every line comes in, none is lost. The captures are not in the repository."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import zstandard

from stillwatch.ingest.files import expand
from stillwatch.ingest.read import read

NOW = 1_796_000_000_000_000  # after the captures


def lines_in(path: str) -> int:
    """Lines of a compressed capture, counted with another decoder interface than the code under test."""
    with Path(path).open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        return sum(1 for _ in io.BufferedReader(stream))


@pytest.mark.shared
@pytest.mark.timeout(600)
def test_every_captured_line_becomes_an_exchange(captures: Path) -> None:
    files = [entry for entry in expand([str(captures)]) if entry.path.endswith(".jsonl.zst")]
    assert len(files) >= 20
    for entry in files:
        taken = rejected = 0
        ids: set[str] = set()
        for batch in read(entry, now_us=NOW):
            taken += batch.exchanges.num_rows
            rejected += sum(reject.records for reject in batch.rejects)
            ids.update(batch.exchanges.column("exchange_id").to_pylist())
        if "truth" in entry.path:  # labels, not traffic
            assert (taken, rejected) == (0, lines_in(entry.path))
        else:
            assert (taken, rejected) == (lines_in(entry.path), 0), entry.path
            assert len(ids) == taken
