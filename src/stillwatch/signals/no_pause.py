"""SG202  No pause between an answer and the next request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG202",
    title="No pause between an answer and the next request",
    means=(
        "The next request follows the answer in less time than reading it would take: while the account is at "
        "work, it is always waiting for the model."
    ),
    innocent=("batch jobs", "agents", "automated tests"),
    misses=("human-shaped pacing",),
    unit="share of working time spent waiting for the model, 0 to 1",
    family="tempo",
    needs=("latency_ms",),
    sentence=(
        "While at work, {value:.0%} of the time was spent waiting for an answer ({n:,} exchanges that "
        "followed another)."
    ),
    source="AA26-251A: no human rhythm; ratio of durations, so that slow gateways do not matter",
    enable="log start and end times",
)
def no_pause(t: Tables) -> ir.Table:
    """Share of the time within a sitting in which a request of the unit is running.

    A sitting ends with a pause of thirty minutes. Its first request has no pause before it and does not count: who
    asks once an hour is not always waiting.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with a duration that follow another one of the sitting
    """
    e = t.exchanges.filter(t.exchanges.latency_ms.notnull())
    w = ibis.window(group_by="unit", order_by=["at", "exchange_id"])
    before = ibis.window(group_by="unit", order_by=["at", "exchange_id"], preceding=(None, 1))
    e = e.select("unit", "at", "end_at", place=ibis.row_number().over(w), busy_until=e.end_at.max().over(before))
    e = e.filter((e.place > 0) & (e.at - e.busy_until <= 1_800_000_000))
    e = e.select(
        "unit",
        idle=ibis.greatest(e.at - e.busy_until, 0),
        busy=ibis.greatest(e.end_at - ibis.greatest(e.busy_until, e.at), 0),
    )
    sums = e.group_by("unit").agg(idle=e.idle.sum(), busy=e.busy.sum(), n=e.count())
    sums = sums.filter(sums.idle + sums.busy > 0)
    return sums.select("unit", value=sums.busy / (sums.idle + sums.busy), n=sums.n)
