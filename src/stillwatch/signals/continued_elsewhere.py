"""SG305  A conversation goes on under another account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG305",
    title="A conversation goes on under another account",
    means=(
        "An account sends, as its own past, a conversation that another account had: one work queue stands behind both."
    ),
    innocent=("a migration from one account to another", "a user with two accounts"),
    misses=("single-turn traffic", "histories that are rewritten"),
    unit="conversations carried over",
    family="identity",
    needs=("chain_parent", "chain_given"),
    bits=16.0,
    sentence="{value:.0f} conversations went on under the other account.",
    source="DESIGN section 5.5; relay schedulers fail over in mid-conversation",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
    atlas=("AML.T0008.005",),
    shape="pair",
)
def continued_elsewhere(t: Tables) -> ir.Table:
    """Conversations of two turns or more that one account began and another went on with.

    Shapes  exchanges -> (a, b, value, n), a < b
    Units   value: distinct conversations; n: the same
    """
    e = t.exchanges
    # The answer is part of what is joined: two people may ask the same, but they are not told the same.
    went = e.filter(e.chain_parent.notnull()).select(account_2="account", at_2="at", chain=e.chain_parent)
    begun = e.filter(e.chain_given.notnull()).select("account", "at", chain=e.chain_given).semi_join(went, "chain")
    own = begun.select(account_2="account", chain="chain").distinct()
    both = went.anti_join(own, ["account_2", "chain"]).join(begun, "chain")
    both = both.filter((both.at_2 > both.at) & (both.account != both.account_2))
    rare = both.group_by("chain").agg(owners=both.account.nunique())
    both = both.join(rare.filter(rare.owners <= 2), "chain")
    pairs = both.select(
        "chain", a=ibis.least(both.account, both.account_2), b=ibis.greatest(both.account, both.account_2)
    )
    return pairs.group_by(["a", "b"]).agg(value=pairs.chain.nunique().cast("float64"), n=pairs.chain.nunique())
