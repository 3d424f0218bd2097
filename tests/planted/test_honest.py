"""Honest worlds that nobody calibrated on: silence, and e-values that keep their promise at any moment."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from stillwatch.judge.calibrate import Collector
from stillwatch.judge.measures import NAMES
from stillwatch.judge.tally import counted, course
from stillwatch.maths import shares

SEEDS = range(50, 54)


@pytest.fixture(scope="module")
def outcomes(planted, judged):
    found = []
    for seed in SEEDS:
        world = planted.World(seed)
        planted.honest(world, people=1000)
        found.append(judged(world))
    return found


def test_no_honest_account_is_accused(outcomes):
    for outcome in outcomes:
        assert outcome.analysis.findings == []
        assert set(outcome.analysis.verdicts.values()) <= {"clear", "watch"}


def test_e_values_of_honest_accounts_keep_their_promise_at_the_end_and_at_their_worst_moment(outcomes, calibration):
    worst, last = [], []
    for outcome in outcomes:
        rows = outcome.analysis.rows
        for code in range(len(rows.accounts)):
            places = rows.of(code)
            seen = course(rows, places, counted(rows, places, np.zeros(len(places), np.int64)))
            e = calibration.contents(seen.k.astype(float), seen.n.astype(float), "account").sum(axis=1)
            worst.append(e.max())
            last.append(e[-1])
        # who was not looked at asked nothing, or once, which is not counted
        looked = set(rows.accounts.tolist())
        texts = np.array([u.texts for a, u in outcome.analysis.units.items() if a not in looked], float)
        quiet = calibration.contents(np.zeros((len(texts), len(NAMES))), texts, "account").sum(axis=1)
        worst += [1.0] * len(texts)
        last += quiet.tolist()
    assert np.mean(last) <= 1 + 4 * np.std(last) / np.sqrt(len(last))
    for threshold in (20, 100, 1000):  # Ville: P(sup e >= t) <= 1 / t
        rate = 1 / threshold
        assert np.mean(np.array(worst) >= threshold) <= rate + 4 * np.sqrt(rate * (1 - rate) / len(worst))


def test_a_martingale_stopped_at_its_best_moment_exceeds_a_threshold_no_oftener_than_promised():
    rng = np.random.default_rng(1)
    weights = np.full(len(shares.GRID), 1e-5)
    weights[:4] = (1 - weights[4:].sum()) / 4  # benign shares below 1.4 %
    low, high = shares.EDGES[:4], shares.EDGES[1:5]
    exceeded = {20: 0, 100: 0}
    for _ in range(3000):
        which = rng.integers(0, 4)
        hits = np.cumsum(rng.random(300) < rng.uniform(low[which], high[which]))
        e = shares.e_values(hits[::5], np.arange(1, 301)[::5], weights)
        for threshold in exceeded:
            exceeded[threshold] += e.max() >= threshold
    for threshold, times in exceeded.items():
        rate = 1 / threshold
        assert times / 3000 <= rate + 4 * np.sqrt(rate * (1 - rate) / 3000)


def test_order_names_and_language_change_nothing(planted, judged):
    world = planted.World(8)
    planted.honest(world, people=500)
    planted.campaign(world, accounts=40, per_day=10, cards=4)
    sketches, accounts = world.tables()
    plain = judged(world)
    rng = np.random.default_rng(3)
    order = rng.permutation(sketches.num_rows)
    key = np.uint64(0x5DEECE66D1234567)

    def renamed(table: pa.Table) -> pa.Table:
        names = pa.array(np.asarray(table.column("account")) ^ key)
        return table.set_column(table.schema.get_field_index("account"), table.schema.field("account"), names)

    mixed = renamed(sketches.take(pa.array(order)))
    for column in ("language", "script"):
        values = pa.array(rng.integers(0, 5, mixed.num_rows), pa.uint8())
        mixed = mixed.set_column(mixed.schema.get_field_index(column), mixed.schema.field(column), values)
    world.labels |= {int(np.uint64(a) ^ key): label for a, label in list(world.labels.items())}
    other = judged(world, mixed, renamed(accounts))
    assert {int(np.uint64(a) ^ key): v for a, v in plain.analysis.verdicts.items()} == other.analysis.verdicts
    assert [f.exchanges for f in plain.flags] == [f.exchanges for f in other.flags]


def test_a_calibration_counts_a_benign_unit_at_its_worst_moment(planted):
    # asks ten times in a row, then chats: the burst is what a watch would have met
    world = planted.World(4)
    who = world.account("person")
    world.send(who, world.moments(11, days=1), elicits=planted.MATERIAL)
    world.send(who, world.moments(400, days=5, start=2))
    from stillwatch.engine import Engine

    engine = Engine(threads=1)
    engine.load_table(*world.tables())
    collector = Collector()
    collector.add(engine)
    engine.close()
    weights = np.array(collector.finish(name="", date="", made_from="").shares["material"]["account"])
    assert weights[shares.GRID > 0.7].sum() > 0.4
