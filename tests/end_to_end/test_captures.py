"""Real client programs behind a real gateway: harvests are found, honest work is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillwatch.bench import captures as bench
from stillwatch.config import Settings

NOW_US = 1_800_000_000_000_000  # 2027: after every capture


@pytest.mark.shared
def test_harvests_are_found_and_honest_captures_carry_no_campaign(captures: Path, tmp_path: Path) -> None:
    table = bench.run(captures, Settings(store=tmp_path / "store", now_us=NOW_US))
    counts = table.counts()
    wrong = [(c.label, c.name, c.verdict) for c in table.captures if not c.right]
    # floors: docs/results/captures.md
    assert counts["harvests_found"] >= 10, wrong
    assert counts["honest_left_alone"] == counts["honest"], wrong
