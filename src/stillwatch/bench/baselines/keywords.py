"""Keyword rules as gateways ship them: volume, repeated beginnings, reasoning words, addresses, added up.

Source: the distillation module of AegisGate (September 2026, Apache-2.0), the only gateway known to ship one, as
described by its rules and limits: more than 100 prompts in an hour; one beginning of 50 characters in more than 0.3
of the prompts; reasoning words in more than 0.6; more than 5 addresses. Each rule that fires adds to the confidence.
Word lists of guardrails for reasoning extraction are alike everywhere; ours is written here, from those words that
vendors quote in public.

Adapted: rules add equal parts, and each rule's part grows with the measure beyond its limit, so that accounts can be
ranked.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from stillwatch.bench.baselines.rate_limit import RateLimit
from stillwatch.bench.baselines.traffic import Traffic

REASONING = re.compile(
    r"step[ -]by[ -]step|chain[ -]of[ -]thought|show your (?:work|reasoning)|explain your reasoning|think(?:ing)? aloud"
    r"|internal reasoning|let'?s think|<think|reasoning (?:trace|process|steps)|before (?:you )?answer",
    re.IGNORECASE,
)
LIMITS = (100.0, 0.3, 0.6, 5.0)
LEAST = 10


class Keywords:
    """Sum of the rules of a shipped gateway module."""

    name = "keyword rules"
    source = "AegisGate, September 2026"
    embeds = False

    def fit(self, benign: Traffic) -> None:
        """Nothing to learn: the limits are the product's."""

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        out = traffic.nothing()
        busiest = RateLimit().scores(traffic)
        for i, rows in traffic.rows():
            prompts = [p for p in traffic.prompts[rows.start : rows.stop] if p]
            if len(prompts) >= LEAST:
                alike = Counter(p[:50] for p in prompts).most_common(1)[0][1] / len(prompts)
                words = sum(bool(REASONING.search(p)) for p in prompts) / len(prompts)
                addresses = len(np.unique(traffic.labels["ip"][rows]))
                values = (busiest[i], alike, words, float(addresses))
                out[i] = sum((v > limit) + min(v / limit, 10) / 100 for v, limit in zip(values, LIMITS, strict=True))
        return out
