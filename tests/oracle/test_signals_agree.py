"""The SQL of every unit signal agrees with plain Python on exchanges that nobody chose."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillwatch.signals.registry import ALL

UNIT = sorted(s.id for s in ALL.values() if s.shape == "unit")
FEW = settings(
    max_examples=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def test_a_unit_signal_without_an_oracle_is_experimental(oracles):
    assert set(oracles.ORACLES) <= set(UNIT)
    assert all(ALL[s].status == "experimental" for s in set(UNIT) - set(oracles.ORACLES))


@pytest.mark.parametrize("signal", UNIT)
@FEW
@given(data=st.data())
def test_sql_agrees_with_plain_python(signal, data, engine, loader, oracles, traffic):
    if signal not in oracles.ORACLES:
        pytest.skip("experimental, no oracle yet")
    rows, accounts, sets = data.draw(traffic.traffic(signal))
    found = loader.measure(signal, rows, accounts, sets, engine)
    created = {a["account"]: a["created_s"] * 1_000_000 for a in accounts if a["created_s"] is not None}
    units = {"+".join(s): s for s in sets} if sets else {a: [a] for a in {r["account"] for r in rows}}
    inside = {a for s in units.values() for a in s}
    world = oracles.World([r for r in rows if r["account"] in inside], created)
    want = {}
    for name, members in units.items():
        own = [r for r in rows if r["account"] in members]
        answer = oracles.ORACLES[signal](own, world) if own else None
        if answer is not None:
            want[name] = answer
    assert set(found) == set(want)
    for name, (value, n) in want.items():
        assert found[name].value == pytest.approx(value, rel=1e-9, abs=1e-9), name
        assert found[name].n == n, name
