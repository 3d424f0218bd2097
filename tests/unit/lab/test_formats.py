"""Generated traffic in other log formats comes back through the real ingest: nothing lost, nothing set aside."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch.config import Settings
from stillwatch.intake import Intake
from stillwatch.lab.traffic.formats import WRITERS
from stillwatch.lab.traffic.generate import build
from stillwatch.progress import ignore
from stillwatch.store.layout import Store

# What a log cannot carry, by its documentation: facts in docs/how-to/formats.md.
LACKS = {
    "anthropic": {"tokens_reasoning"},
    "otlp-events": {"tokens_reasoning", "stream"},
    "openllmetry": {"tokens_reasoning"},
    "bedrock": {"ip", "user_agent", "latency_ms", "tokens_reasoning"},
    "langfuse": {"ip", "user_agent", "stream"},
    "helicone": {"ip", "user_agent"},
}
LOOKED_AT = (
    "prompt", "answer", "status", "ip", "user_agent", "tokens_in", "tokens_out", "tokens_reasoning", "stream",
    "temperature", "latency_ms", "elicits",
)  # fmt: skip


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    world, _ = build(seed=7)
    return [line.data for line in world.lines[2000:3000]]


def sketches(folder: Path, name: str, lines: list[bytes]) -> pa.Table:
    log = folder / f"{name}.jsonl"
    log.write_bytes(b"".join(orjson.dumps(r) + b"\n" for line in lines for r in WRITERS[name](orjson.loads(line))))
    settings = Settings(store=folder / name, now_us=1_900_000_000_000_000)
    store = Store(settings.store)
    (report,) = Intake(store, settings, ignore).run([str(log)])
    assert not report.reasons
    return pa.concat_tables([pq.read_table(file) for file in store.files("sketches")])


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_exchange_and_account_comes_back(name: str, lines: list[bytes], tmp_path: Path) -> None:
    ids = {orjson.loads(line)["litellm_call_id"] for line in lines}
    accounts = {orjson.loads(line)["metadata"]["user_api_key_user_id"] for line in lines}
    found = sketches(tmp_path, name, lines)
    assert found.num_rows == len(lines)
    if not name.startswith(("otlp", "open")) or name == "openai":  # the others name a span, not a call
        assert set(found.column("exchange_id").to_pylist()) == ids
    assert len(set(found.column("account").to_pylist())) == len(accounts)
    filled = {c for c in LOOKED_AT if found.column(c).null_count < found.num_rows}
    assert set(LOOKED_AT) - filled == LACKS.get(name, set())


def test_writers_leave_the_line_as_it_was(lines: list[bytes]) -> None:
    for line in lines[:50]:
        given = orjson.loads(line)
        for write in WRITERS.values():
            list(write(given))
        assert given == orjson.loads(line)
