"""Campaigns planted among honest accounts are found, whole and early; nobody else is accused."""

from __future__ import annotations

import numpy as np
import pytest

CAMPAIGNS = {
    "four requests an account and day": {"accounts": 400, "per_day": 4, "days": 2},
    "mostly decoy chat": {"accounts": 200, "per_day": 4, "decoys": 0.6, "cards": 5},
    "few accounts, many requests": {"accounts": 15, "per_day": 80},
    "two requests in all": {"accounts": 300, "per_day": 2, "days": 1, "cards": 5},
    "one account": {"accounts": 1, "per_day": 100},
    "judging": {"accounts": 40, "per_day": 20, "cards": 5, "elicits": "JUDGES"},
    "reasoning traces": {"accounts": 40, "per_day": 20, "cards": 5, "elicits": "REASONS", "reasoned": True},
    "bare questions": {"accounts": 40, "per_day": 20, "cards": 5, "elicits": "NOTHING"},
}


@pytest.fixture(scope="module", params=CAMPAIGNS)
def case(request, planted, judged):
    plan = dict(CAMPAIGNS[request.param])
    if "elicits" in plan:
        plan["elicits"] = getattr(planted, plan["elicits"], 0)
    world = planted.World(20260302)
    planted.honest(world, people=800)
    accounts = planted.campaign(world, **plan)
    return judged(world), accounts


def test_a_planted_campaign_is_found_as_one(case):
    outcome, accounts = case
    assert len(outcome.members()) == 1
    # who sent two requests and shares nothing with others is not counted in
    whole = 0.95 if outcome.analysis.findings[0].evidence.unit.texts > 2 * len(accounts) else 0.5
    assert outcome.members()[0]["campaign"] >= whole * len(accounts)


def test_nobody_else_is_accused(case):
    outcome, _ = case
    accused = {outcome.labels[a] for a, v in outcome.analysis.verdicts.items() if v == "distilling"}
    assert accused == {"campaign"}


def test_it_is_flagged_within_five_hundred_of_its_requests(case):
    outcome, accounts = case
    rows, finding, when = outcome.analysis.rows, outcome.analysis.findings[0], outcome.flags[0]
    lead = finding.evidence.lead
    assert when.at <= int(rows.at[finding.places[-1]])
    asked = rows.asks if lead != "swept" else rows.bits != 0
    # with five cards among two hundred accounts the templates show only later that five groups are one
    most = 800 if len(accounts) == 200 else 500
    assert int((asked[finding.places] & (rows.at[finding.places] <= when.at)).sum()) <= most


@pytest.mark.parametrize("share", [0.10, 0.05])
@pytest.mark.parametrize("named", [True, False], ids=["end users named", "no end users"])
def test_a_harvest_inside_an_aggregator_is_told_from_its_customers(share, named, planted, judged):
    world = planted.World(77)
    planted.honest(world, people=800)
    shop = world.account("router")
    for i in range(40):
        world.send(shop, world.moments(90), system=int(world.hashes(1)[0]), stream=False, params=i % 4 + 1,
                   end_user=i + 1 if named else None)  # fmt: skip
    n = int(3600 * share / (1 - share))
    world.send(shop, world.moments(n), elicits=planted.MATERIAL, stream=False, params=2, latency_ms=20_000,
               head=int(world.hashes(1)[0]), end_user=99 if named else None)  # fmt: skip
    outcome = judged(world)
    assert outcome.verdicts("router") == {"reseller": 1}
    (finding,), (when,) = outcome.analysis.findings, outcome.flags
    assert finding.kind == "stream"
    assert outcome.analysis.rows.asks[finding.places].sum() >= 0.9 * n
    assert when.exchanges <= 500


def test_two_campaigns_stay_two(planted, judged):
    world = planted.World(5)
    planted.honest(world, people=800)
    planted.campaign(world, accounts=60, per_day=10, cards=5)
    planted.campaign(world, accounts=60, per_day=10, cards=5)
    outcome = judged(world)
    assert [m["campaign"] for m in outcome.members()] == [60, 60]


def test_a_key_that_is_stolen_late_is_found_by_what_it_does_then(planted, judged):
    world = planted.World(6)
    planted.honest(world, people=800)
    victim = world.account("victim")
    world.send(victim, world.moments(2500, days=8), turns=3, client=11)
    world.send(victim, world.moments(200, days=1, start=8), elicits=planted.MATERIAL, stream=False, client=12,
               head=int(world.hashes(1)[0]))  # fmt: skip
    outcome = judged(world)
    assert [m["victim"] for m in outcome.members()] == [1]
    assert outcome.flags[0].exchanges <= 100


def test_nothing_later_leaks_into_the_flag(planted, judged):
    # the same world cut off right after the flag must carry the flag already
    world = planted.World(9)
    planted.honest(world, people=800)
    planted.campaign(world, accounts=60, per_day=10, cards=5)
    whole = judged(world)
    sketches, accounts = world.tables()
    at = np.asarray(sketches.column("at"))
    cut = judged(world, sketches.filter(at <= whole.flags[0].at), accounts)
    assert cut.members()
    assert {a for f in cut.analysis.findings for a in f.accounts} <= set(whole.analysis.findings[0].accounts)
