"""SG107  Several samples of each answer are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.lazy import ibis
from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG107",
    title="Several samples of each answer are kept",
    means=(
        "The same prompt is answered several times at a temperature above zero, by n > 1 or by sending it "
        "again, or token probabilities are asked for: what rejection sampling and logit distillation need."
    ),
    innocent=("self-consistency in a product", "evaluation with several epochs", "a user who presses retry"),
    misses=("one sample for each prompt",),
    unit="share of the exchanges, 0 to 1",
    family="content",
    needs=("n|choices|logprobs|prompt",),
    sentence="{value:.0%} of {n:,} exchanges take another sample of the same answer, or token probabilities.",
    source="Open-R1 (four generations per problem); Carlini et al. 2024, Stealing part of a production language model",
    enable="log request parameters (n, temperature, logprobs)",
    atlas=("AML.T0024.002",),
)
def repeated_sampling(t: Tables) -> ir.Table:
    """Share of exchanges that take several samples or token probabilities.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges
    """
    e = t.exchanges
    again = ibis.window(group_by=["unit", "prompt"], order_by=["at", "exchange_id"])
    e = e.select(
        "unit",
        many=(e.n.fill_null(1) > 1) | (e.choices.fill_null(1) > 1) | (e.logprobs.fill_null(0) > 0),
        warm=e.temperature.fill_null(1.0) > 0,
        known=e.prompt.notnull(),
        single=e.turns.fill_null(1) == 1,
        earlier=ibis.row_number().over(again),
    )
    sampled = e.many | (e.known & e.warm & e.single & (e.earlier > 0))
    return e.group_by("unit").agg(value=sampled.cast("float64").mean(), n=e.count())
