"""SG104  New prompts keep coming, none comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG104",
    title="New prompts keep coming, none comes back",
    means="Late in the period nearly every prompt is new: a corpus is worked through once.",
    innocent=("bulk work on documents", "people who chat"),
    misses=("several samples for each prompt", "replays of a finished list"),
    unit="share of the later half whose prompt was not seen before, 0 to 1",
    family="content",
    needs=("prompt",),
    sentence="{value:.0%} of the later prompts were never asked before ({n:,} exchanges).",
    source="Juuti et al. 2019, PRADA (coverage as the mark of extraction); Anthropic February 2026",
    enable=(
        "log prompts (LiteLLM: leave `turn_off_message_logging` off; OTel: "
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT)"
    ),
    least=20,
)
def coverage_growth(t: Tables) -> ir.Table:
    """Share of the later half of a unit's exchanges whose prompt is new to it.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges.filter(t.exchanges.prompt.notnull())
    by_time = ibis.window(group_by="unit", order_by=["at", "exchange_id"])
    same = ibis.window(group_by=["unit", "prompt"], order_by=["at", "exchange_id"])
    e = e.select("unit", place=ibis.row_number().over(by_time), again=ibis.row_number().over(same))
    size = e.group_by("unit").agg(n=e.count())
    e = e.join(size, "unit")
    late = e.filter(e.place * 2 >= e.n)
    return late.group_by("unit").agg(value=(late.again == 0).cast("float64").mean(), n=late.n.max())
