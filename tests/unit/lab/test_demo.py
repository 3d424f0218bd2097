"""What the demo's traffic promises: size, order, truth, and campaigns and look-alikes that are what they say."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import UTC, datetime

import orjson
import pytest
import zstandard

from stillwatch import tables
from stillwatch.lab.traffic import Truth, write_demo
from stillwatch.lab.traffic.grammar import LANGUAGES, Grammar, grammars
from stillwatch.lab.traffic.world import DAY_S, END, START


@pytest.fixture(scope="module")
def rows(fortnight):
    world, _ = fortnight
    return [orjson.loads(line.data) for line in world.lines]


def account_of(row):
    return row["metadata"]["user_api_key_user_id"]


def test_the_demo_is_written_byte_for_byte_the_same_by_seed(tmp_path):
    digests = []
    for name in ("one", "two"):
        truth = write_demo(tmp_path / name, seed=11)
        files = sorted((tmp_path / name).iterdir())
        digests.append([(f.name, hashlib.sha256(f.read_bytes()).hexdigest()) for f in files])
    assert digests[0] == digests[1]
    assert [name for name, _ in digests[0]][:2] == ["accounts.jsonl", "gateway-2026-03-02.jsonl.zst"]
    assert Truth.read(tmp_path / "one" / "truth.json") == truth
    days = [f for f in (tmp_path / "one").iterdir() if f.name.startswith("gateway-")]
    assert len(days) == 14
    lines = 0
    for file in days:
        day = []
        for line in zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read().splitlines():
            day.append(orjson.loads(line)["endTime"])
        assert day == sorted(day)
        assert {datetime.fromtimestamp(t, UTC).date().isoformat() for t in day} == {file.name[8:18]}
        lines += len(day)
    assert lines == truth.exchanges
    columns = set(tables.ACCOUNT.names)
    for line in (tmp_path / "one" / "accounts.jsonl").read_bytes().splitlines():
        assert set(orjson.loads(line)) == columns


def test_the_demo_is_as_large_as_promised(fortnight, rows):
    _, truth = fortnight
    assert len(rows) >= 20_000
    assert len({account_of(row) for row in rows}) >= 500
    assert len(truth.look_alikes) >= 14
    assert len({row["litellm_call_id"] for row in rows}) == len(rows)


def test_the_truth_names_every_account_once(fortnight, rows):
    _, truth = fortnight
    assert {account_of(row) for row in rows} == set(truth.accounts)
    roles = Counter(a.role for a in truth.accounts.values())
    assert roles["router"] == 1 and roles["reseller"] == 15 and roles["campaign"] == 132
    for name, campaign in truth.campaigns.items():
        assert all(truth.accounts[a].campaign == name for a in campaign.accounts)
        assert len(campaign.exchange_ids) == campaign.exchanges


def test_times_lie_in_the_fortnight_and_run_forward(rows):
    for row in rows:
        assert START <= row["startTime"] <= row["completionStartTime"] <= row["endTime"] <= END


def test_a_hydra_account_makes_fewer_than_ten_requests_a_day(fortnight, rows):
    _, truth = fortnight
    heads = set(truth.campaigns["hydra"].accounts)
    assert len(heads) >= 120
    per_day = Counter((account_of(r), int(r["startTime"] // DAY_S)) for r in rows if account_of(r) in heads)
    assert max(per_day.values()) < 10


def test_the_hydra_serves_each_work_item_once_unless_a_429_moved_it(fortnight, rows):
    _, truth = fortnight
    ids = set(truth.campaigns["hydra"].exchange_ids)
    served = defaultdict(set)
    for row in rows:
        if row["litellm_call_id"] in ids and row["status"] == "success":
            user = next(m["content"] for m in row["messages"] if m["role"] == "user")
            served[user.rsplit("\n\n", 1)[-1], len(row["messages"])].add(account_of(row))
    assert len(served) >= 1_000
    assert all(len(accounts) == 1 for accounts in served.values())


def test_a_refused_hydra_request_goes_on_under_another_account_within_seconds(fortnight, rows):
    _, truth = fortnight
    ids = set(truth.campaigns["hydra"].exchange_ids)
    mine = [row for row in rows if row["litellm_call_id"] in ids]
    by_prompt = defaultdict(list)
    for row in mine:
        by_prompt[orjson.dumps(row["messages"])].append(row)
    refused = [row for row in mine if row["status"] == "failure"]
    assert len(refused) >= 30
    moved = 0
    for row in refused:
        later = [r for r in by_prompt[orjson.dumps(row["messages"])] if r["startTime"] > row["startTime"]]
        moved += any(account_of(r) != account_of(row) and r["startTime"] - row["endTime"] < 10 for r in later)
    assert moved / len(refused) > 0.9


def test_thinking_signatures_of_one_direct_account_come_back_in_another(fortnight, rows):
    _, truth = fortnight
    born, replayed = {}, []
    for row in rows:
        for choice in row["response"].get("choices", ()):
            for block in choice["message"].get("thinking_blocks") or ():
                born[block["signature"]] = account_of(row)
        for message in row["messages"]:
            replayed += [(b["signature"], account_of(row)) for b in message.get("thinking_blocks", ())]
    assert replayed and all(born[signature] != account for signature, account in replayed)
    assert {account for _, account in replayed} <= set(truth.campaigns["direct"].accounts)


def test_the_router_is_mostly_honest_and_its_harvest_names_no_end_user(fortnight, rows):
    _, truth = fortnight
    campaign = truth.campaigns["routed"]
    router = [row for row in rows if account_of(row) in campaign.accounts]
    harvest = set(campaign.exchange_ids)
    assert 0.10 <= len(harvest) / len(router) <= 0.14
    assert all(row["end_user"] is None for row in router if row["litellm_call_id"] in harvest)
    assert len({row["requester_ip_address"] for row in router}) == 1
    samples = Counter(orjson.dumps(r["messages"]) for r in router if r["litellm_call_id"] in harvest)
    assert min(samples.values()) >= 4


def test_conversations_resend_their_history(rows):
    # In the seven largest chats of any account, every longer prompt starts with a shorter one of the same account.
    by_account = defaultdict(list)
    for row in rows:
        by_account[account_of(row)].append(row)
    continued = total = 0
    for theirs in by_account.values():
        seen = {orjson.dumps(r["messages"]) for r in theirs}
        for row in theirs:
            if sum(m["role"] == "assistant" for m in row["messages"]) >= 1:
                total += 1
                continued += orjson.dumps(row["messages"][:-2]) in seen
    assert total > 3_000
    assert continued / total > 0.95  # the rest: failover, migration, replay


def test_traffic_has_a_rhythm_of_days_and_weeks(fortnight, rows):
    _, truth = fortnight
    staff = {i for i, a in truth.accounts.items() if a.family in ("developer", "enterprise_nat")}
    days = Counter(int((r["startTime"] - START) // DAY_S) % 7 for r in rows if account_of(r) in staff)
    assert (days[5] + days[6]) / 2 < 0.6 * sum(days[d] for d in range(5)) / 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_many_questions(language):
    assert grammars()[language].combinations("ask") > 1_000_000


def test_combinations_are_counted_as_products_and_sums():
    # By hand: "x {a}" has 2 ways, "{#1-10}" has 10: 12 in all.
    assert Grammar("t", {"r": ["x {a}", "{#1-10}"], "a": ["p", "q"]}).combinations("r") == 12


def test_an_unknown_rule_is_named_with_the_nearest():
    with pytest.raises(ValueError, match=r"section `t` has no rule `topik`; the nearest is `topic`"):
        Grammar("t", {"r": ["{topik}"], "topic": ["a"]})
