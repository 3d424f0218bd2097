"""Mixtures of shares: what `fit` finds, and what the e-value promises."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import comb

from stillwatch.maths import shares

SEED = 20240214
BENIGN = {
    "mostly none": (0.9, 0.05, 0.05),
    "some make data for themselves": (0.8, 0.1, 0.1),
}


def weights_like(low: float, middle: float, high: float) -> np.ndarray:
    """Benign weights: low shares (below 2 %), middle ones, and shares above 0.6."""
    grid = shares.GRID
    parts = [grid < 0.02, (grid >= 0.02) & (grid <= 0.6), grid > 0.6]
    return sum(w * p / p.sum() for w, p in zip((low, middle, high), parts, strict=True))  # type: ignore[return-value]


def chance_of(k: int, n: int, weights: np.ndarray) -> float:
    """Chance of k of n under a mixture of ranges, by numerical integration of the binomial."""
    total = 0.0
    for weight, low, high in zip(weights, shares.EDGES[:-1], shares.EDGES[1:], strict=True):
        area, _ = quad(lambda p: comb(n, k) * p**k * (1 - p) ** (n - k), low, high, epsabs=1e-14)
        total += weight * area / (high - low)
    return total


@pytest.mark.parametrize("name", BENIGN)
@pytest.mark.parametrize("n", [1, 3, 10, 40])
def test_the_benign_mean_of_the_e_value_is_one(n, name):
    weights = weights_like(*BENIGN[name])
    chances = [chance_of(k, n, weights) for k in range(n + 1)]
    assert sum(chances) == pytest.approx(1, abs=1e-9)
    mean = sum(c * shares.e_value(k, n, weights) for k, c in enumerate(chances))
    assert mean == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", BENIGN)
@pytest.mark.parametrize("n", [1, 7, 100, 5000])
def test_the_e_value_never_falls_with_more_hits_whole_or_not(n, name):
    weights = weights_like(*BENIGN[name])
    e = [shares.e_value(k, n, weights) for k in np.linspace(0, n, 401)]
    assert all(b >= a * (1 - 1e-9) for a, b in pairwise(e))
    assert e[0] < 1 < e[-1]


def test_a_benign_unit_of_very_many_exchanges_is_not_improbable():
    # Shares between those that other units have: with a mixture of points these came out at 10^57 and more.
    weights = weights_like(*BENIGN["mostly none"])
    for share in (0.0005, 0.002, 0.01, 0.03):
        assert shares.e_value(share * 1_000_000, 1_000_000, weights) < 1


def test_an_e_value_is_finite_for_extreme_counts():
    weights = weights_like(*BENIGN["mostly none"])
    for n in (1, 10**6, 10**9):
        for k in (0, n / 2, n):
            assert math.isfinite(shares.e_value(k, n, weights))


def test_no_exchanges_say_nothing():
    assert shares.e_value(0, 0, weights_like(0.9, 0.05, 0.05)) == 1.0


def test_the_more_benign_units_do_it_the_less_it_says():
    rare, common = weights_like(0.98, 0.01, 0.01), weights_like(0.8, 0.1, 0.1)
    # most of Beta(4, 1) lies in the high shares: about 1 / weight there
    assert 50 < shares.e_value(90, 100, rare) < 110
    assert 5 < shares.e_value(90, 100, common) < 11


def test_fit_finds_a_planted_mixture_again():
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    n = rng.integers(200, 2000, 3000)
    share = rng.choice([0.02, 0.25, 0.85], size=3000, p=[0.7, 0.2, 0.1])
    weights = shares.fit(rng.binomial(n, share), n)
    assert weights.sum() == pytest.approx(1)

    def near(p: float) -> float:
        """Weight of the range that holds p and, as neighbours lend weight, of those beside it."""
        at = int(np.searchsorted(shares.EDGES, p)) - 1
        return float(weights[max(at - 1, 0) : at + 2].sum())

    for p, planted in ((0.02, 0.7), (0.25, 0.2), (0.85, 0.1)):
        assert near(p) == pytest.approx(planted, abs=4 * math.sqrt(planted * (1 - planted) / 3000) + 0.01)


def test_fit_leaves_room_for_what_was_never_seen():
    k, n = np.zeros(99), np.full(99, 50)
    weights = shares.fit(k, n)
    assert weights.min() >= 1 / 100 / len(shares.GRID)
    assert weights.sum() == pytest.approx(1)


def test_fit_takes_units_of_any_size_and_none_at_all():
    assert shares.fit(np.array([]), np.array([])) == pytest.approx(np.full(len(shares.GRID), 1 / len(shares.GRID)))
    huge = shares.fit(np.array([30_000.0, 0.5]), np.array([1_000_000.0, 1.0]))
    assert np.isfinite(huge).all() and huge.sum() == pytest.approx(1)


def test_the_order_of_units_does_not_matter_to_fit():
    k, n = np.array([0, 3, 40, 9]), np.array([50, 60, 41, 1000])
    assert shares.fit(k, n) == pytest.approx(shares.fit(k[::-1], n[::-1]))
