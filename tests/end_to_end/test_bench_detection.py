"""The whole benchmark on two small sets: generated, calibrated, scanned in every form, compared, reported, resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stillwatch.bench.detection import report, table
from stillwatch.bench.detection.plan import Plan, Set
from stillwatch.bench.detection.run import run
from stillwatch.bench.detection.scans import ABLATIONS, WHOLE
from stillwatch.config import Settings

NOW_US = 1_800_000_000_000_000  # 2027: after every generated exchange


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_benchmark_runs_from_scenario_to_page_and_goes_on_from_what_is_kept(tmp_path: Path) -> None:
    plan = Plan(
        work=tmp_path / "work", exchanges=4000, ablated=1, embedded=0, adaptive=1, keep=True,
        test=(Set(name="one", scenario="small", seed=1),),
        benign=(Set(name="quiet", scenario="small", seed=101, side="tune"),),
    )  # fmt: skip
    settings = Settings(now_us=NOW_US, workers=2)
    measured = run(plan, settings)

    whole = measured.results[WHOLE.name][0]
    assert whole["side"] == "test" and whole["campaigns"] and whole["accounts"]
    assert [len(measured.results[a.name]) for a in ABLATIONS] == [1] * len(ABLATIONS)
    assert {a["account"] for a in whole["accounts"]} >= set(measured.baselines[0]["scores"]["rate limit"])
    blind = measured.results["no content"][0]
    assert not any(a["verdict"] == "distilling" for a in blind["accounts"])  # no verdict without content
    assert len(measured.adaptive) == 5

    page = tmp_path / "docs" / "results" / "detection.md"
    report.write(measured, page, command="make bench-detection")
    assert "## Attackers who adapt" in page.read_text(encoding="utf-8")
    assert (tmp_path / "docs" / "images" / "detection-curves.svg").exists()

    steps: list[str] = []
    again = run(plan, settings, progress=lambda note: steps.append(note.stage))
    assert "measure" not in steps and "generate" not in steps
    assert json.dumps(table.Headline(again).as_dict()) == json.dumps(table.Headline(measured).as_dict())
