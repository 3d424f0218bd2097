"""SG402  Used from the same address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG402",
    title="Used from the same address",
    means="Two accounts are used from one address.",
    innocent=("offices, campuses and carriers behind one address", "VPN exits"),
    misses=("one proxy for each account",),
    unit="addresses shared",
    family="network",
    needs=("ip",),
    bits=8.0,
    sentence="Used from {value:.0f} of the same addresses.",
    source="Stringhini et al. 2015, EvilCohort; popularity discount",
    enable="log client addresses (LiteLLM: use_x_forwarded_for)",
    atlas=("AML.T0008.005",),
    weighed_by="popularity",
    shape="pair",
)
def shared_address(t: Tables) -> ir.Table:
    """Addresses that two accounts use.

    Shapes  exchanges -> (a, b, value, n), a < b; addresses of very many accounts (`POPULAR`) are left out
    Units   value: addresses; n: accounts on the rarest of them
    """
    return t.sharing("ip")
