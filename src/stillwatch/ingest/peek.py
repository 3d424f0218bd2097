"""The first records of an input, for telling its format without reading it all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from stillwatch.ingest.containers import Record, json_document, json_lines
from stillwatch.ingest.files import Input, blocks
from stillwatch.ingest.records import Reject
from stillwatch.ingest.tabular import csv_rows, parquet_rows

_BLOCK = 256 << 10
_MOST = 32 << 20


def first_records(entry: Input, count: int) -> list[Mapping[str, Any]]:
    """At most `count` records that are objects; nothing for an input that is not read."""
    if entry.skip or entry.kind == "empty":
        return []
    return list(islice(_objects(entry), count))


def _objects(entry: Input) -> Iterator[Mapping[str, Any]]:
    for item in _items(entry):
        if isinstance(item, Reject):
            continue
        if isinstance(item.value, Mapping):
            yield item.value
        elif isinstance(item.value, list):
            yield from (element for element in item.value if isinstance(element, Mapping))


def _items(entry: Input) -> Iterator[Record | Reject]:
    if entry.kind == "lines":
        for block in blocks(entry, block_bytes=_BLOCK, max_line_bytes=_MOST):
            if not isinstance(block, Reject):
                yield from json_lines(block)
    elif entry.kind == "json":
        yield from json_document(entry, max_bytes=_MOST)
    elif entry.kind == "csv":
        yield from csv_rows(entry, max_bytes=_MOST)
    else:
        yield from parquet_rows(entry)
