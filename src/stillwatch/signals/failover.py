"""SG401  One takes over when the other is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG401",
    title="One takes over when the other is refused",
    means="An account is refused (401, 403, 429, 529) and within a minute another sends the very same request.",
    innocent=("a customer with two accounts and a fail-over library",),
    misses=("failover with rewritten prompts",),
    unit="requests taken over",
    family="network",
    needs=("status", "chain_self"),
    bits=14.0,
    sentence="{value:.0f} refused requests were sent again by the other account within a minute.",
    source="AA26-251A: automated failover; relay schedulers",
    enable="log failed requests with their messages",
    atlas=("AML.T0008.005",),
    shape="pair",
)
def failover(t: Tables) -> ir.Table:
    """Requests refused to one account and sent by another within sixty seconds.

    Shapes  exchanges -> (a, b, value, n), a < b
    Units   value: requests; n: the same
    """
    e = t.exchanges
    refused = e.filter(e.status.isin([401, 403, 429, 529]) & e.chain_self.notnull()).select(
        "account", "at", "chain_self"
    )
    taken = e.filter((e.status < 400) & e.chain_self.notnull()).semi_join(refused, "chain_self")
    taken = taken.select(account_2="account", at_2="at", chain_self="chain_self")
    both = refused.join(taken, "chain_self")
    # "hello" is sent by many: only requests that nobody else sends say anything
    sent = e.filter(e.chain_self.notnull()).semi_join(refused, "chain_self")
    senders = sent.group_by("chain_self").agg(senders=sent.account.nunique())
    both = both.join(senders.filter(senders.senders <= 2), "chain_self")
    both = both.filter((both.account != both.account_2) & (both.at_2 >= both.at) & (both.at_2 - both.at <= 60_000_000))
    pairs = both.select(
        "chain_self", a=ibis.least(both.account, both.account_2), b=ibis.greatest(both.account, both.account_2)
    )
    return pairs.group_by(["a", "b"]).agg(
        value=pairs.chain_self.nunique().cast("float64"), n=pairs.chain_self.nunique()
    )
