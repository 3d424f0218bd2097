"""SG205  Requests at even intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG205",
    title="Requests at even intervals",
    means="The gaps between requests are too even for a person: a scheduler or a rate limiter sets the beat.",
    innocent=("monitors and cron jobs", "constant-rate load tests"),
    misses=("random delays",),
    unit="1 minus the coefficient of variation of gaps within a sitting, 0 to 1",
    family="tempo",
    needs=("at",),
    sentence="The gaps between {n:,} requests are even to {value:.0%}.",
    source="AA26-251A: automation; coefficient of variation (a Poisson process has 1)",
    enable="log start times in milliseconds",
    least=30,
)
def metronome(t: Tables) -> ir.Table:
    """Evenness of the gaps of at most thirty minutes between a unit's requests.

    Shapes  exchanges -> (unit, value, n)
    Units   value: max(0, 1 - cv), 0 to 1; n: gaps
    """
    e = t.exchanges
    w = ibis.window(group_by="unit", order_by=["at", "exchange_id"])
    e = e.select("unit", place=ibis.row_number().over(w), gap=(e.at - e.at.lag().over(w)).cast("float64"))
    e = e.filter((e.place > 0) & (e.gap < 1_800_000_000))
    sums = e.group_by("unit").agg(mean=e.gap.mean(), std=e.gap.std(how="pop"), n=e.count())
    sums = sums.filter(sums["mean"] > 0)
    return sums.select("unit", value=ibis.greatest(1 - sums["std"] / sums["mean"], 0.0), n=sums.n)
