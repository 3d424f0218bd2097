"""SG301  One key, many places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG301",
    title="One key, many places",
    means=(
        "One key is used from many networks and by many programs: it is passed around, stolen, or rotated "
        "behind proxies."
    ),
    innocent=("a team's shared key", "build runners", "travellers"),
    misses=("one proxy for each key",),
    unit="networks and programs beyond the first, for each hundred exchanges",
    family="identity",
    needs=("key", "ip_net|user_agent"),
    sentence=(
        "The busiest key was used from {value:.1f} further networks or programs for each hundred of {n:,} exchanges."
    ),
    source="AA26-251A: one credential, many addresses and user agents",
    enable="log client addresses (use_x_forwarded_for) and user agents",
    least=20,
)
def key_fan_out(t: Tables) -> ir.Table:
    """Networks and programs beyond the first of a unit's most widely used key, for each hundred of its exchanges.

    Shapes  exchanges -> (unit, value, n)
    Units   value: count per hundred exchanges (or fewer); n: exchanges of that key
    """
    e = t.exchanges.filter(t.exchanges.key.notnull())
    per = e.group_by(["unit", "key"]).agg(nets=e.ip_net.nunique(), agents=e.user_agent.nunique(), n=e.count())
    per = per.mutate(spread=ibis.greatest(per.nets - 1, 0) + ibis.greatest(per.agents - 1, 0))
    widest = ibis.window(group_by="unit", order_by=[per.spread.desc(), per.n.desc(), per.key])
    per = per.mutate(place=ibis.row_number().over(widest))
    per = per.filter(per.place == 0)
    return per.select("unit", value=100 * per.spread / ibis.greatest(per.n, 100), n=per.n)
