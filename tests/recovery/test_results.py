"""What results must not depend on: how a scan went, what is kept of text, and facts that say nothing about conduct."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from stillwatch import people
from stillwatch.ingest.accounts import read_accounts
from stillwatch.store.layout import Store

TABLES = ("verdicts", "campaigns", "pools", "links", "readings")
GRAVITY = {"not_observable": 0, "clear": 0, "watch": 1, "reseller": 2, "distilling": 3}


def plain(table, *without: str) -> list[dict[str, Any]]:
    return table.drop_columns([c for c in ("made_by", *without) if c in table.column_names]).to_pylist()


def tables_of(result, *without: str) -> dict[str, list[dict[str, Any]]]:
    return {name: plain(getattr(result, name), *without) for name in TABLES}


@pytest.fixture
def changed(traffic, tmp_path) -> Callable[..., Path]:
    """The log with a function applied to each record."""
    made = iter(range(100))

    def write(change: Callable[[dict[str, Any]], None], *, accounts: Callable[[dict[str, Any]], None] | None = None):
        folder = tmp_path / f"logs-{next(made)}"
        folder.mkdir()
        records = [orjson.loads(line) for line in traffic.lines]
        for record in records:
            change(record)
        (folder / "a.jsonl").write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in records))
        listed = [orjson.loads(line) for line in traffic.accounts.read_bytes().splitlines()]
        for record in listed:
            (accounts or (lambda r: None))(record)
        (tmp_path / f"{folder.name}-accounts.jsonl").write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in listed))
        return folder / "a.jsonl", tmp_path / f"{folder.name}-accounts.jsonl"

    return write


def headers(record: dict[str, Any]) -> dict[str, str]:
    return record["metadata"].setdefault("requester_metadata", {}).setdefault("headers", {})


def test_a_scan_that_was_killed_and_run_again_finds_what_an_undisturbed_one_finds(
    traffic, stores, small_parts, tmp_path, monkeypatch
):
    log = traffic.write(tmp_path / "a.jsonl")
    whole = stores.scan(stores.new(), log, accounts=str(traffic.accounts))
    verdicts = {r["account_id"]: r["verdict"] for r in plain(whole.verdicts)}
    found = {a for a, v in verdicts.items() if v == "distilling"}
    assert found <= traffic.campaign and len(found) > len(traffic.campaign) / 2  # or this test would test nothing
    small_parts(150, 300_000)
    store = stores.new()
    calls = iter(range(100))
    real = Store.commit

    def commit(self, *args, **kwargs):
        if next(calls) == 3:
            raise RuntimeError("the power fails")
        real(self, *args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(Store, "commit", commit)
        stores.scan(store, log)
    assert Store(store).inputs()
    again = stores.scan(store, log, accounts=str(traffic.accounts), workers=2)
    assert tables_of(again) == tables_of(whole)
    assert [(r.records, r.kept, r.rejected) for r in again.inputs] == [
        (r.records, r.kept, r.rejected) for r in whole.inputs
    ]


PLANTED = "bcdfghjklmnpqrstvwxz"


def test_without_text_the_store_holds_no_piece_of_it_and_verdicts_are_the_same(changed, stores, no_replay):
    rng = random.Random(20260302)
    planted: list[str] = []

    def word() -> str:
        planted.append("".join(rng.choices(PLANTED, k=16)))
        return planted[-1]

    def plant(record):
        for message in record["messages"]:
            if isinstance(message.get("content"), str):
                message["content"] = f"{word()} {message['content']} {word()}"
        for choice in (record.get("response") or {}).get("choices", []):
            if isinstance(choice["message"].get("content"), str):
                choice["message"]["content"] = f"{word()} {choice['message']['content']} {word()}"

    log, accounts = changed(plant)
    pieces = {w[i : i + 12].encode() for w in planted for i in range(5)}
    assert len(pieces) > 5_000
    kept = stores.scan(stores.new(), log, accounts=str(accounts))
    store = stores.new()
    bare = stores.scan(store, log, accounts=str(accounts), no_text=True)
    assert tables_of(bare) == tables_of(kept)
    assert pieces & windows(kept.report_path.parent)  # the search finds text where text is kept
    assert not pieces & windows(store)


def windows(store: Path) -> set[bytes]:
    """All 12-byte pieces of the files of a store, raw and as the values that Parquet files hold."""
    found: set[bytes] = set()
    for file in store.rglob("*"):
        if file.is_file():
            data = [file.read_bytes()]
            if file.suffix == ".parquet":
                rows = pq.ParquetFile(file).read().to_pylist()
                data += [repr(sorted(map(str, row.values()))).encode() for row in rows]
            for text in data:
                found |= {text[i : i + 12] for i in range(len(text) - 11)}
    return found


def test_hashed_columns_link_as_before_and_their_values_are_not_in_the_store(traffic, stores, no_replay, tmp_path):
    log = traffic.write(tmp_path / "a.jsonl")
    names = {orjson.loads(line)["account_id"] for line in traffic.accounts.read_bytes().splitlines()}
    addresses = {orjson.loads(line)["requester_ip_address"] for line in traffic.lines}
    agents = {orjson.loads(line)["user_agent"] for line in traffic.lines} - {None}
    kept_in, store = stores.new(), stores.new()
    kept = stores.scan(kept_in, log)
    policy = {"ip": "hash", "user_agent": "hash", "account_id": "hash", "exchange_id": "hash", "key_id": "hash"}
    hashed = stores.scan(store, log, policy=policy)
    by_hash = {r["account_id"]: r for r in plain(hashed.verdicts)}
    ids = dict(zip(*people_hashes(Store(kept_in), sorted(names)), strict=True))
    for row in plain(kept.verdicts):
        other = by_hash[ids[row["account_id"]]]
        for name in ("verdict", "probability", "e_value", "exchanges", "families", "abstained", "first_at"):
            assert other[name] == row[name], name
    everything = b"\n".join(
        file.read_bytes()
        + (str(pq.ParquetFile(file).read().to_pylist()).encode() if file.suffix == ".parquet" else b"")
        for file in store.rglob("*")
        if file.is_file()
    )
    ours = [s for s in sorted(addresses | agents | names) if s.encode() in everything]
    assert ours == []


def people_hashes(store: Store, names: list[str]) -> tuple[list[str], list[str]]:
    from stillwatch.sketch.elicitation import Cues
    from stillwatch.sketch.sketch import Sketcher

    sketcher = Sketcher(store.secret, Cues.compile())
    return names, [f"{sketcher.value(name, 'account'):016x}" for name in names]


def test_what_may_be_kept_of_the_accounts_table_follows_the_policy(traffic, stores):
    store = Store(stores.new())
    given = read_accounts(str(traffic.accounts)).table
    kept = people.policed(store, given, {"ip": "hash", "account_id": "hash", "org_id": "drop"})
    text = str(kept.to_pylist())
    for name in ("account_id", "signup_ip", "org_name"):
        assert not [v for v in given.column(name).to_pylist() if v and repr(v) in text], name
    plainly, policed = people.hashed(store, given), people.hashed(store, kept)
    assert policed.column("account").equals(plainly.column("account"))
    pairs = [list(map(tuple, zip(plainly.column(c).to_pylist(), policed.column(c).to_pylist(), strict=True)))
             for c in ("payment", "email", "programme", "plan", "card_bin")]  # fmt: skip
    assert all(a == b for column in pairs for a, b in column)
    signup = set(zip(plainly.column("signup_ip").to_pylist(), policed.column("signup_ip").to_pylist(), strict=True))
    assert len(signup) == len({a for a, _ in signup}) == len({b for _, b in signup})  # one to one
    assert people.policed(store, given, {}).equals(given)
    assert people.hashed(store, people.policed(store, kept, {"account_id": "hash", "ip": "hash"})).equals(policed)


def test_two_stores_with_secrets_of_their_own_have_no_hash_in_common(traffic, stores, tmp_path):
    log = traffic.write(tmp_path / "a.jsonl", 0, 200)
    found, bands = [], []
    for name in ("one", "two"):
        Store(tmp_path / name)
        stores.read(tmp_path / name, log)
        values: set[int] = set()
        near: set[int] = set()
        for file in Store(tmp_path / name).files("sketches"):
            table = pq.ParquetFile(file).read()
            for field in table.schema:
                # The parameters of a call (temperature, ...) stand beside their number in the clear.
                if str(field.type) == "uint64" and field.name != "params":
                    # Bands of near-duplicates are mixed from a few bits of keyed hashes: two may meet by chance.
                    (near if field.name.startswith("band") else values).update(table.column(field.name).to_pylist())
        found.append(values - {None})
        bands.append(near - {None})
        key = tmp_path / name / "secret.key"
        assert key.stat().st_mode & 0o777 == 0o600 and len(key.read_bytes()) == 16
    assert min(map(len, found)) > 500 and not found[0] & found[1]
    assert min(map(len, bands)) > 500 and len(bands[0] & bands[1]) < len(bands[0]) / 100


def test_country_language_and_time_zone_change_no_result(changed, stores, no_replay):
    def at_home(record):
        headers(record)["accept-language"] = "en-US"
        headers(record)["cf-ipcountry"] = "US"
        for name in ("startTime", "endTime", "completionStartTime"):
            record[name] = datetime.fromtimestamp(record[name], UTC).isoformat()

    def abroad(record):
        headers(record)["accept-language"] = "zh-CN,zh;q=0.9"
        headers(record)["cf-ipcountry"] = "CN"
        for name in ("startTime", "endTime", "completionStartTime"):
            record[name] = datetime.fromtimestamp(record[name], timezone(timedelta(hours=8))).isoformat()

    here, accounts = changed(at_home)
    there, _ = changed(abroad)
    one, two = (stores.scan(stores.new(), log, accounts=str(accounts)) for log in (here, there))
    assert "distilling" in one.verdicts.column("verdict").to_pylist()
    assert tables_of(two) == tables_of(one)


def without_addresses(record):
    record["requester_ip_address"] = None
    record["metadata"].pop("requester_ip_address", None)
    for name in ("x-forwarded-for", "x-real-ip"):
        headers(record).pop(name, None)


def without_latencies(record):
    for name in ("endTime", "completionStartTime", "response_time"):
        record.pop(name, None)


def without_text(record):
    record["messages"] = None
    record["response"] = None


def without_header_names(record):
    record["metadata"].pop("requester_metadata", None)


def without_user_agent(record):
    record["user_agent"] = None
    record["metadata"].pop("user_agent", None)
    record["request_tags"] = None
    headers(record).pop("user-agent", None)


@pytest.fixture(scope="module")
def full(traffic, tmp_path_factory):
    """Verdicts with every field in place."""
    from stillwatch import pipeline
    from stillwatch.config import Settings

    folder = tmp_path_factory.mktemp("full")
    log = traffic.write(folder / "a.jsonl")
    settings = Settings(store=folder / "s", accounts=str(traffic.accounts), now_us=1_773_800_000_000_000, workers=1)
    patch = pytest.MonkeyPatch()
    patch.setattr(pipeline, "flagged", lambda engine, analysis, *rest: [None] * len(analysis.findings))
    try:
        return pipeline.scan([str(log)], settings)
    finally:
        patch.undo()


@pytest.mark.parametrize(
    "change, gone",
    [
        (without_addresses, {"ip"}),
        (without_latencies, {"latency_ms"}),
        (without_text, {"head", "elicits", "prompt", "answer_bytes"}),
        (without_header_names, {"header_order"}),
        (without_user_agent, {"user_agent"}),
    ],
)
def test_signals_that_lack_a_field_abstain_and_nobody_is_worse_off(
    change, gone, changed, stores, no_replay, traffic, full
):
    before = {r["account_id"]: r for r in plain(full.verdicts)}
    log, accounts = changed(change)
    after = {r["account_id"]: r for r in plain(stores.scan(stores.new(), log, accounts=str(accounts)).verdicts)}
    assert after.keys() == before.keys()
    missing = {name for row in after.values() for a in row["abstained"] for name in a["missing"]}
    already = {name for row in before.values() for a in row["abstained"] for name in a["missing"]}
    from stillwatch.signals.registry import ALL

    needed = {need for signal in ALL.values() for need in signal.needs}
    assert gone & needed <= missing | already
    for account, row in after.items():
        if account not in traffic.campaign:
            assert GRAVITY[row["verdict"]] <= GRAVITY[before[account]["verdict"]], account


def test_an_account_without_text_is_not_observable(changed, stores, no_replay):
    log, accounts = changed(without_text)
    verdicts = stores.scan(stores.new(), log, accounts=str(accounts)).verdicts.column("verdict").to_pylist()
    assert set(verdicts) <= {"not_observable", "reseller"}


def test_without_the_accounts_table_its_signals_abstain(stores, no_replay, traffic, tmp_path, full):
    result = stores.scan(stores.new(), traffic.write(tmp_path / "a.jsonl"))
    before = {r["account_id"]: r["verdict"] for r in plain(full.verdicts)}
    missing = {name for row in plain(result.verdicts) for a in row["abstained"] for name in a["missing"]}
    assert {"accounts.payment_fingerprint", "accounts.signup_ip"} & missing
    for row in plain(result.verdicts):
        if row["account_id"] not in traffic.campaign:
            assert GRAVITY[row["verdict"]] <= GRAVITY[before[row["account_id"]]]


def test_a_dropped_column_makes_its_signals_abstain(stores, no_replay, traffic, tmp_path):
    log = traffic.write(tmp_path / "a.jsonl")
    result = stores.scan(stores.new(), log, policy={"ip": "drop", "user_agent": "drop"})
    abstained = {name for row in plain(result.verdicts) for a in row["abstained"] for name in a["missing"]}
    assert "ip" in abstained or "ip_net" in abstained


def test_renaming_accounts_renames_verdicts_and_changes_nothing_else(changed, stores, no_replay, full):
    def new(name: str) -> str:
        return "kunde-" + name[::-1]

    def rename(record):
        record["metadata"]["user_api_key_user_id"] = new(record["metadata"]["user_api_key_user_id"])

    def rename_account(record):
        record["account_id"] = new(record["account_id"])

    log, accounts = changed(rename, accounts=rename_account)
    after = stores.scan(stores.new(), log, accounts=str(accounts))
    names = ("campaign_id", "pool_id")
    wanted = {new(r["account_id"]): r | {"account_id": new(r["account_id"])} for r in plain(full.verdicts, *names)}
    assert {r["account_id"]: r for r in plain(after.verdicts, *names)} == wanted
    without = ("campaign_id", "streams", "accounts")
    assert plain(after.campaigns, *without) == plain(full.campaigns, *without)
    members = [{new(a) for a in row["accounts"]} for row in plain(full.campaigns)]
    assert [set(row["accounts"]) for row in plain(after.campaigns)] == members
