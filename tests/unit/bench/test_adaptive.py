"""Attackers who adapt change who seems to ask, never what was asked or when."""

from __future__ import annotations

import math

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.bench.detection import adaptive, costs
from stillwatch.bench.detection.data import DataSet


def row(ident, account, ip, agent):
    return {
        "litellm_call_id": ident, "startTime": 1.0, "requester_ip_address": ip, "user_agent": agent,
        "response_cost": 0.5, "messages": [{"role": "user", "content": ident}],
        "metadata": {"user_api_key_user_id": account, "user_api_key_hash": "k" * 64, "requester_ip_address": ip,
                     "user_agent": agent, "requester_metadata": {"headers": {"x-of": account}}},
    }  # fmt: skip


def line(record):
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "given"
    (folder / "logs").mkdir(parents=True)
    rows = [row(f"x{i}", "a", "10.0.0.1", "bot") for i in range(40)] + [row("h0", "h", "10.0.0.9", "browser")]
    (folder / "logs" / "one.jsonl").write_bytes(
        b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in rows)
    )
    records = [
        {"account_id": n, "signup_ip": f"10.1.1.{i}", "payment_fingerprint": f"pay_{n}", "created_at": 5 + i,
         "email_fingerprint": f"em_{n}"} for i, n in enumerate(("a", "h"))
    ]  # fmt: skip
    (folder / "accounts.jsonl").write_bytes(b"".join(map(line, records)))
    pq.write_table(
        pa.table({
            "exchange_id": [r["litellm_call_id"] for r in rows], "at": list(range(41)),
            "account_id": ["a"] * 40 + ["h"], "stream": pa.nulls(41, pa.string()),
            "campaign": pa.array(["x"] * 40 + [None], pa.string()), "reasoning": [False] * 41,
        }), folder / "truth.parquet",
    )  # fmt: skip
    one = {"workload": "w", "language": "en", "pool": None}
    truth = {
        "seed": 1, "side": "test", "scenario": "s", "first_at": 0, "last_at": 41,
        "accounts": {"a": {"role": "campaign", "campaigns": ["x"], **one}, "h": {"role": "honest", **one}},
        "campaigns": {"x": {"families": ["F1"], "accounts": ["a"], "exchanges": 40, "share": 1.0}}, "pools": {},
    }  # fmt: skip
    (folder / "truth.json").write_bytes(orjson.dumps(truth))
    return DataSet(folder=folder)


def logged(data):
    return [orjson.loads(line) for file in sorted(data.logs.iterdir()) for line in file.read_bytes().splitlines()]


def test_spread_accounts_share_nothing_and_the_answer_key_follows(data, tmp_path):
    made = adaptive.spread(data, tmp_path / "made", times=4, seed=3)
    rows, known = logged(made), made.known()
    owners = {r["litellm_call_id"]: r["metadata"]["user_api_key_user_id"] for r in rows}
    heirs = set(owners.values()) - {"h"}
    assert 1 < len(heirs) <= 4
    assert [r["messages"] for r in rows] == [r["messages"] for r in logged(data)]
    assert len({r["requester_ip_address"] for r in rows if r["metadata"]["user_api_key_user_id"] in heirs}) == len(
        heirs
    )
    assert {r["user_agent"] for r in rows} == {"browser"}  # the client of the only honest account
    assert set(known.campaigns["x"].accounts) >= heirs and "a" not in known.accounts
    assert dict(zip(known.rows.column("exchange_id").to_pylist(), known.account, strict=True)) == owners
    table = [orjson.loads(line) for line in made.accounts.read_bytes().splitlines()]
    for column in ("payment_fingerprint", "email_fingerprint", "signup_ip"):
        assert len({r[column] for r in table}) == len(table)


def test_a_framed_innocent_lends_clothes_but_no_card(data, tmp_path):
    made, victims = adaptive.framed(data, tmp_path / "made", seed=3)
    assert victims == ["h"]
    mine = [r for r in logged(made) if r["metadata"]["user_api_key_user_id"] == "a"]
    assert {(r["requester_ip_address"], r["user_agent"]) for r in mine} == {("10.0.0.9", "browser")}
    assert mine[0]["metadata"]["requester_metadata"]["headers"] == {"x-of": "h"}
    a, h = (orjson.loads(line) for line in made.accounts.read_bytes().splitlines())
    assert a["signup_ip"] == h["signup_ip"] and a["created_at"] == h["created_at"]
    assert a["payment_fingerprint"] != h["payment_fingerprint"]


def test_what_a_harvest_cost_is_summed_from_the_log(data):
    assert adaptive.spent(data, data.known()) == {"x": 20.0}


def campaign(**about):
    return {"campaign": "x", "observable": True, "expected_miss": False, "hides": False, "exchanges": 2000,
            "accounts": 10, "days": 8.0, "fragments": 1, "before_flag": None, "hours_to_flag": None,
            **about}  # fmt: skip


def test_a_flagged_campaign_begins_again_with_new_accounts():
    # 300 before the flag: four rounds for 1,000; 40 accounts; 4 x 12 hours; 40 x 30 + half of 100 dollars of tokens
    assert costs.price(campaign(before_flag=300, hours_to_flag=12.0), 100.0) == (40, 2.0, 1250.0)


def test_a_campaign_that_is_never_flagged_pays_once():
    # 1,000 of 2,000 exchanges: half of its days, all of its accounts
    assert costs.price(campaign(fragments=0), 100.0) == (10, 4.0, 350.0)


def test_the_table_counts_innocents():
    result = {"campaigns": [campaign(fragments=0)], "accounts": [{"flagged": True, "campaigns": []}]}
    (row,) = costs.rows([("nobody", result, {})])
    assert (row["found"], row["innocent_flagged"], row["before_flag"]) == (0, 1, math.inf)
