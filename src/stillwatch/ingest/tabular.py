"""Records out of tables: CSV and Parquet, row by row in bounded memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.ingest import codecs
from stillwatch.ingest.containers import Record, damaged
from stillwatch.ingest.files import Input, opened
from stillwatch.ingest.records import Reject
from stillwatch.ingest.sniff import delimiter_of

_ROWS = 256  # Parquet rows decoded at once: a dictionary page can blow one value up by this factor
_MAX_GROUP_BYTES = 4 << 30


class _Lines:
    """Decoded lines of bounded length, with their numbers; what cannot be decoded is set aside in `rejects`."""

    def __init__(self, entry: Input, max_bytes: int) -> None:
        self._entry, self._max = entry, max_bytes
        self.line = 0
        self.rejects: list[Reject] = []

    def __iter__(self) -> Iterator[str]:
        with opened(self._entry) as chunks:
            for data in self._raw(iter(chunks)):
                self.line += 1
                if self.line == 1:
                    data = data.removeprefix(b"\xef\xbb\xbf")
                if b"\0" in data:
                    self._reject("binary", "the line holds NUL bytes: export the table as UTF-8 text")
                    continue
                try:
                    yield data.decode()
                except UnicodeDecodeError:
                    self._reject("encoding", "the line is not UTF-8: convert it, e.g. `iconv -f LATIN1 -t UTF-8`")

    def _raw(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        held, skipping = b"", False
        while True:
            try:
                chunk = next(chunks, b"")
            except (codecs.Truncated, codecs.Corrupt) as error:
                self.rejects.append(damaged(self._entry, error))
                return  # the line that was cut is dropped with the damage
            if not chunk:
                break
            lines = (held + chunk).split(b"\n")
            held = lines.pop()
            for line in lines:
                if skipping or len(line) > self._max:
                    self.line += 1
                    self._reject("too_long", f"the line is longer than {self._max} bytes: raise ingest.max_line_bytes")
                    skipping = False
                    continue
                yield line + b"\n"
            if len(held) > self._max:
                held, skipping = b"", True
        if skipping:
            self.line += 1
            self._reject("too_long", f"the line is longer than {self._max} bytes: raise ingest.max_line_bytes")
        elif held:
            yield held

    def _reject(self, reason: str, detail: str) -> None:
        self.rejects.append(Reject(line=self.line, field=None, reason=reason, detail=detail))


def csv_rows(entry: Input, *, max_bytes: int, skip: int = 0) -> Iterator[Record | Reject]:
    """Rows of a CSV file with a header, as dicts of strings; an empty cell is null.

    The delimiter (comma, tab, semicolon, bar) is read from the header. A quoted cell may hold newlines; the line of a
    row is the one it ends on. A cell is at most `max_bytes` long.
    """
    if csv.field_size_limit() < max_bytes:
        csv.field_size_limit(max_bytes)  # process-wide, and only ever raised
    lines = _Lines(entry, max_bytes)
    source = iter(lines)
    header = next(source, "")
    names = next(csv.reader([header], delimiter=delimiter_of(header)), [])
    names = [name.strip() for name in names]
    twice = {name for name in names if names.count(name) > 1}
    if twice or not any(names):
        detail = f"the header names column `{min(twice)}` twice" if twice else "the header is empty"
        yield Reject(line=1, field=None, reason="malformed", detail=f"{detail}: give every column one name")
        return
    count = 0
    reader = csv.reader(source, delimiter=delimiter_of(header))
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield Reject(line=lines.line, field=None, reason="malformed", detail=f"{error}: quote the cell properly")
            reader = csv.reader(source, delimiter=delimiter_of(header))
            continue
        yield from lines.rejects
        lines.rejects.clear()
        if row is None:
            return
        if not row:
            continue
        count += 1
        if count <= skip:
            continue
        if len(row) != len(names):
            yield Reject(
                line=lines.line,
                field=None,
                reason="malformed",
                detail=f"the row has {len(row)} cells, the header {len(names)}: quote cells that hold the delimiter",
            )
            continue
        cells = {name: cell or None for name, cell in zip(names, row, strict=True)}
        yield Record(cells, lines.line, count)


def parquet_rows(entry: Input, *, skip: int = 0) -> Iterator[Record | Reject]:
    """Rows of a Parquet file as dicts, a few hundred at a time; `line` is the 1-based row.

    A damaged file gives the rows before the damage and then a `Reject` for the rest. Row groups above 4 GiB are not
    opened: no common writer makes them.
    """
    row = 0
    total = 0
    try:
        with pq.ParquetFile(
            entry.path, pre_buffer=False, thrift_string_size_limit=64 << 20, thrift_container_size_limit=4 << 20
        ) as file:
            about = file.metadata
            total = about.num_rows
            for number in range(about.num_row_groups):
                group = about.row_group(number)
                if row + group.num_rows <= skip:
                    row += group.num_rows
                    continue
                if group.total_byte_size > _MAX_GROUP_BYTES:
                    yield Reject(
                        line=row + 1,
                        field=None,
                        reason="too_long",
                        detail=f"row group {number} declares {group.total_byte_size} bytes: write smaller row groups",
                        records=max(group.num_rows, 1),
                    )
                    row += group.num_rows
                    continue
                for batch in file.iter_batches(batch_size=_ROWS, row_groups=[number], use_threads=False):
                    for value in _plain(batch).to_pylist():
                        row += 1
                        if row > skip:
                            yield Record({key: _value(item) for key, item in value.items()}, row, row)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        yield Reject(
            line=row + 1,
            field=None,
            reason="corrupt",
            detail=f"the Parquet file cannot be read on ({type(error).__name__}): write it again",
            records=max(total - row, 1),
        )


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with timestamps in microseconds: Python has no nanoseconds."""
    arrays, fields = [], []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            kind = pa.timestamp("us", field.type.tz)
            field, column = field.with_type(kind), column.cast(kind, safe=False)
        arrays.append(column)
        fields.append(field)
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def _value(value: Any) -> Any:
    """Map columns as dicts, bytes as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return {str(_value(key)): _value(item) for key, item in value}
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _value(item) for key, item in value.items()}
    return value
