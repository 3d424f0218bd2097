"""The page and its pictures, from results made up by hand."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from stillwatch.bench.detection import measures, plots, report, table
from stillwatch.bench.detection.plan import Plan, Set, planned
from stillwatch.bench.detection.run import Measured
from stillwatch.bench.detection.scans import ABLATIONS, WHOLE
from stillwatch.judge import calibration


def account(name, campaigns=(), log_e=0.0, flagged=False, **about):
    return {"account": name, "role": "honest", "workload": "person", "language": "en", "campaigns": list(campaigns),
            "verdict": "distilling" if flagged else "clear", "log_e": log_e, "flagged": flagged, "exchanges": 9,
            **about}  # fmt: skip


def campaign(name, families, found=True, **about):
    return {
        "campaign": name, "families": families, "organisation": {"accounts": 2, "rate_per_day": 4}, "accounts": 2,
        "obfuscations": ["typos"], "share": 1.0, "hides": False, "exchanges": 100, "reasoning": 50, "observable": True,
        "expected_miss": False, "fragments": int(found), "accounts_found": 2 * found, "exchanges_found": 100 * found,
        "before_flag": 30 if found else None, "reasoning_before_flag": 15 if found else None,
        "hours_to_flag": 5.0 if found else None, "days": 3.0, "why": None if found else "content alone speaks", **about,
    }  # fmt: skip


def result(seed):
    accounts = [account(f"h{i}", language="de" if i % 2 else "en", log_e=-1.0) for i in range(40)]
    accounts += [account(f"x{i}", ["x"], 4.0, True, role="campaign") for i in range(2)]
    accounts.append(account("y|0", ["y"], 0.3, role="campaign"))
    return {
        "seed": seed, "side": "test", "scenario": "small", "months": 1.0, "exchanges": 5000, "accounts": accounts,
        "campaigns": [campaign("x", ["F1", "F10b"]), campaign("y", ["F2"], found=False)],
        "found": [{"found": "C-1", "true": "x", "how": "exchanges", "share": 1.0, "accounts": 2, "exchanges": 100}],
        "linking": {"campaigns": [3, 1, 1, 1, 3.0, 3.0], "pools": [0, 0, 0, 0, 0.0, 0.0]},
        "aggregators": {"harvest": 10, "taken": 8, "found": 7},
    }  # fmt: skip


@pytest.fixture(scope="module")
def everything():
    results = [result(1), result(2)]
    scores = {a["account"]: float(i) for i, a in enumerate(results[0]["accounts"])}
    return Measured(
        plan=Plan(work=Path("unused"), test=()), calibration=calibration.load(), left_out="nothing",
        results={a.name: results[: 1 if a is not WHOLE else 2] for a in (WHOLE, *ABLATIONS)},
        special=[],
        honest=[{**result(51), "campaigns": [], "found": [], "accounts": [account(f"q{i}") for i in range(5)]}],
        baselines=[{"seed": s, "scores": {"rate limit": scores}, "thresholds": {"rate limit": 39.5},
                    "sources": {"rate limit": "any gateway"}} for s in (1, 2)],
        adaptive=[("unaware", {**result(1), "framed_flagged": None}, {"x": 10.0, "y": 10.0})],
    )  # fmt: skip


def test_the_page_holds_every_part(everything):
    page = report.markdown(everything, command="make bench-detection", images="../images")
    for heading in ("Against our goals", "Beside other detectors", "By family", "Without some of the evidence",
                    "Is the promised error rate kept?", "What was missed, and why", "Attackers who adapt",
                    "How far to believe this"):  # fmt: skip
        assert f"## {heading}" in page
    assert "| campaign recall | 50.0 % (6.8 to 93.2), 2 of 4 | at least 95 % | **missed** |" in page
    assert "| rate limit | any gateway |" in page
    assert "59.0 %" in page and "4.6 %" in page  # the published figures
    assert "content alone speaks" in page
    assert "nan" not in page and "inf" not in re.sub("infra|infinit", "", page)


def test_every_row_of_a_table_has_as_many_cells_as_its_head(everything):
    page = report.markdown(everything, command="c", images="i")
    for block in re.findall(r"(?:^\|.*\|\n)+", page, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_ours_and_a_baseline_stand_in_one_table(everything):
    ours, limit = table.methods(everything)
    assert ours.name == "Stillwatch" and ours.at_threshold[0] == pytest.approx(2 / 3)
    # scores 0..39 are honest; at 39.5 the three accounts of campaigns (40, 41, 42) are found, and no honest one
    assert limit.at_threshold[0] == 1 and limit.false.hits == 0


def test_families_and_their_variants_are_one_and_stand_in_order(everything):
    assert list(measures.table(everything.results[WHOLE.name], "family")) == ["F1", "F2", "F10"]


def test_nothing_measured_is_no_goal_hit(everything):
    blank = replace(everything, results={a.name: [] for a in (WHOLE, *ABLATIONS)}, honest=[], baselines=[], adaptive=[])
    assert all(f.hit is None for f in table.figures(blank))
    report.markdown(blank, command="c", images="i")


def test_the_headline_is_json_without_numpy(everything):
    out = table.Headline(everything).as_dict()
    assert {type(f["hit"]) for f in out["figures"]} <= {bool, type(None)}
    assert all(not isinstance(x["recall"]["0.001"], str) for x in out["methods"])
    assert "Stillwatch" in table.Headline(everything).text()


def test_pictures_are_small_and_the_same_each_time(everything, tmp_path):
    first = [p.read_bytes() for p in plots.write(everything, tmp_path / "a")]
    second = [p.read_bytes() for p in plots.write(everything, tmp_path / "b")]
    assert first == second
    assert all(b"<svg" in picture and len(picture) < 100_000 for picture in first)


def test_no_test_seed_is_a_calibration_seed():
    plan = planned(Path("w"), scenario="small", seeds=10)
    assert not {s.seed for s in plan.test} & {s.seed for s in plan.benign}
    assert {s.side for s in plan.benign} == {"tune"} and {s.side for s in (*plan.test, *plan.honest)} == {"test"}


def test_given_data_sets_are_measured_where_they_lie(tmp_path):
    plan = planned(Path("w"), scenario="small", seeds=3, data=[tmp_path])
    assert plan.test == (Set(name=f"given-1-{tmp_path.name}", folder=tmp_path),)
    assert plan.honest == plan.benign == ()
    assert not math.isnan(plan.prompts)
