"""SG108  The same prompts come back another time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG108",
    title="The same prompts come back another time",
    means=(
        "Prompts return after an hour or more. It speaks for a test suite, a monitor or a product, and "
        "against a harvest."
    ),
    innocent=("evaluation harnesses", "monitors", "canned product prompts"),
    misses=("harvests repeated against a new model",),
    unit="share of the exchanges, 0 to 1",
    family="content",
    needs=("prompt",),
    sentence="{value:.0%} of {n:,} prompts had been asked an hour or more before.",
    source="DESIGN section 8: nightly evaluation harness, drift monitor",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
    least=20,
)
def revisits(t: Tables) -> ir.Table:
    """Share of exchanges whose prompt the unit first sent an hour or more before.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges.filter(t.exchanges.prompt.notnull())
    first = e.at.min().over(ibis.window(group_by=["unit", "prompt"]))
    e = e.select("unit", back=(e.at - first >= 3_600_000_000).cast("float64"))
    return e.group_by("unit").agg(value=e.back.mean(), n=e.count())
