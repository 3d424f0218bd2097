"""What strength is worth beside benign accounts."""

from __future__ import annotations

import pytest

from stillwatch.judge.calibration import Calibration
from stillwatch.judge.measures import MEASURES


def made(judged: int = 9_999, **strongest: tuple[float, ...]) -> Calibration:
    return Calibration(
        name="t", date="", made_from="", units=judged, streams=0, sets=0, shares={}, values={}, weights={},
        strongest={k.replace("_", " "): v for k, v in strongest.items()}, judged=judged,
    )  # fmt: skip


def test_without_benign_accounts_strength_stands_as_it_is():
    assert made(0).beyond(321.0, "account", "material") == 321.0


def test_it_never_falls_as_strength_rises():
    calibration = made(account=(200.0, 90.0, 90.0, 12.0))
    seen = [
        calibration.beyond(s, "account", "material") for s in (0.0, 1.0, 3.0, 11.9, 12.0, 50.0, 90.0, 200.0, 201.0, 1e6)
    ]
    assert seen == sorted(seen)


def test_as_strong_as_the_strongest_of_ten_thousand_does_not_convict_and_a_few_times_as_strong_does():
    calibration = made(account=(200.0, 90.0))
    assert calibration.beyond(200.0, "account", "material") < 300
    assert calibration.beyond(2_000.0, "account", "material") > 1_000


def test_a_benign_account_reaches_an_e_value_as_rarely_as_promised():
    top = tuple(float(s) for s in range(1_000, 950, -1))
    calibration = made(account=top)
    listed = [calibration.beyond(s, "account", "material") for s in top]
    for alpha in (0.0005, 0.001, 0.002, 0.004, 0.005):
        assert sum(e >= 1 / alpha for e in listed) / 10_000 <= alpha


def test_sets_are_compared_with_sets_that_the_same_measure_leads_at_the_price_of_its_weight():
    calibration = made(set_thought=(500.0,))
    assert calibration.beyond(600.0, "set", "material") > calibration.beyond(600.0, "set", "thought")
    alone = made(account=(500.0,)).beyond(600.0, "account", "thought")
    assert calibration.beyond(600.0, "set", "thought") == pytest.approx(MEASURES["thought"].weight * alone)


def test_a_cohort_must_be_stronger_than_sets_too():
    assert made(set_material=(500.0,)).beyond(600.0, "cohort", "material") < made().beyond(600.0, "cohort", "material")
