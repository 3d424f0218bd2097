"""SG106  Prompts are disguised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG106",
    title="Prompts are disguised",
    means=(
        "Prompts carry zero-width characters, letters of another alphabet, base64, rot13 or leetspeak around "
        "readable text."
    ),
    innocent=("security research", "pasted text with odd characters", "files sent as base64"),
    misses=("translation", "paraphrase"),
    unit="share of the exchanges with text, 0 to 1",
    family="content",
    needs=("obfuscation",),
    sentence="{value:.1%} of {n:,} prompts are disguised.",
    source="DESIGN section 8, obfuscations",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
)
def disguised_text(t: Tables) -> ir.Table:
    """Share of exchanges whose prompt had to be undisguised.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges.filter(t.exchanges.obfuscation.notnull())
    return e.group_by("unit").agg(value=(e.obfuscation != 0).cast("float64").mean(), n=e.count())
