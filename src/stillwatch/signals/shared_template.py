"""SG110  The same rare template asks for training material."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG110",
    title="The same rare template asks for training material",
    means="Two accounts fill one and the same template that asks for training material.",
    innocent=("a published prompt that many use", "a course assignment"),
    misses=("paraphrased templates",),
    unit="templates shared",
    family="content",
    needs=("head", "elicits"),
    bits=9.0,
    sentence="Both fill {value:.0f} rare templates that ask for training material.",
    source="Anthropic February 2026; popularity discount after Fellegi and Sunter 1969",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
    atlas=("AML.T0065",),
    weighed_by="popularity",
    shape="pair",
)
def shared_template(t: Tables) -> ir.Table:
    """Templates that ask for training material, or for reasoning that is collected, and that two accounts fill.

    Shapes  exchanges -> (a, b, value, n), a < b; templates of very many accounts (`POPULAR`) are left out
    Units   value: templates; n: accounts on the rarest of them
    """
    return t.sharing("template")
