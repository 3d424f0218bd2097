"""SG203  At work round the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG203",
    title="At work round the clock",
    means="Over days there is no night: all hours of the day are used alike.",
    innocent=("services with users all over the world", "monitors"),
    misses=("campaigns shaped like a working day", "less than three days of log"),
    unit="share of the 24 hours of the day in which the unit was active, 0 to 1",
    family="tempo",
    needs=("at",),
    sentence="Active in {value:.0%} of the hours of the day ({n:,} exchanges).",
    source="AA26-251A: round-the-clock use; hours of UTC, so that no time zone matters",
    enable="keep at least three days of log",
    least=48,
)
def round_the_clock(t: Tables) -> ir.Table:
    """Share of the hours of the day with an exchange, for units seen on three days or more.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges
    """
    e = t.exchanges
    hour = (e.at.cast("int64") // 3_600_000_000).name("hour")
    e = e.group_by(["unit", hour]).agg(k=e.count())
    e = e.mutate(day=e.hour // 24, clock=e.hour % 24)
    sums = e.group_by("unit").agg(value=e.clock.nunique() / 24, days=e.day.nunique(), n=e.k.sum())
    return sums.filter(sums.days >= 3).select("unit", "value", "n")
