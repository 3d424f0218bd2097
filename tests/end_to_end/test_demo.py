"""The demo finds what was hidden in it, accuses nobody else, and every claim in it can be traced."""

from __future__ import annotations

import json
from typing import Any

from stillwatch import pipeline
from stillwatch.bench import answer_key


def test_campaigns_with_accounts_of_their_own_are_found_with_nobody_else(demo: Any) -> None:
    mark = answer_key.score(demo.result, demo.truth)
    for campaign in mark.campaigns:
        if campaign.accounts > 1:  # floor: docs/results/demo.md
            assert campaign.found >= 0.65 * campaign.accounts, campaign
        assert campaign.strangers == 0, campaign
    assert mark.extra_campaigns == 0


def test_no_honest_account_is_said_to_distil_or_to_resell(demo: Any) -> None:
    mark = answer_key.score(demo.result, demo.truth)
    assert mark.honest >= 400
    assert (mark.honest_accused, mark.honest_marked["reseller"]) == (0, 0)


def test_a_reseller_that_does_not_distil_is_called_a_reseller(demo: Any) -> None:
    mark = answer_key.score(demo.result, demo.truth)
    assert mark.resellers_accused == 0
    assert mark.resellers_found >= 0.9 * mark.resellers


def test_the_campaign_inside_the_router_is_told_from_the_routers_honest_users(demo: Any) -> None:
    routed = next(c for c in demo.result.campaigns.to_pylist() if c["kinds"] == ["routed"])
    router = next(a for a, t in demo.truth.accounts.items() if t.role == "router")
    assert routed["accounts"] == [router]
    assert routed["streams"]
    assert routed["exchanges"] < 400  # of the router's 2,800
    verdicts = {v["account_id"]: v["verdict"] for v in demo.result.verdicts.to_pylist()}
    assert verdicts[router] == "reseller"


def test_campaigns_are_flagged_before_their_end_and_not_before_there_is_evidence(demo: Any) -> None:
    for campaign in demo.result.campaigns.to_pylist():
        assert campaign["first_at"] <= campaign["flagged_at"] <= campaign["last_at"]
        assert 20 <= campaign["exchanges_at_flag"] <= campaign["exchanges"]


def test_no_verdict_against_an_account_rests_on_one_family(demo: Any) -> None:
    for verdict in demo.result.verdicts.to_pylist():
        if verdict["verdict"] == "distilling":
            assert "content" in verdict["families"], verdict["account_id"]
            assert len(verdict["families"]) >= 2, verdict["account_id"]


def test_every_verdict_names_what_it_was_made_by(demo: Any) -> None:
    record = json.loads((demo.settings.store / "results" / "made_by.json").read_bytes())
    assert {v["made_by"] for v in demo.result.verdicts.to_pylist()} == {record["digest"]}
    assert record["calibration"]["digest"]
    assert record["calibration"]["date"]
    assert len(record["inputs"]) == 14


def test_explain_rebuilds_the_verdict_of_a_flagged_and_of_a_clear_account(demo: Any) -> None:
    rows = demo.result.verdicts.to_pylist()
    for wanted in ("distilling", "clear"):
        account = next(r["account_id"] for r in rows if r["verdict"] == wanted)
        explanation = pipeline.explain(demo.settings.store, account)
        assert explanation.rebuilt == wanted
        assert wanted in explanation.text()


def test_explain_takes_a_campaign_too(demo: Any) -> None:
    campaign = demo.result.campaigns.to_pylist()[0]
    text = pipeline.explain(demo.settings.store, campaign["campaign_id"]).text()
    assert campaign["campaign_id"] in text
    assert "why:" in text


def test_scanning_the_same_files_again_changes_nothing(demo: Any) -> None:
    files = [str(path) for path in sorted(demo.logs.glob("gateway-*.jsonl.zst"))]
    again = pipeline.scan(files, demo.settings)
    assert {i.skipped for i in again.inputs} == {"already in the store"}
    assert again.verdicts.equals(demo.result.verdicts)
    assert again.campaigns.equals(demo.result.campaigns)


def test_until_a_day_before_the_campaigns_began_nothing_is_found(demo: Any) -> None:
    first = min(c.first_at for c in demo.truth.campaigns.values())
    files = [str(path) for path in sorted(demo.logs.glob("gateway-*.jsonl.zst"))]
    early = pipeline.scan(files, demo.settings.replace(until_us=first, store=demo.settings.store))
    assert early.campaigns.num_rows == 0
    pipeline.scan(files, demo.settings)


def test_a_calibration_made_from_the_demo_sets_the_campaigns_aside(demo: Any, tmp_path) -> None:  # type: ignore[no-untyped-def]
    made = pipeline.calibrate([str(demo.logs)], demo.settings, out=tmp_path / "mine.json")
    guilty = {a for a, t in demo.truth.accounts.items() if t.role == "campaign"}
    assert len(guilty & set(made.set_aside)) >= 0.65 * len(guilty)  # what is not found cannot be set aside
    assert made.calibration.units >= 400
