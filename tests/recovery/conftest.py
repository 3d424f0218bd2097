"""A small log with a campaign in it, and ways to read it into stores that can be compared."""

from __future__ import annotations

import functools
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stillwatch import pipeline
from stillwatch.config import Settings
from stillwatch.intake import InputReport, Intake
from stillwatch.lab.traffic.generate import build
from stillwatch.pipeline import ScanResult
from stillwatch.progress import ignore
from stillwatch.sketch.elicitation import Cues
from stillwatch.store.layout import Store

NOW_US = 1_773_800_000_000_000  # 2026-03-18, after the last exchange of the made-up fortnight
MOST = 45  # exchanges of one account: the campaign is found all the same, and a scan takes two seconds
HONEST = 40


class Traffic(NamedTuple):
    """Lines of a LiteLLM log in the order of the log, and the accounts table."""

    lines: list[bytes]
    accounts: Path
    campaign: frozenset[str]  # account ids

    def write(self, path: Path, first: int = 0, last: int | None = None) -> Path:
        """Some of the lines as a file."""
        path.write_bytes(b"".join(self.lines[first:last]))
        return path


class Stores:
    """Stores with one secret, so that hashes can be compared between them."""

    def __init__(self, folder: Path, seed: Path) -> None:
        self._folder, self._seed, self._made = folder, seed, 0

    def new(self) -> Path:
        """An empty store."""
        self._made += 1
        path = self._folder / f"store-{self._made}"
        shutil.copytree(self._seed, path)
        return path

    @staticmethod
    def settings(store: Path, **options: Any) -> Settings:
        """Settings of a run at a fixed time."""
        return Settings(**({"store": store, "now_us": NOW_US, "workers": 1, "max_bad": 1.0} | options))

    def read(self, store: Path, *sources: Path, **options: Any) -> list[InputReport]:
        """Take sources into a store."""
        return Intake(Store(store), self.settings(store, **options), ignore).run([str(s) for s in sources])

    def scan(self, store: Path, *sources: Path, **options: Any) -> ScanResult:
        """The whole scan."""
        return pipeline.scan([str(s) for s in sources], self.settings(store, **options))


def sketches(store: Path) -> pa.Table:
    """Everything that a verdict can rest on, in a fixed order."""
    files = Store(store).files("sketches")
    table = pa.concat_tables([pq.ParquetFile(file).read() for file in files])
    return table.sort_by("exchange_id").drop_columns(["line"])


def plain(table: pa.Table, *without: str) -> list[dict[str, Any]]:
    """A result table without what names the run."""
    return table.drop_columns([c for c in ("made_by", *without) if c in table.column_names]).to_pylist()


def quarantined(store: Path) -> Counter[tuple[Any, ...]]:
    """What is in quarantine. Of duplicates the number only: how many are listed one by one depends on the blocks."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row in Store(store).result("quarantine").to_pylist():
        if row["reason"] == "duplicate":
            found[row["file"], row["reason"]] += row["records"]
        elif row["records"]:
            found[row["file"], row["line"], row["field"], row["reason"], row["detail"]] += row["records"]
    return found


_compile = functools.cache(Cues.compile)


@pytest.fixture(scope="module", autouse=True)
def compiled_once() -> Iterator[None]:
    """The cues are compiled once, not for each of some two hundred stores; other folders' tests see no change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cues, "compile", _compile)
        yield


@pytest.fixture(scope="session")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    world, truth = build(seed=7)
    campaign = frozenset(truth.campaigns["direct"].accounts)
    honest = [a for a, t in truth.accounts.items() if t.role == "honest"][:HONEST]
    left = dict.fromkeys([*campaign, *honest], MOST)
    lines = []
    for line in world.lines:
        if left.get(line.account_id, 0) > 0:
            left[line.account_id] -= 1
            lines.append(line.data)
    accounts = tmp_path_factory.mktemp("accounts") / "accounts.jsonl"
    records = [a.record for a in world.accounts.values() if a.account_id in left]
    accounts.write_bytes(b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in records))
    return Traffic(lines, accounts, campaign)


@pytest.fixture(scope="session")
def seed_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "store"
    Store(path)
    return path


@pytest.fixture
def stores(tmp_path: Path, seed_store: Path) -> Stores:
    return Stores(tmp_path, seed_store)


@pytest.fixture
def no_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the search for the moment of the flag, which takes four fifths of a small scan."""
    monkeypatch.setattr(pipeline, "flagged", lambda engine, analysis, *rest: [None] * len(analysis.findings))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, int], None]]:
    """Set rows of a part and bytes of a block, so that a small file is written in many steps."""

    def set_sizes(rows: int, block_bytes: int) -> None:
        monkeypatch.setattr("stillwatch.store.parts.PART_ROWS", rows)
        monkeypatch.setattr("stillwatch.intake.BLOCK_BYTES", block_bytes)
        monkeypatch.setattr("stillwatch.ingest.codecs.PIECE", block_bytes)

    yield set_sizes


@pytest.fixture
def same_store() -> Callable[[Path, Path], None]:
    """Compare two stores by everything that results are made of."""

    def compare(found: Path, wanted: Path) -> None:
        assert sketches(found).equals(sketches(wanted))
        assert quarantined(found) == quarantined(wanted)
        for family, key in (("names", ["kind", "hash", "value"]), ("excerpts", ["exchange_id", "text", "line"])):
            both = [
                sorted(
                    tuple(r[k] for k in key)
                    for f in Store(s).files(family)
                    for r in pq.ParquetFile(f).read().to_pylist()
                )
                for s in (found, wanted)
            ]
            assert both[0] == both[1]
        counts = [
            sorted((s.path, s.records, s.kept, s.rejected, s.reasons, s.complete) for s in Store(p).inputs().values())
            for p in (found, wanted)
        ]
        assert counts[0] == counts[1]
        listed = {str(f) for s in Store(found).inputs().values() for f in s.files}
        on_disk = {str(f.relative_to(found)) for f in found.rglob("*.parquet")} - {
            str(f.relative_to(found)) for f in [*(found / "results").glob("*"), found / "accounts.parquet"]
        }
        assert on_disk == listed
        assert not list(found.rglob("*.partial"))

    return compare


__all__: Sequence[str] = ()
