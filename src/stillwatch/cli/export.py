"""A table of the store, written as JSON Lines, CSV or Parquet to standard output or a file."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from stillwatch.cli.show import as_json
from stillwatch.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = ("jsonl", "csv", "parquet")
# A spreadsheet runs a cell that begins with one of these (OWASP, "CSV injection"; the last four are full-width).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_ROWS = 4096  # rows turned into Python objects at a time


def write(table: pa.Table, kind: str, out: Path | None) -> None:
    """Write `table`.

    Args:
        kind: one of `FORMATS`.
        out:  file to write, put in place whole or not at all; None: standard output.
    Raises:
        UsageError: Parquet would go to a terminal, or the file cannot be written.
    """
    if out is None:
        if kind == "parquet" and sys.stdout.isatty():
            raise UsageError("Parquet is binary and stdout is a terminal", fix="add --out FILE, or redirect the output")
        sys.stdout.flush()
        _to(table, kind, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with _whole(out) as sink:
            _to(table, kind, sink)
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as err:
        raise UsageError(
            f"`{out}` cannot be written: {err.strerror}", fix="give --out a file in a folder that exists"
        ) from None


def guarded(cell: str) -> str:
    """`cell` with an apostrophe before it if a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


@contextlib.contextmanager
def _whole(out: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when all of it is there."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as sink:
            yield sink
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _to(table: pa.Table, kind: str, sink: IO[bytes]) -> None:
    if kind == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, sink, compression="zstd")
    elif kind == "csv":
        _csv(table, sink)
    else:
        for row in _rows(table):
            sink.write(as_json(row).encode("ascii") + b"\n")


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for start in range(0, table.num_rows, _ROWS):
        for row in table.slice(start, _ROWS).to_pylist():
            yield {name: _moment(value) for name, value in row.items()}


def _moment(value: Any) -> Any:
    """A time as ISO 8601 in UTC; anything else as it is."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _csv(table: pa.Table, sink: IO[bytes]) -> None:
    class Lines:
        def write(self, line: str) -> int:
            return sink.write(line.encode("utf-8"))

    writer = csv.writer(Lines(), lineterminator="\n")
    writer.writerow(table.column_names)
    for row in _rows(table):
        writer.writerow([_cell(v) for v in row.values()])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return guarded(value.hex()) if isinstance(value, bytes) else as_json(value)
