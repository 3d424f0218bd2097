"""From sketches to pools: exact joins tie accounts, popular values do not."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pytest

from stillwatch import tables
from stillwatch.engine import ACCOUNTS, Engine
from stillwatch.link.communities import pools
from stillwatch.link.weigh import Edge, agreements_from, edges
from stillwatch.signals.registry import ALL

SECOND = 1_000_000


def word(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") | 1


def linked(rows: list[dict[str, Any]], known: list[dict[str, Any]] | None = None) -> list[Edge]:
    """Edges between the accounts of sketches; `at` in seconds, words for hashes."""
    hashes = {f.name for f in tables.SKETCH if f.type == pa.uint64()}
    filled = [
        {k: word(v) if k in hashes else v for k, v in row.items()}
        | {"exchange_id": f"x{i}", "line": i + 1, "at": row["at"] * SECOND}
        for i, row in enumerate(rows)
    ]
    accounts = [{k: word(v) for k, v in row.items()} for row in known or []]
    engine = Engine()
    try:
        engine.load_table(
            pa.Table.from_pylist(filled, schema=tables.SKETCH), pa.Table.from_pylist(accounts, schema=ACCOUNTS)
        )
        engine.values()
        found = {
            s.id: tuple(engine.signal(s.id).column(c).to_numpy() for c in ("a", "b", "value", "n"))
            for s in ALL.values()
            if s.shape == "pair"
        }
    finally:
        engine.close()
    return edges(agreements_from(found), len({r["account"] for r in rows}))


def test_a_relay_that_carries_conversations_and_fails_over_is_one_pool():
    rows = []
    for i, (first, then) in enumerate((("a", "b"), ("b", "c"), ("c", "a"))):
        at = 100 * i
        rows += [
            {"account": first, "at": at, "status": 200, "chain_self": f"q{i}", "chain_given": f"g{i}"},
            {"account": first, "at": at + 20, "status": 429, "chain_self": f"r{i}", "chain_parent": f"g{i}"},
            {"account": then, "at": at + 25, "status": 200, "chain_self": f"r{i}", "chain_parent": f"g{i}"},
        ]
    rows.append({"account": "d", "at": 50, "status": 200, "chain_self": "own", "chain_given": "else"})
    found = linked(rows)
    assert {e.families for e in found} == {("identity", "network")}
    assert pools(found) == [sorted(word(a) for a in "abc")]


def test_a_card_and_an_address_tie_two_of_three():
    rows = [
        {"account": "a", "at": 0, "ip": "i1"}, {"account": "b", "at": 10, "ip": "i1"},
        {"account": "c", "at": 20, "ip": "i2"},
    ]  # fmt: skip
    known = [{"account": "a", "payment": "card"}, {"account": "b", "payment": "card"}, {"account": "c", "payment": "x"}]
    assert pools(linked(rows, known)) == [sorted((word("a"), word("b")))]


@pytest.mark.parametrize("size, tied", [(2, True), (60, False), (150, False)])
def test_a_card_and_an_address_of_a_crowd_tie_nobody(size, tied):
    rows = [{"account": f"u{i}", "at": 100 * i, "ip": "nat", "client": "sdk"} for i in range(size)]
    known = [{"account": f"u{i}", "payment": "card"} for i in range(size)]
    assert bool(linked(rows, known)) is tied


def test_a_canned_opening_and_a_popular_prompt_tie_nobody():
    rows: list[dict[str, Any]] = []
    for i in range(12):
        rows += [
            {"account": f"u{i}", "at": i, "status": 429 if i % 3 == 0 else 200, "chain_self": "hello",
             "chain_given": "canned"},
            {"account": f"u{i}", "at": 40 + i, "status": 200, "chain_self": f"own{i}", "chain_parent": "canned"},
        ]  # fmt: skip
    assert linked(rows) == []
