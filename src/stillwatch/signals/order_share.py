"""SG117  Prompts read like orders of training data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir

ORDERED: Final = 153  # of 255: six tenths, where one in twelve honest prompts of themes never seen reads so


@signal(
    id="SG117",
    title="Prompts read like orders of training data",
    means=(
        "A trained model of words and pairs of words takes most prompts for orders of training data, whether or not "
        "a known phrase occurs in them."
    ),
    innocent=(
        "evaluation of one's own product with scored self-criticism",
        "a teacher or a quiz maker who writes by program",
        "long role descriptions of assistants",
    ),
    misses=("bare questions whose answers are collected", "wordings with none of the words of the trade"),
    unit="share of the exchanges with text, 0 to 1",
    family="content",
    needs=("intent",),
    sentence="{value:.0%} of {n:,} prompts read like orders of training data.",
    source="docs/decisions/0016-a-trained-reading-of-prompts.md",
    enable="log prompts",
    least=10,
    atlas=("AML.T0024.002", "AML.T0065"),
)
def order_share(t: Tables) -> ir.Table:
    """Share of exchanges with text whose prompt reads like an order of training data.

    Shapes  exchanges -> (unit, value, n); units without text are left out
    Units   value: share, 0 to 1; n: exchanges with text
    """
    e = t.exchanges
    e = e.filter(e.intent.notnull())
    return e.group_by("unit").agg(value=(e.intent >= ORDERED).cast("float64").mean(), n=e.count())
