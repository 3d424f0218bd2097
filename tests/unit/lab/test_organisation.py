"""Each value of a campaign's organisation shows in the traffic that it makes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from stillwatch.lab.traffic import organisation
from stillwatch.lab.traffic.design import BLOCK, planned

from .conftest import Played

Play = Callable[..., Played]


def one(**values: Any) -> str:
    """A scenario with one F1 campaign of 150 exchanges, organised as given, among little else."""
    given = {"accounts": 10, "days": 5.0, "hidden": "no", "network": "residential", "payment": "distinct",
             "headers": "own", "hours": "flat", "sharding": "round_robin", "share": 1.0, "failover": 0.0,
             "standby": False, "warm_up_days": 0.0, "framed": 0} | values  # fmt: skip
    table = ", ".join(f"{k} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for k, v in given.items())
    return (
        "days = 8\nexchanges = 1200\ncampaigns = 0\nreseller = 0\nworkloads = []\n"
        f'[[campaign]]\nfamilies = ["F1"]\nexchanges = 150\nobfuscations = []\norganisation = {{ {table} }}\n'
    )


def ips(played: Played) -> dict[str, set[str]]:
    found = defaultdict(set)
    for row in played.harvest():
        found[row["metadata"]["user_api_key_user_id"]].add(row["requester_ip_address"])
    return found


def test_hosting_keeps_to_few_addresses_and_rotation_to_none(play: Play, tmp_path) -> None:
    hosted = ips(play(one(network="hosting")))
    assert len(set.union(*hosted.values())) <= 2
    rotated = play(one(network="rotating"))
    assert len({r["requester_ip_address"] for r in rotated.harvest()}) > 0.9 * len(rotated.harvest())


def test_residential_accounts_have_homes_of_their_own(play: Play) -> None:
    homes = ips(play(one(network="residential")))
    assert all(len(own) <= 2 for own in homes.values())
    assert len(set.union(*homes.values())) >= 10


@pytest.mark.parametrize(("payment", "most"), [("shared", 1), ("few", 3), ("distinct", 10)])
def test_payment(play: Play, payment: str, most: int) -> None:
    played = play(one(payment=payment, accounts=18))
    (c,) = played.truth["campaigns"].values()
    cards = {played.accounts[a]["payment_fingerprint"] for a in c["accounts"]} - {None}
    assert len(cards) <= most or payment == "distinct"
    if payment == "distinct":
        assert len(cards) >= 12


def test_normalised_headers_are_those_of_one_client(play: Play) -> None:
    agents = {r["user_agent"] for r in play(one(headers="normalised")).harvest()}
    assert len(agents) == 1


def test_round_robin_shares_the_work_evenly(play: Play) -> None:
    counts = Counter(r["metadata"]["user_api_key_user_id"] for r in play(one()).harvest())
    assert len(counts) == 10
    assert max(counts.values()) < 2 * min(counts.values())


def test_sticky_accounts_work_in_runs(play: Play) -> None:
    who = [r["metadata"]["user_api_key_user_id"] for r in play(one(sharding="sticky")).harvest()]
    changes = sum(a != b for a, b in pairwise(who))
    assert changes < 0.2 * len(who)


def test_a_refused_request_goes_on_in_another_account_within_seconds(play: Play) -> None:
    rows = play(one(failover=0.3)).harvest()
    moved = 0
    for row in rows:
        if row["status"] != "failure":
            continue
        for later in rows:
            gap = later["startTime"] - row["startTime"]
            if 0 < gap < 15 and later["messages"] == row["messages"] and later["status"] == "success":
                moved += later["metadata"]["user_api_key_user_id"] != row["metadata"]["user_api_key_user_id"]
    assert moved > 15


def test_a_second_pool_takes_over_after_the_ban(play: Play) -> None:
    rows = play(one(standby=True, accounts=6)).harvest()
    bans = [r["startTime"] for r in rows if r.get("error_information", {}).get("error_code") == "403"]
    assert bans
    before = {r["metadata"]["user_api_key_user_id"] for r in rows if r["startTime"] < min(bans)}
    after = {r["metadata"]["user_api_key_user_id"] for r in rows if r["startTime"] > max(bans) + 60}
    assert before
    assert after
    assert not before & after


@pytest.mark.parametrize(("hidden", "role"), [("router", "router"), ("reseller", "reseller")])
def test_an_intermediary_hides_the_campaign_among_its_customers(play: Play, hidden: str, role: str) -> None:
    played = play(one(hidden=hidden, share=0.25))
    (c,) = played.truth["campaigns"].values()
    assert {played.truth["accounts"][a]["role"] for a in c["accounts"]} == {role}
    (pool,) = [p for p in played.truth["pools"].values() if p["kind"] == hidden]
    rows = [k for k in played.key if k["account_id"] in pool["accounts"]]
    assert 0.17 < sum(k["campaign"] is not None for k in rows) / len(rows) < 0.35
    assert len({k["stream"] for k in rows}) > 5


def test_a_stolen_key_has_an_owner_who_is_no_part_of_the_campaign(play: Play) -> None:
    played = play(one(hidden="stolen", share=0.5, accounts=4))
    (c,) = played.truth["campaigns"].values()
    assert {played.truth["accounts"][a]["role"] for a in c["accounts"]} == {"victim"}
    agents = {r["user_agent"] for r in played.harvest()}
    assert len(agents) == 1  # the thief's program, not the owners'


def test_framing_touches_innocent_accounts_a_little(play: Play) -> None:
    played = play(one(framed=2))
    (c,) = played.truth["campaigns"].values()
    roles = Counter(played.truth["accounts"][a]["role"] for a in c["accounts"])
    assert roles["campaign"] == 10
    framed = {a for a in c["accounts"] if played.truth["accounts"][a]["role"] == "victim"}
    assert sum(k["account_id"] in framed for k in played.key if k["campaign"]) < 0.1 * c["exchanges"]
    assert all(not framed & set(p["accounts"]) for p in played.truth["pools"].values())


def test_a_warm_up_sends_chat_before_the_harvest(play: Play) -> None:
    played = play(one(warm_up_days=1.2))
    (c,) = played.truth["campaigns"].values()
    mine = [k for k in played.key if k["account_id"] in c["accounts"]]
    assert min(k["at"] for k in mine) < c["first_at"] - 0.9 * 86_400e6


def test_decoys_keep_the_share_that_was_asked_for(play: Play) -> None:
    played = play(one(share=0.5))
    (c,) = played.truth["campaigns"].values()
    mine = [k for k in played.key if k["account_id"] in c["accounts"]]
    assert 0.35 < sum(k["campaign"] is not None for k in mine) / len(mine) < 0.65


def test_two_labs_on_one_pool(play: Play) -> None:
    second = '[[campaign]]\nfamilies = ["F17"]\nexchanges = 60\npool = "campaign-1"\n'
    played = play(one() + second)
    one_, two = (set(played.truth["campaigns"][f"campaign-{i}"]["accounts"]) for i in (1, 2))
    assert two
    assert two <= one_


def test_the_design_brings_all_pairs_of_levels_together() -> None:
    factors = {"family": range(8), **organisation.LEVELS}
    rows = [planned(factors, n) for n in range(BLOCK)]
    assert rows == [planned(factors, n) for n in range(BLOCK)]
    for n in range(BLOCK - 8):
        assert {r["family"] for r in rows[n : n + 8]} == set(range(8))
    for a in factors:
        assert Counter(r[a] for r in rows).keys() == set(factors[a])
        for b in factors:
            if a < b:
                met = {(r[a], r[b]) for r in rows}
                assert len(met) >= 0.9 * len(set(factors[a])) * len(set(factors[b])), (a, b)
