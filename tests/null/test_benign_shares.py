"""How often do we cry wolf? Benign populations: learnt from one half, tested on the other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stillwatch.maths import evalues, shares

SEED = 20240214
# Benign shares of training material: Beta(a, b) for each kind of customer, and how many are of that kind.
POPULATIONS = {
    "chat": [(0.3, 30.0, 1.0)],
    "chat and products": [(0.2, 40.0, 0.8), (2.0, 20.0, 0.2)],
    "some make data for themselves": [(0.2, 40.0, 0.9), (2.0, 20.0, 0.06), (8.0, 2.0, 0.04)],
    "all alike": [(3.0, 3.0, 1.0)],
}


def benign(kinds, units: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hits and exchanges of benign units; sizes run from a few to tens of thousands."""
    a, b, part = np.array(kinds).T
    kind = rng.choice(len(part), size=units, p=part)
    n = np.ceil(np.exp(rng.uniform(math.log(5), math.log(50_000), units))).astype(int)
    return rng.binomial(n, rng.beta(a[kind], b[kind])), n


@pytest.mark.parametrize("name", POPULATIONS)
def test_the_mean_e_value_of_unseen_benign_units_is_at_most_one(name):
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    k, n = benign(POPULATIONS[name], 4000, rng)
    weights = shares.fit(k[:2000], n[:2000], rounds=200)
    e = np.array([shares.e_value(x, y, weights) for x, y in zip(k[2000:], n[2000:], strict=True)])
    # learning from 2000 units errs like testing on 2000 does: both are in the slack
    assert e.mean() <= 1 + 4 * math.sqrt(2) * e.std() / math.sqrt(len(e))
    for threshold in (20, 100, 1000):  # Markov: P(e >= t) <= 1 / t
        rate = 1 / threshold
        assert (e >= threshold).mean() <= rate + 4 * math.sqrt(rate * (1 - rate) / len(e))


@pytest.mark.parametrize("name", POPULATIONS)
def test_discounting_hits_keeps_the_promise(name):
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED + 1)
    k, n = benign(POPULATIONS[name], 2000, rng)
    weights = shares.fit(k[:1000], n[:1000], rounds=200)
    for x, y, back in zip(k[1000:], n[1000:], rng.random(1000), strict=True):
        assert shares.e_value(x * (1 - back), y, weights) <= shares.e_value(x, y, weights) * (1 + 1e-9)


def test_e_values_from_ranks_among_benign_units_have_a_mean_of_at_most_one():
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    e = []
    for _ in range(400):
        values = np.round(rng.exponential(size=210), 1)  # rounded: ties are common, as shares of few exchanges are
        reference = np.sort(values[:200])
        e += [evalues.from_p_value(evalues.empirical_p(v, reference)) for v in values[200:]]
    assert np.mean(e) <= 1 + 4 * np.std(e) / math.sqrt(len(e))


def test_a_planted_campaign_stands_out_where_benign_units_rarely_do_it():
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    k, n = benign(POPULATIONS["chat"], 2000, rng)
    weights = shares.fit(k, n, rounds=200)
    e = [shares.e_value(rng.binomial(200, 0.9), 200, weights) for _ in range(50)]
    assert min(e) > 500  # about the number of benign units that never did
