"""SG113  Token probabilities of whole texts are collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG113",
    title="Token probabilities of whole texts are collected",
    means="Log-probabilities are asked for with long answers: soft labels for a student, not how sure a class is.",
    innocent=("research on calibration or hallucination", "a product that marks doubtful words"),
    misses=("probabilities of single words", "gateways that do not log `logprobs`"),
    unit="share of the exchanges whose request parameters are logged, 0 to 1",
    family="content",
    needs=("logprobs",),
    sentence="{value:.0%} of {n:,} requests took token probabilities of a whole text.",
    source="Carlini et al. 2024, Stealing part of a production language model; DESIGN section 8, F18",
    enable="log request parameters (logprobs)",
    least=20,
)
def logprob_harvest(t: Tables) -> ir.Table:
    """Share of exchanges that take token probabilities of more than a label.

    Shapes  exchanges -> (unit, value, n)
    Units   value: share, 0 to 1; n: exchanges with known parameters
    """
    e = t.exchanges.filter(t.exchanges.logits.notnull())
    return e.group_by("unit").agg(value=e.logits.mean(), n=e.count())
