"""What must not change a reading: the order of rows, the names of accounts, strangers, language and script."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillwatch.signals.registry import ALL

UNIT = sorted(s.id for s in ALL.values() if s.shape == "unit")
FEW = settings(
    max_examples=8, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
# What is usual for a client depends on everybody who uses it.
POPULATION = {"SG405"}


def same(one, other):
    assert set(one) == set(other)
    for unit, reading in one.items():
        assert other[unit].value == pytest.approx(reading.value, rel=1e-9, abs=1e-9)
        assert other[unit].n == reading.n


def renamed(name: str) -> str:
    return "".join(chr(ord(c) + 13) if c.isalpha() else c for c in name)


@pytest.mark.parametrize("signal", sorted(ALL))
@FEW
@given(data=st.data())
def test_neither_row_order_nor_names_nor_language_matter(signal, data, engine, loader, traffic):
    rows, accounts, sets = data.draw(traffic.traffic(signal))
    if ALL[signal].shape == "pair":
        sets = []
    before = loader.measure(signal, rows, accounts, sets, engine)
    changed = [
        {**r, "account": renamed(r["account"]), "language": i % 30 or None, "script": 3 * i % 11}
        for i, r in enumerate(data.draw(st.permutations(rows)))
    ]
    known = [{**a, "account": renamed(a["account"])} for a in accounts]
    after = loader.measure(signal, changed, known, [[renamed(a) for a in s] for s in sets], engine)
    same({renamed(unit): reading for unit, reading in before.items()}, after)


@pytest.mark.parametrize("signal", [s for s in UNIT if s not in POPULATION])
@FEW
@given(data=st.data())
def test_a_stranger_does_not_change_the_reading_of_others(signal, data, engine, loader, traffic):
    rows, accounts, sets = data.draw(traffic.traffic(signal))
    theirs, _, _ = data.draw(traffic.traffic(signal))
    strangers = [{**r, "account": "stranger", "exchange_id": "y" + r["exchange_id"]} for r in theirs]
    before = loader.measure(signal, rows, accounts, sets, engine)
    after = loader.measure(signal, rows + strangers, accounts, sets, engine)
    same(before, {unit: reading for unit, reading in after.items() if unit != "stranger"})
