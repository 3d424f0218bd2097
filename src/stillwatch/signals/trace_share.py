"""SG102  Reasoning is asked for and collected unwatched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG102",
    title="Reasoning is asked for and collected unwatched",
    means=(
        "The prompts ask for step-by-step reasoning, the model returns it, and nobody streams it: traces are "
        "being stored."
    ),
    innocent=("a benchmark run on a reasoning model", "a regulated firm that keeps reasoning for audit"),
    misses=("traces taken from streamed answers", "models whose reasoning is not logged or counted"),
    unit="share of the exchanges with text, 0 to 1",
    family="content",
    needs=("elicits", "tokens_reasoning|reasoning_bytes|answer_shape"),
    sentence="{value:.0%} of {n:,} exchanges ask for reasoning and get it, unstreamed.",
    source="s1 (Muennighoff et al. 2025) and Open-R1: about a thousand traces suffice",
    enable="log usage details (reasoning tokens) and reasoning_content",
)
def trace_share(t: Tables) -> ir.Table:
    """Share of exchanges with text that ask for reasoning and get it.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges
    e = e.filter(e.traces.notnull())
    return e.group_by("unit").agg(value=e.traces.mean(), n=e.count())
