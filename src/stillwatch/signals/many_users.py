"""SG302  Many people in one account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG302",
    title="Many people in one account",
    means=(
        "Several system prompts, parameter sets and programs, or several end users, run side by side in one "
        "account: it serves others."
    ),
    innocent=("an application", "a company gateway", "a permitted reseller"),
    misses=("a reseller of one product that names no end users",),
    unit="kinds of use, or end users, that run side by side; those below three per cent count in part",
    family="identity",
    needs=("system_head|params|client|user_agent|app|end_user",),
    sentence="About {value:.0f} kinds of use, or end users, run side by side in the account ({n:,} exchanges).",
    source="ChinaTalk on carved-up plans; OpenRouter documentation on aggregated identity",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
    least=40,
)
def many_users(t: Tables) -> ir.Table:
    """Number of kinds of use, or of end users if there are more of them, that run side by side in a unit.

    A kind of use is a system prompt, a set of parameters, a program and an application together. Each with three
    exchanges or more counts as its share of the unit's exchanges over three per cent, at most 1: a hundred equal ones
    count as 33. Script and language are left out on purpose: who writes in two is not two.

    Shapes  exchanges -> (unit, value, n)
    Units   value: kinds, 0 to 33.3; n: exchanges
    """
    e = t.exchanges
    program = ibis.coalesce(e.client, e.user_agent)
    e = e.select("unit", "system_head", "params", "app", "end_user", program=program)
    kinds = _side_by_side(e, ["system_head", "params", "program", "app"])
    users = _side_by_side(e.filter(e.end_user.notnull()), ["end_user"])
    size = e.group_by("unit").agg(n=e.count())
    both = size.left_join(ibis.union(kinds, users), "unit")
    share = ibis.ifelse(both.k * 100 >= both.n * 3, 1.0, both.k / (both.n * 0.03))
    parts = both.select("unit", "n", "what", share=ibis.ifelse(both.k.isnull(), 0.0, share))
    per = parts.group_by(["unit", "n", "what"]).agg(value=parts.share.sum())
    return per.group_by("unit").agg(value=per.value.max(), n=per.n.max())


def _side_by_side(e: ir.Table, by: list[str]) -> ir.Table:
    """Exchanges of each combination with three or more of them, (unit, what, k)."""
    per = e.group_by(["unit", *by]).agg(k=e.count())
    return per.filter(per.k >= 3).select("unit", "k", what=ibis.literal(by[0]))
