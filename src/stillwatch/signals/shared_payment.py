"""SG303  Paid with the same instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG303",
    title="Paid with the same instrument",
    means="Two accounts are paid with the same card or wallet.",
    innocent=("sub-accounts of one customer", "a gateway or reseller card", "a family"),
    misses=("virtual cards",),
    unit="instruments in common",
    family="identity",
    needs=("accounts.payment_fingerprint",),
    bits=13.0,
    sentence="Paid with the same instrument.",
    source="Anthropic February 2026 (shared payment methods)",
    enable="give an accounts table with payment_fingerprint",
    atlas=("AML.T0021",),
    weighed_by="popularity",
    shape="pair",
)
def shared_payment(t: Tables) -> ir.Table:
    """Pairs of accounts with the same payment fingerprint.

    Shapes  accounts -> (a, b, value, n), a < b; instruments of very many accounts (`POPULAR`) are left out
    Units   value: 1; n: accounts on the instrument
    """
    return t.sharing("payment")
