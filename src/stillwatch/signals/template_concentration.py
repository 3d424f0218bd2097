"""SG103  One template fills most prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG103",
    title="One template fills most prompts",
    means=(
        "Most prompts are fillings of one template: the same system prompt and the same opening words, numbers aside."
    ),
    innocent=(
        "bulk classification or extraction",
        "regression tests of a product prompt",
        "a product with one fixed prompt",
    ),
    misses=("templates paraphrased for each request", "templates that begin with the filling"),
    unit="share of the exchanges with text, 0 to 1",
    family="content",
    needs=("head",),
    sentence="{value:.0%} of {n:,} prompts are fillings of one template.",
    source="Anthropic, February 2026: variations of one prompt, tens of thousands of times",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
    atlas=("AML.T0065", "AML.T0024.002"),
)
def template_concentration(t: Tables) -> ir.Table:
    """Share of a unit's prompts that fall to its commonest template.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges.filter(t.exchanges["head"].notnull())
    per = e.group_by(["unit", "system_head", "head"]).agg(k=e.count())
    return per.group_by("unit").agg(value=per.k.max() / per.k.sum(), n=per.k.sum())
