"""Bulk rows are what the benchmarks say of them."""

from __future__ import annotations

import hashlib
import statistics
import zlib
from collections import Counter

import orjson
import pytest

from stillwatch.lab.traffic import write_speed

ROWS = 8_000


@pytest.fixture(scope="module")
def bulk(tmp_path_factory):
    path = tmp_path_factory.mktemp("bulk") / "rows.jsonl"
    write_speed(path, ROWS, seed=3)
    return path


@pytest.fixture(scope="module")
def rows(bulk):
    return [orjson.loads(line) for line in bulk.read_bytes().splitlines()]


def size(text):
    return len(text.encode())


def test_sizes_are_those_of_a_gateway_log(bulk, rows):
    assert len(rows) == ROWS
    last = statistics.fmean(size(r["messages"][-1]["content"]) for r in rows)
    all_ = statistics.fmean(sum(size(m["content"]) for m in r["messages"]) for r in rows)
    told = statistics.fmean(size(r["response"]["choices"][0]["message"]["content"]) for r in rows)
    row = bulk.stat().st_size / ROWS
    assert 900 <= last <= 1_100 and 1_450 <= all_ <= 1_800 and 1_350 <= told <= 1_650
    assert 3_800 <= row <= 4_300


def test_shares_are_as_documented(rows):
    multi = sum(any(m["role"] == "assistant" for m in r["messages"]) for r in rows) / ROWS
    system = sum(r["messages"][0]["role"] == "system" for r in rows) / ROWS
    wide = sum(size(r["messages"][-1]["content"]) > 1.3 * len(r["messages"][-1]["content"]) for r in rows) / ROWS
    tagged = sum(r["response"]["choices"][0]["message"]["content"].startswith("<reasoning>") for r in rows) / ROWS
    assert 0.16 <= multi <= 0.22 and 0.34 <= system <= 0.46 and 0.035 <= wide <= 0.065 and 0.04 <= tagged <= 0.06
    accounts = Counter(r["metadata"]["user_api_key_user_id"] for r in rows)
    assert 35 <= ROWS / len(accounts) <= 45


def test_prompts_are_distinct_and_compress_like_text(rows):
    assert len({r["messages"][-1]["content"] for r in rows}) / ROWS > 0.99
    answers = [r["response"]["choices"][0]["message"]["content"].encode() for r in rows]
    ratio = statistics.fmean(len(a) / len(zlib.compress(a)) for a in answers if len(a) > 1_200)
    assert 1.8 <= ratio <= 3.0


def test_rows_are_in_order_of_their_end_and_repeat_by_seed(bulk, rows, tmp_path, capsys):
    ends = [r["endTime"] for r in rows]
    assert ends == sorted(ends)
    again = tmp_path / "again.jsonl"
    write_speed(again, ROWS, seed=3)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(bulk.read_bytes()).digest()
    assert f"{ROWS} rows" in capsys.readouterr().out


def test_no_rows_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        write_speed(tmp_path / "none.jsonl", 0)
