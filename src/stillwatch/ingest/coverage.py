"""Which columns a log really carries: what `stillwatch sources` shows, and what decides which signals can run."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.ingest.records import Batch
from stillwatch.tables import EXCHANGE


def fields_present(batches: Iterable[Batch | pa.RecordBatch]) -> dict[str, float]:
    """Share of exchanges, 0 to 1, in which each column of tables.EXCHANGE says something; {} without exchanges.

    Null, empty text and empty lists say nothing.
    """
    rows = 0
    filled = dict.fromkeys(EXCHANGE.names, 0)
    for batch in batches:
        table = batch.exchanges if isinstance(batch, Batch) else batch
        rows += table.num_rows
        for name in EXCHANGE.names:
            filled[name] += _filled(table.column(name))
    return {name: count / rows for name, count in filled.items()} if rows else {}


def _filled(column: pa.Array) -> int:
    there = len(column) - column.null_count
    if not there:
        return 0
    if pa.types.is_string(column.type):
        return there - (pc.sum(pc.equal(pc.binary_length(column), 0)).as_py() or 0)
    if pa.types.is_list(column.type):
        return there - (pc.sum(pc.equal(pc.list_value_length(column), 0)).as_py() or 0)
    return there
