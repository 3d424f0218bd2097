"""SG101  Prompts ask for training material."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG101",
    title="Prompts ask for training material",
    means=(
        "The prompts ask the model to write tasks, prompts, question-answer pairs, rationales for given "
        "answers or cleaned transcripts: what a training set is made of."
    ),
    innocent=(
        "a customer who makes data for a model of its own, with permission",
        "a teacher who writes exam questions",
        "a retrieval vendor who writes test questions from documents",
    ),
    misses=("bare questions whose answers are collected", "wrappers in a language without cues"),
    unit="share of the exchanges with text, 0 to 1",
    family="content",
    needs=("elicits",),
    sentence="{value:.0%} of {n:,} prompts ask the model to write training material.",
    source="Anthropic, February 2026 and September 2026; docs/explanation/elicitation.md",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
    atlas=("AML.T0024.002", "AML.T0065"),
)
def material_share(t: Tables) -> ir.Table:
    """Share of exchanges with text that ask for training material.

    Shapes  exchanges -> (unit, value, n); units without text are left out
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges
    e = e.filter(e.material.notnull())
    return e.group_by("unit").agg(value=e.material.mean(), n=e.count())
