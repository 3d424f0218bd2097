"""The SQL of pair signals agrees with plain Python on exchanges that nobody chose."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillwatch.signals.registry import ALL

PAIR = sorted(s.id for s in ALL.values() if s.shape == "pair")
FEW = settings(
    max_examples=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.mark.parametrize("signal", PAIR)
@FEW
@given(data=st.data())
def test_sql_agrees_with_plain_python(signal, data, engine, loader, pair_oracles, traffic):
    if signal not in pair_oracles.ORACLES:
        pytest.skip("no oracle")
    rows, accounts, _ = data.draw(traffic.traffic(signal))
    found = loader.measure(signal, rows, accounts, (), engine)
    want = {f"{a}-{b}": answer for (a, b), answer in pair_oracles.ORACLES[signal](rows, accounts).items()}
    assert set(found) == set(want)
    for pair, (value, n) in want.items():
        assert found[pair].value == pytest.approx(value, rel=1e-9), pair
        assert found[pair].n == n, pair
