"""SG105  The model is used as a judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG105",
    title="The model is used as a judge",
    means=(
        "The prompts hand over candidate answers to be rated or compared: a reward model, or a filter for a "
        "training set."
    ),
    innocent=("an evaluation vendor", "moderation and essay grading"),
    misses=("rubrics hidden in a tool schema",),
    unit="share of the exchanges with text, 0 to 1",
    family="content",
    needs=("elicits",),
    sentence="{value:.0%} of {n:,} prompts ask for a rating or a preference.",
    source="Anthropic February 2026 (rubric grading); September 2026 (judging, scoring, filtering)",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
)
def judging_share(t: Tables) -> ir.Table:
    """Share of exchanges with text that ask for a rating or a preference.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges
    e = e.filter(e.judges.notnull())
    return e.group_by("unit").agg(value=e.judges.mean(), n=e.count())
