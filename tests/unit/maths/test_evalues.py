"""E-values: their mean under the null, their combination, and the procedure that controls false discoveries."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

from stillwatch.maths import evalues

SEED = 20240214


def test_the_mean_of_an_e_value_made_from_p_values_is_at_most_one():
    # The integral of kappa p^(kappa - 1) over 0..1 is 1. At kappa = 1/2 the variance is infinite, so that no standard
    # error bounds a simulated mean; cut off at p = 1e-6 the integral is 1 - sqrt(1e-6) = 0.999.
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    e = np.array([evalues.from_p_value(max(rng.random(), 1e-6)) for _ in range(200_000)])
    assert e.mean() <= 1 + 4 * e.std() / math.sqrt(len(e))
    assert e.mean() >= 0.97


@pytest.mark.parametrize("p, kappa, want", [(1.0, 0.5, 0.5), (0.25, 0.5, 1.0), (0.01, 0.5, 5.0), (1e-4, 0.25, 250.0)])
def test_an_e_value_follows_the_formula(p, kappa, want):
    # 0.5 / sqrt(1), 0.5 / sqrt(0.25), 0.5 / sqrt(0.01), 0.25 x (1e-4)^-0.75 = 0.25 x 1000
    assert evalues.from_p_value(p, kappa) == pytest.approx(want)


@pytest.mark.parametrize("p, kappa", [(0.0, 0.5), (-0.1, 0.5), (1.1, 0.5), (math.nan, 0.5), (0.5, 0.0), (0.5, 1.0)])
def test_a_p_value_out_of_range_is_an_error(p, kappa):
    with pytest.raises(ValueError, match="must lie in"):
        evalues.from_p_value(p, kappa)


def test_the_average_of_dependent_e_values_has_a_mean_of_at_most_one():
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    u = rng.random(100_000)
    # both come from one coin: as dependent as can be. 1 / 0.3 with chance 0.3, 1 / 0.2 with chance 0.2
    both = [evalues.mean([(a < 0.3) / 0.3, (a < 0.2) / 0.2]) for a in u]
    assert np.mean(both) <= 1 + 4 * np.std(both) / math.sqrt(len(both))
    assert evalues.mean([]) == 1.0
    assert evalues.mean([2.0, 4.0]) == 3.0


def by_definition(values: tuple[float, ...], alpha: float) -> set[int]:
    """Wang and Ramdas 2022, definition 2: the k largest, k the most such that k of them are at least K / (k alpha)."""
    total = len(values)
    best = max((k for k in range(1, total + 1) if sum(v >= total / (k * alpha) for v in values) >= k), default=0)
    return {i for i in range(total) if best and sum(v > values[i] for v in values) < best}


def test_e_bh_rejects_what_the_definition_rejects():
    grid = [0.0, 1.0, 20.0, 40.0, 59.9, 60.0, 1e9]
    for values in itertools.product(grid, repeat=3):
        got = evalues.e_bh(values, 0.05)
        want = by_definition(values, 0.05)
        # ties at the edge of the rejected set may fall either way in the definition
        assert {i for i, r in enumerate(got) if r} <= want
        assert sum(got) == max((k for k in range(4) if k and sum(v >= 3 / (k * 0.05) for v in values) >= k), default=0)
        assert not any(r and not s and values[i] < values[j]
                       for i, r in enumerate(got) for j, s in enumerate(got))  # fmt: skip


def test_e_bh_on_four_hypotheses_by_hand():
    # 4 hypotheses, alpha 0.1: thresholds 40, 20, 13.3, 10. Sorted 50, 25, 12, 11: the 4th, 11, passes 10, so all do.
    assert evalues.e_bh([11, 50, 25, 12], 0.1) == [True] * 4
    # Sorted 50, 19, 12, 9: only the first passes its threshold.
    assert evalues.e_bh([9, 50, 19, 12], 0.1) == [False, True, False, False]
    assert evalues.e_bh([], 0.1) == []
    assert evalues.e_bh([math.inf, 1.0], 0.1) == [True, False]


def test_e_bh_keeps_the_false_discovery_rate():
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    false = []
    for _ in range(2000):
        # 18 nulls: 1 / q with chance q; 2 alternatives that are large
        nulls = np.where(rng.random(18) < 0.01, 100.0, 0.0)
        rejected = np.array(evalues.e_bh([*nulls, 500.0, 500.0], 0.1))
        false.append(rejected[:18].sum() / max(rejected.sum(), 1))
    assert np.mean(false) <= 0.1 + 4 * np.std(false) / math.sqrt(len(false))


def test_an_empirical_p_value_is_uniform_for_one_more_benign_unit():
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    p = np.array([evalues.empirical_p(x[0], np.sort(x[1:])) for x in rng.normal(size=(4000, 100))])
    for alpha in (0.01, 0.05, 0.2, 0.5, 0.9):
        slack = 4 * math.sqrt(alpha * (1 - alpha) / len(p))
        assert abs((p <= alpha + 1e-12).mean() - alpha) <= slack  # 100 units: alpha is a multiple of 1/100


def test_an_empirical_p_value_counts_ties_and_is_never_zero():
    benign = np.array([1.0, 2.0, 2.0, 5.0])
    assert evalues.empirical_p(2.0, benign) == pytest.approx(4 / 5)  # (1 + 3) / (1 + 4)
    assert evalues.empirical_p(9.0, benign) == pytest.approx(1 / 5)
    assert evalues.empirical_p(0.0, benign) == 1.0
    assert evalues.empirical_p(9.0, np.array([])) == 1.0


def test_a_posterior_is_bayes_rule():
    assert evalues.posterior(199.0, 0.005) == pytest.approx(0.5)  # odds 199 x 1/199
    assert evalues.posterior(0.0, 0.5) == 0.0
    assert evalues.posterior(math.inf, 0.005) == 1.0


@pytest.mark.parametrize("e, prior", [(math.nan, 0.1), (-1.0, 0.1), (1.0, 0.0), (1.0, 1.0)])
def test_a_posterior_of_nonsense_is_an_error_and_not_certainty(e, prior):
    with pytest.raises(ValueError, match="prior"):
        evalues.posterior(e, prior)
