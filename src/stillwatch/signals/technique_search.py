"""SG114  Ever new wordings are tried, and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG114",
    title="Ever new wordings are tried, and refused",
    means=(
        "Many requests with different wordings are refused: somebody searches for the wrapper that gets through, or "
        "maps what the model will not say."
    ),
    innocent=("academic or hired red-teaming", "a moderation product that tests itself", "people who provoke"),
    misses=("a search that is not refused", "refusals in words that are not listed"),
    unit="different refused wordings for each exchange with an answer, 0 to 1",
    family="content",
    needs=("refused", "head_long"),
    sentence="{value:.0%} of {n:,} answered exchanges brought a new wording that was refused.",
    source="Anthropic, September 2026 (12,000 extraction techniques, one request each); DESIGN section 8, F5, F14",
    enable="log prompts and answers",
    least=20,
)
def technique_search(t: Tables) -> ir.Table:
    """Different wordings (first twelve words) that were refused, over all answered exchanges of the unit.

    Shapes  exchanges -> (unit, value, n)
    Units   value: wordings per exchange, 0 to 1; n: exchanges of which it is known whether they were refused
    """
    e = t.exchanges.filter(t.exchanges.refused.notnull() & t.exchanges.head_long.notnull())
    e = e.mutate(wording=e.refused.ifelse(e.head_long, None))
    return e.group_by("unit").agg(value=e.wording.nunique() / e.count(), n=e.count())
