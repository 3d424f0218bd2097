"""SG403  The same frozen client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG403",
    title="The same frozen client",
    means=(
        "Two accounts present the same rare combination of SDK headers, header order, user agent and TLS "
        "print: one program stands behind both."
    ),
    innocent=("users of one release of a popular SDK", "a company image"),
    misses=("relays that vary their headers",),
    unit="combinations shared",
    family="network",
    needs=("client|tls",),
    bits=5.0,
    sentence="Both present the same rare combination of client headers.",
    source="claude-relay-service, sub2api: header tuples captured once and replayed",
    enable="log all request headers in order",
    atlas=("AML.T0008.005",),
    weighed_by="popularity",
    shape="pair",
)
def frozen_client(t: Tables) -> ir.Table:
    """Rare client fingerprints that two accounts share.

    Shapes  exchanges -> (a, b, value, n), a < b; fingerprints of very many accounts (`POPULAR`) are left out
    Units   value: fingerprints; n: accounts with the rarest of them
    """
    return t.sharing("client")
