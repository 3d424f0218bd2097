"""SG206  Both start in the same seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG206",
    title="Both start in the same seconds",
    means="Two accounts start requests in the same seconds far more often than their own rhythms explain.",
    innocent=("two services on one schedule",),
    misses=("random delays",),
    unit="joint seconds over those expected",
    family="tempo",
    needs=("at",),
    bits=8.0,
    least=20,
    sentence="Both started requests in the same second {value:.1f} times as often as their rhythms explain.",
    source="Cao et al. 2014, SynchroTrap",
    enable="log start times in milliseconds",
    atlas=("AML.T0021",),
    weighed_by="ratio",
    shape="pair",
)
def same_seconds(t: Tables) -> ir.Table:
    """Joint seconds of two accounts over the number expected if their activity within each hour were independent.

    Shapes  exchanges -> (a, b, value, n), a < b
    Units   value: ratio; n: joint seconds
    """
    e = t.exchanges
    s = e.select("account", second=e.at // 1_000_000).distinct()
    # seconds in which very many start are everybody's seconds
    busy = s.group_by("second").agg(k=s.count())
    s = s.join(busy.filter((busy.k >= 2) & (busy.k <= 8)), "second")
    o = s.select(account_2="account", second="second")
    both = s.join(o, "second")
    both = both.filter(both.account < both.account_2)
    joint = both.group_by(a=both.account, b=both.account_2).agg(joint=both.count())
    joint = joint.filter(joint.joint >= 5)
    hours = e.select("account", second=e.at // 1_000_000).distinct()
    hours = hours.mutate(hour=hours.second // 3600)
    hours = hours.group_by(["account", "hour"]).agg(k=hours.count())
    left = hours.select(a="account", hour="hour", ka="k")
    right = hours.select(b="account", hour="hour", kb="k")
    meet = joint.join(left, "a").join(right, ["b", "hour"])
    expected = meet.group_by(["a", "b"]).agg(expected=(meet.ka * meet.kb).sum() / 3600, joint=meet.joint.max())
    return expected.select("a", "b", value=expected.joint / (expected.expected + 1), n=expected.joint)
