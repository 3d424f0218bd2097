"""Mapping files, the account table, coverage, and secrets."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stillwatch.errors import InputError, UsageError
from stillwatch.ingest.accounts import read_accounts
from stillwatch.ingest.coverage import fields_present
from stillwatch.ingest.files import inspect
from stillwatch.ingest.mapping import load
from stillwatch.ingest.read import read
from stillwatch.ingest.secrets import without_secrets
from stillwatch.ingest.settings import IngestSettings, lookup

SAMPLES = Path(__file__).parents[2] / "samples"
NOW = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    "text, message",
    [
        ('[columns]\nacount_id = "x"', "did you mean `account_id`"),
        ('[colums]\nat = "x"', "did you mean `columns`"),
        ('[bodies]\nrequests = "x"', "did you mean `request`"),
        ('[columns]\nat = "x"\n[time]\nat = "minutes"', "strptime"),
        ("[columns]\nat = 5", "write at = "),
        ("[columns]", "maps nothing"),
        ('[constants]\ntools = ["x"]\n[columns]\nat = "x"', "single value"),
        ("columns = 1", "write \\[columns\\]"),
        ("not toml", "not valid TOML"),
    ],
)
def test_a_mistake_in_a_mapping_file_names_file_key_and_fix(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        load(str(path))
    assert error.value.at is not None and error.value.at.path == str(path)


def test_a_time_that_is_not_in_the_stated_unit_is_a_reject_that_names_the_field(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"call":"1","when":"2 March","customer":"k","model":"m"}\n')
    (batch,) = read(inspect(str(tmp_path / "a.jsonl")), mapping=load(str(SAMPLES / "own_table.toml")), now_us=NOW)
    assert [(reject.field, reject.reason) for reject in batch.rejects] == [("when", "type")]


def test_paths_walk_objects_lists_and_keys_with_dots() -> None:
    record = {"a": {"b": [{"c": 1}, {"c": 2}]}, "gen_ai.usage": {"in.put": 3}}
    assert lookup(record, "a.b.1.c") == 2
    assert lookup(record, "a.b.-1.c") == 2
    assert lookup(record, "gen_ai.usage.in.put") == 3
    assert lookup(record, "a.b.7.c") is None
    assert lookup(record, "a.x") is None


def test_accounts_from_csv_keep_domains_and_digests_only() -> None:
    table, rejects = read_accounts(str(SAMPLES / "accounts.csv"))
    first, second = table.to_pylist()
    # 2025-06-01T00:00:00Z is 1748736000 s.
    assert first["created_at"] == second["created_at"] == 1_748_736_000_000_000
    assert first["email_domain"] == "acme.example" and first["contract_flags"] == "synthetic_data"
    assert re.fullmatch("[0-9a-f]{32}", first["email_fingerprint"])
    assert re.fullmatch("[0-9a-f]{32}", first["payment_fingerprint"])
    assert [(reject.line, reject.reason) for reject in rejects] == [(4, "duplicate")]


def test_accounts_from_an_sql_query(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "crm.db") as base:
        base.execute("CREATE TABLE customers (id TEXT, since TEXT, tier TEXT)")
        base.execute("INSERT INTO customers VALUES ('k-1', '2025-06-01', 'pro')")
    base.close()
    url = f"sqlite:///{tmp_path}/crm.db?query=SELECT id AS account_id, since AS created_at, tier AS plan FROM customers"
    table, rejects = read_accounts(url)
    assert not rejects
    assert table.to_pylist()[0]["plan"] == "pro" and table.to_pylist()[0]["created_at"] == 1_748_736_000_000_000
    with pytest.raises(InputError, match="no such table"):
        read_accounts(f"sqlite:///{tmp_path}/crm.db?query=SELECT * FROM nobody")
    with pytest.raises(InputError, match="query failed"):
        read_accounts(f"sqlite:///{tmp_path}/crm.db?query=DROP TABLE customers")


def test_litellm_user_and_key_tables_are_recognised(tmp_path: Path) -> None:
    rows = [
        {"user_id": "u-1", "user_email": "Ana.B+x@Gmail.com", "user_role": "internal_user", "created_at": 1748736000},
        {
            "token": "aa11",
            "key_name": "sk-...1234",
            "user_id": None,
            "team_id": "t-1",
            "spend": 0.0,
            "metadata": {"plan": "free"},
        },
        {"user_id": "u-2", "user_email": "anab@gmail.com", "user_role": "internal_user"},
        {"name": "no id"},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    table, rejects = read_accounts(str(tmp_path / "a.jsonl"))
    one, two, three = table.to_pylist()
    assert [one["account_id"], two["account_id"], three["account_id"]] == ["u-1", "t-1", "u-2"]
    assert two["plan"] == "free" and one["email_domain"] == "gmail.com"
    # Case, dots and plus tags do not make another mailbox at Gmail.
    assert one["email_fingerprint"] == three["email_fingerprint"]
    assert [(reject.line, reject.field, reject.reason) for reject in rejects] == [(4, "account_id", "missing")]


def test_coverage_counts_what_says_something() -> None:
    batches = list(read(inspect(str(SAMPLES / "litellm.jsonl")), now_us=NOW))
    share = fields_present(batches)
    assert share["account_id"] == 1.0
    assert share["end_user_id"] == 1 / 5  # one of the five payloads names an end user
    assert share["messages"] == 4 / 5  # one is redacted
    assert fields_present([]) == {}


@pytest.mark.parametrize(
    "raw",
    [
        "sk-proj-abcdefghijklmnop1234",
        "Bearer abcdef123456",
        "AKIAIOSFODNN7EXAMPLE",
        "sk-ant-api03-xyzxyzxyzxyz",
        "AIzaSyA-1234567890abcdefghijklmnopqrs",
        "user:sk-abcdefghijklmnopqrstuv:eu",
    ],
)
def test_raw_credentials_never_survive_and_the_same_one_gives_the_same_digest(raw: str) -> None:
    kept = without_secrets(raw)
    assert "key:" in kept and raw.split()[-1][-10:] not in kept.removesuffix(":eu")
    assert without_secrets(raw) == kept
    assert without_secrets(raw, b"deployment secret") != kept


@pytest.mark.parametrize(
    "plain", ["user-1", "ana@example.org", "task-sketch", "9eca22fe806905af1d05f18866f58c5c", "basic"]
)
def test_ordinary_ids_are_left_alone(plain: str) -> None:
    assert without_secrets(plain) == plain


def test_a_fallback_that_is_neither_field_nor_value_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="literal:"):
        IngestSettings(account_from="acme")


def test_the_example_in_the_guide_is_the_tested_sample() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "how-to" / "mapping.md").read_text()
    assert (SAMPLES / "own_proxy.toml").read_text().strip() in guide
    assert (SAMPLES / "own_proxy.jsonl").read_text().strip()[:40] in guide
