"""SG404  Marks of a router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG404",
    title="Marks of a router",
    means="Headers or names in the requests belong to routing software, or the account speaks for other applications.",
    innocent=("a company gateway", "an honest aggregator", "an application that names itself"),
    misses=("relays that strip their marks",),
    unit="share of the exchanges with a mark, 0 to 1",
    family="network",
    needs=("router_marks",),
    sentence="{value:.0%} of {n:,} requests carry marks of a router.",
    source="OpenRouter app attribution; LiteLLM, Portkey, Helicone header names",
    enable="log request headers",
    atlas=("AML.T0008.005",),
)
def router_marks(t: Tables) -> ir.Table:
    """Share of exchanges with a router's mark.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with headers
    """
    e = t.exchanges.filter(t.exchanges.router_marks.notnull())
    return e.group_by("unit").agg(value=(e.router_marks != 0).cast("float64").mean(), n=e.count())
