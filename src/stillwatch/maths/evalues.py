"""E-values: evidence whose mean is at most 1 when there is nothing to find."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def from_p_value(p: float, kappa: float = 0.5) -> float:
    """The e-value kappa * p**(kappa - 1) of a p-value.

    Args:
        p: p-value, 0 < p <= 1.
        kappa: 0..1; one half serves moderate and strong evidence alike, a fifth is made for strong evidence.
    Raises:
        ValueError: p or kappa out of range.
    Source: Vovk and Wang 2021, "E-values: calibration, combination and applications", equation 1.
    """
    if not 0 < p <= 1 or not 0 < kappa < 1:
        raise ValueError(f"p = {p} must lie in (0, 1] and kappa = {kappa} in (0, 1)")
    return kappa * p ** (kappa - 1)


def mean(values: Sequence[float]) -> float:
    """The average of e-values: an e-value however they depend on each other (Vovk and Wang 2021, theorem 3.2)."""
    return sum(values) / len(values) if values else 1.0


def empirical_p(value: float, benign: np.ndarray) -> float:
    """Chance of `value` or more among benign ones: (1 + at least as large) / (1 + all), never 0.

    `benign` is sorted, (units,). Valid for exchangeable units; its floor is 1 / (1 + units).
    """
    return float((len(benign) - np.searchsorted(benign, value, side="left") + 1) / (len(benign) + 1))


def e_bh(values: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses the e-BH procedure rejects at false discovery rate alpha, whatever their dependence.

    Args:
        values: e-values, one for each hypothesis, 0 or more.
        alpha: false discovery rate, 0 < alpha < 1.
    Returns:
        True for the hypotheses with the k largest values, k the most with: k-th largest >= hypotheses / (k alpha).
    Source: Wang and Ramdas 2022, "False discovery rate control with e-values", definition 2.
    """
    order = sorted(range(len(values)), key=lambda i: -values[i])
    rejected = 0
    for rank, i in enumerate(order, start=1):
        if values[i] * rank * alpha >= len(values):
            rejected = rank
    chosen = set(order[:rejected])
    return [i in chosen for i in range(len(values))]


def posterior(e_value: float, prior: float) -> float:
    """Probability that follows from an e-value used as a Bayes factor and a prior probability.

    Args:
        e_value: 0 or more; may be infinite.
        prior: probability before the evidence, 0 < prior < 1.
    Raises:
        ValueError: e_value is negative or not a number, or prior out of range.
    """
    if not e_value >= 0 or not 0 < prior < 1:
        raise ValueError(f"e_value = {e_value} must be 0 or more and prior = {prior} must lie in (0, 1)")
    odds = e_value * prior / (1 - prior)
    return odds / (1 + odds) if math.isfinite(odds) else 1.0
