"""SG405  Calls that the real client also makes are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG405",
    title="Calls that the real client also makes are missing",
    means=(
        "The accounts on this client usually call further endpoints too (embeddings, batches); this one never "
        "does: a relay answers them itself, or only the header is copied."
    ),
    innocent=("light use", "settings that turn the extra calls off"),
    misses=("relays that pass everything on",),
    unit="kinds of companion call usual for the client and absent here, count",
    family="network",
    needs=("user_agent", "endpoint"),
    sentence="{value:.0f} kinds of call that this client usually makes are absent from {n:,} exchanges.",
    source="cc-relayer: warm-up interception",
    enable="log all endpoints and user agents",
    least=50,
)
def missing_companions(t: Tables) -> ir.Table:
    """Companion calls that most accounts on a unit's client make and the unit does not.

    A companion is an endpoint that at least eight in ten of the eight or more accounts with that user agent call.

    Shapes  exchanges -> (unit, value, n)
    Units   value: kinds; n: exchanges with a user agent
    """
    e = t.exchanges.filter(t.exchanges.user_agent.notnull())
    uses = e.select("unit", "account", agent=e.user_agent, kind=ibis.coalesce(e.endpoint, 0))
    made = uses.group_by(["unit", "account", "agent", "kind"]).agg(k=uses.count())
    people = made.group_by("agent").agg(accounts=made.account.nunique())
    usual = made.group_by(["agent", "kind"]).agg(with_it=made.account.nunique()).join(people, "agent")
    usual = usual.filter((usual.accounts >= 8) & (usual.with_it * 10 >= usual.accounts * 8)).select("agent", "kind")
    main = made.group_by(["unit", "agent"]).agg(n=made.k.sum())
    expected = main.join(usual, "agent")
    lacking = expected.anti_join(made.select("unit", "agent", "kind"), ["unit", "agent", "kind"])
    counted = lacking.group_by("unit").agg(value=lacking.kind.nunique().cast("float64"))
    size = main.group_by("unit").agg(n=main.n.sum())
    return size.left_join(counted, "unit").select("unit", value=ibis.coalesce(counted.value, 0.0), n="n")
