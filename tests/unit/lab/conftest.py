"""One generated fortnight for all tests of the generator, and small scenarios played on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
import zstandard

from stillwatch.lab.traffic import scenario, write
from stillwatch.lab.traffic.generate import build
from stillwatch.lab.traffic.truth import Truth
from stillwatch.lab.traffic.world import World


@pytest.fixture(scope="session")
def fortnight() -> tuple[World, Truth]:
    return build(seed=7)


@dataclass(frozen=True)
class Played:
    """A data set as its reader sees it."""

    folder: Path
    rows: list[dict[str, Any]]  # of the logs, in their order
    truth: dict[str, Any]
    key: list[dict[str, Any]]  # of truth.parquet
    accounts: dict[str, dict[str, Any]]
    written: write.Written

    def harvest(self) -> list[dict[str, Any]]:
        """Logged rows that are harvest, by start."""
        guilty = {k["exchange_id"] for k in self.key if k["campaign"]}
        return sorted((r for r in self.rows if r["litellm_call_id"] in guilty), key=lambda r: r["startTime"])


def play_toml(folder: Path, text: str, *, seed: int = 5, side: str = "tune", exchanges: int | None = None) -> Played:
    """Write a scenario, play it, read everything back."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "own.toml"
    file.write_text(text, "utf-8")
    read = scenario.load(str(file))
    made = scenario.cast(read, seed=seed, side=side, exchanges=exchanges)
    done = write.write(made, folder, seed=seed, side=side, scenario=read.name, expected=read.exchanges)
    raw = b"".join(zstandard.ZstdDecompressor().stream_reader(f.read_bytes()).read() for f in done.files)
    return Played(
        folder=folder,
        rows=[orjson.loads(line) for line in raw.splitlines()],
        truth=orjson.loads((folder / "truth.json").read_bytes()),
        key=pq.read_table(folder / "truth.parquet").to_pylist(),
        accounts={a["account_id"]: a for a in map(orjson.loads, (folder / "accounts.jsonl").read_bytes().splitlines())},
        written=done,
    )


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Played]:
    """Play a scenario given as TOML."""
    return lambda text, **more: play_toml(tmp_path / "set", text, **more)
