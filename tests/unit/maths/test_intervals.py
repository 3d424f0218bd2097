"""Intervals against published tables and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stillwatch.maths.intervals import bootstrap, clopper_pearson, poisson


def test_clopper_pearson_without_a_hit_is_the_rule_of_three():
    # 0 of n: 1 - 0.025 ** (1 / n); for 1,000 about 0.0037
    low, high = clopper_pearson(0, 1000)
    assert low == 0 and high == pytest.approx(1 - 0.025 ** (1 / 1000))


def test_clopper_pearson_agrees_with_the_textbook():
    # 5 of 10 at 95 %: 0.1871 to 0.8129 (Brown, Cai and DasGupta 2001)
    assert clopper_pearson(5, 10) == pytest.approx((0.1871, 0.8129), abs=1e-4)


def test_nothing_tried_says_nothing():
    assert clopper_pearson(0, 0) == (0, 1)


def test_poisson_agrees_with_garwood():
    # 3 events: 0.6187 to 8.7673
    assert poisson(3, 1.0) == pytest.approx((0.6187, 8.7673), abs=1e-4)
    assert poisson(3, 2.0) == pytest.approx((0.6187 / 2, 8.7673 / 2), abs=1e-4)


def test_clopper_pearson_covers_as_often_as_it_says():
    rng = np.random.default_rng(20260101)
    covered = [low <= 0.07 <= high for low, high in (clopper_pearson(int(k), 60) for k in rng.binomial(60, 0.07, 2000))]
    assert np.mean(covered) >= 0.94


def test_bootstrap_draws_whole_clusters():
    # Two clusters, all right or all wrong: the share can only be 0, a half or 1.
    low, high = bootstrap([1.0, 0.0], lambda parts: sum(parts) / len(parts))
    assert (low, high) == (0, 1)


def test_bootstrap_of_one_cluster_says_nothing():
    assert all(math.isnan(x) for x in bootstrap([1.0], lambda parts: parts[0]))


def test_bootstrap_bears_values_that_never_came():
    low, high = bootstrap([1.0, 2.0, math.inf], lambda v: float(np.median(v)))
    assert low == 1.0 and math.isinf(high)


@pytest.mark.parametrize("hits, trials", [(-1, 3), (4, 3)])
def test_impossible_shares_are_refused(hits, trials):
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(hits, trials)
