"""Run all signals that the data allow, and say which ones it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import ALL, Signal, Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Abstention(NamedTuple):
    """A signal that could not be measured, and the columns that are missing."""

    signal: str
    missing: tuple[str, ...]


def missing(signal: Signal, present: frozenset[str]) -> tuple[str, ...]:
    """The needs of a signal that are not met; `a|b` is met by either."""
    return tuple(need for need in signal.needs if not any(part in present for part in need.split("|")))


def able(present: frozenset[str], shape: str | None = None) -> tuple[list[Signal], list[Abstention]]:
    """Signals that can run on data with these columns, and those that must abstain."""
    run, abstain = [], []
    for signal in sorted(ALL.values(), key=lambda s: s.id):
        if shape is not None and signal.shape != shape:
            continue
        gaps = missing(signal, present)
        if gaps:
            abstain.append(Abstention(signal.id, gaps))
        else:
            run.append(signal)
    return run, abstain


def union(expressions: Iterable[ir.Table]) -> ir.Table:
    """All rows of several tables of one shape."""
    return ibis.union(*expressions, distinct=False)


@lru_cache(maxsize=256)
def sql(signal_id: str, to_sql: Callable[[ir.Table], str], schemas: tuple[ibis.Schema, ...]) -> str:
    """A signal as SQL of one engine over tables named exchanges, accounts and values_."""
    tables = Tables(*(ibis.table(schema, name=name) for schema, name in zip(schemas, TABLE_NAMES, strict=True)))
    return to_sql(ALL[signal_id].measure(tables))


TABLE_NAMES = ("exchanges", "accounts", "values_")
