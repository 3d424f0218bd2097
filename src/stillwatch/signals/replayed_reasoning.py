"""SG109  The same encrypted reasoning in two accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG109",
    title="The same encrypted reasoning in two accounts",
    means=(
        "A reasoning blob that the model gave to one account is sent in by another: reasoning is being moved "
        "to where it can be read."
    ),
    innocent=("a migration in mid-conversation",),
    misses=("gateways that do not log thinking signatures",),
    unit="blobs seen in both",
    family="content",
    needs=("blobs_in",),
    bits=18.0,
    sentence="{value:.0f} pieces of encrypted reasoning appear in both accounts.",
    source="OpenAI September 2026 and Anthropic September 2026 (cross-session replay)",
    enable="log reasoning items with their encrypted content and thinking signatures",
    atlas=("AML.T0024.002",),
    shape="pair",
)
def replayed_reasoning(t: Tables) -> ir.Table:
    """Distinct reasoning blobs that two accounts sent in or got out.

    Shapes  exchanges -> (a, b, value, n), a < b
    Units   value: blobs; n: the same; blobs of more than sixty accounts are placeholders and left out
    """
    e = t.exchanges
    seen = (
        e.filter(e.blobs_in.notnull())
        .select("account", blob=e.blobs_in.unnest())
        .union(e.filter(e.blobs_out.notnull()).select("account", blob=e.blobs_out.unnest()))
        .distinct()
    )
    owners = seen.group_by("blob").agg(owners=seen.count())
    seen = seen.join(owners.filter(owners.owners.between(2, 60)), "blob").select("account", "blob")
    other = seen.select(account_2="account", blob="blob")
    both = seen.join(other, "blob")
    both = both.filter(both.account < both.account_2)
    return both.group_by(a=both.account, b=both.account_2).agg(value=both.count().cast("float64"), n=both.count())
