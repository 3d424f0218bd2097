"""SG204  Full rate from the first day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir

HOUR: Final = 3_600_000_000  # microseconds
DAY: Final = 24 * HOUR


@signal(
    id="SG204",
    title="Full rate from the first day",
    means="The account reaches its highest hourly rate within a day of being opened.",
    innocent=("a migration", "a back-fill for a search index", "a load test"),
    misses=("aged accounts", "accounts used up within a day", "accounts without a date of opening"),
    unit="highest hourly rate of the first day over the highest of all, 0 to 1",
    family="tempo",
    needs=("accounts.created_at",),
    sentence="In the first day after sign-up the account ran at {value:.0%} of its highest rate ({n:,} exchanges).",
    source="AA26-251A: new accounts at maximum throughput",
    enable="give an accounts table with created_at",
    least=48,
)
def no_ramp(t: Tables) -> ir.Table:
    """Highest hourly count within a day of sign-up over the highest of all.

    Shapes  exchanges, accounts -> (unit, value, n); left out are units whose first day the log does not show, and units
            with nothing after it: there is no later rate to compare with
    Units   value: ratio, 0 to 1; n: exchanges
    """
    e = t.exchanges
    born = t.accounts.filter(t.accounts.created_at.notnull()).select("account", "created_at")
    e = e.select("unit", "account", "at", hour=e.at // HOUR).inner_join(born, "account")
    per = e.group_by(["unit", "hour"]).agg(
        k=e.count(), early=(e.at - e.created_at < DAY).any(), late=(e.at - e.created_at >= DAY).any(),
        born=e.created_at.min(), at=e.at.min(),
    )  # fmt: skip
    sums = per.group_by("unit").agg(
        first=per.k.max(where=per.early),
        top=per.k.max(),
        n=per.k.sum(),
        lag=per.at.min() - per.born.min(),
        later=per.late.any(),
    )
    # an hour's grace for clocks that differ
    sums = sums.filter(sums.lag.between(-HOUR, DAY - 1) & sums.later)
    return sums.select("unit", value=sums["first"].fill_null(0) / sums.top, n=sums.n)
