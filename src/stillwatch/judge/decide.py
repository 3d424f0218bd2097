"""From evidence to a verdict: the rules of DESIGN section 5, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stillwatch.judge.evidence import Evidence
from stillwatch.maths import evalues

ALLOWED: Final = {  # contract flags, and the verdict that they answer for
    "synthetic_data": "distilling",
    "evaluation": "distilling",
    "research": "distilling",
    "reseller": "reseller",
    "aggregator": "reseller",
    "gateway": "reseller",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Thresholds. Part of every verdict's settings."""

    prior: float = 0.005  # share of accounts that take part in a campaign, before any evidence
    distilling: float = 0.9  # probability from which a unit is said to be distilling ...
    least_hits: int = 20  # ... given at least so many exchanges of training material
    watch: float = 0.2  # probability from which a person should look
    kinds_of_use: float = 4.0  # from which an account is taken for an aggregator


def probability(evidence: Evidence, rules: Rules) -> float:
    """Probability that the unit gathers training data, given the rules' prior."""
    return evalues.posterior(evidence.e_value, rules.prior)


def is_distilling(evidence: Evidence, rules: Rules) -> bool:
    """Enough hits, a high probability, and content plus at least one other family."""
    return (
        evidence.unit.hits >= rules.least_hits
        and probability(evidence, rules) >= rules.distilling
        and "content" in evidence.families
        and len(evidence.families) >= 2
    )


def is_watched(evidence: Evidence, rules: Rules) -> bool:
    """Worth a person's look: much training material without a second family, or too little of it yet."""
    return evidence.unit.hits >= 5 and probability(evidence, rules) >= rules.watch
