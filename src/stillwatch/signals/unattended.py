"""SG201  Requests run side by side, unwatched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG201",
    title="Requests run side by side, unwatched",
    means=(
        "Requests start while others of the same account still run and are not streamed: a program works "
        "through a list."
    ),
    innocent=("batch jobs", "load tests", "an application with many users on one key"),
    misses=("one request after the other",),
    unit="share of the exchanges, 0 to 1",
    family="tempo",
    needs=("latency_ms",),
    sentence="{value:.0%} of {n:,} requests ran side by side with others, unstreamed.",
    source="NSA/CISA/FBI AA26-251A: no human rhythm",
    enable="log start and end times, and the stream flag",
)
def unattended(t: Tables) -> ir.Table:
    """Share of exchanges that start while another one of the unit runs, and are not streamed.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with a duration
    """
    e = t.exchanges.filter(t.exchanges.latency_ms.notnull())
    before = ibis.window(group_by="unit", order_by=["at", "exchange_id"], preceding=(None, 1))
    e = e.select(
        "unit",
        "at",
        e.stream,
        busy_until=e.end_at.max().over(before),
        place=ibis.row_number().over(ibis.window(group_by="unit", order_by=["at", "exchange_id"])),
    )
    side = (e.place > 0) & (e.busy_until > e.at) & ~e.stream.fill_null(False)
    return e.group_by("unit").agg(value=side.cast("float64").mean(), n=e.count())
