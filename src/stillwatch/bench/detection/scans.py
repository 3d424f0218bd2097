"""One scan of a data set, with or without some of its fields, and what it concluded, as plain data.

Ablations are scans of the same logs with fields taken away before anything is judged: by the field policy (content,
network), from the table of accounts (payment), by `--no-text`, or value by value in the sketches (one in ten).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch import pipeline, tables
from stillwatch.bench.detection.data import DataSet
from stillwatch.config import Settings
from stillwatch.ingest.accounts import read_accounts
from stillwatch.intake import Intake
from stillwatch.progress import Watcher, ignore
from stillwatch.store.layout import Store, write_table

CONTENT: Final = (
    "messages", "response", "response_extra", "reasoning", "response_format", "tools", "reasoning_blobs_in",
    "reasoning_blobs_out",
)  # fmt: skip
NETWORK: Final = (
    "ip", "asn", "ip_kind", "country", "tls_fingerprint", "header_names", "user_agent", "client_headers", "referer",
    "title",
)  # fmt: skip
IDENTITY: Final = frozenset({"exchange_id", "at", "account", "model", "line"})  # without these there is no exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """What a scan must do without."""

    name: str
    columns: tuple[str, ...] = ()  # of the exchanges
    accounts: tuple[str, ...] = ()  # of the table of accounts
    no_text: bool = False
    missing: float = 0.0  # share of single values taken away at random

    @property
    def policy(self) -> Mapping[str, str]:
        """The columns as a field policy."""
        return {column: "drop" for column in self.columns}


WHOLE: Final = Ablation(name="everything")
ABLATIONS: Final = (
    Ablation(name="no content", columns=CONTENT),
    Ablation(name="no payment", accounts=("payment_fingerprint", "card_bin")),
    Ablation(name="no network", columns=NETWORK, accounts=("signup_ip",)),
    Ablation(name="sketches only", no_text=True),
    Ablation(name="one field in ten missing", missing=0.1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a scan concluded. `members`: campaign id -> exchange ids."""

    verdicts: list[dict[str, Any]]
    campaigns: list[dict[str, Any]]
    pools: list[dict[str, Any]]
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)


def scan(
    data: DataSet, settings: Settings, ablation: Ablation = WHOLE, *, seed: int = 0, progress: Watcher = ignore
) -> Found:
    """Scan a data set into `settings.store`, which must be new."""
    accounts = settings.store.with_name(settings.store.name + "-accounts.jsonl")
    accounts.parent.mkdir(parents=True, exist_ok=True)
    _write_accounts(data.accounts, accounts, ablation, seed)
    settings = settings.replace(
        accounts=str(accounts), policy=ablation.policy, no_text=ablation.no_text, max_bad=1.0
    )  # fmt: skip
    if ablation.missing:
        store = Store(settings.store)
        Intake(store, settings, progress).run([str(data.logs)])
        _lose(store, ablation.missing, seed)
    result = pipeline.scan([str(data.logs)], settings, progress=progress)
    return Found(
        verdicts=result.verdicts.to_pylist(), campaigns=result.campaigns.to_pylist(), pools=result.pools.to_pylist(),
        members=members(result.members),
    )  # fmt: skip


def members(table: pa.Table) -> dict[str, list[str]]:
    """campaign id -> exchange ids."""
    found: dict[str, list[str]] = {}
    for campaign, exchange in zip(*(column.to_pylist() for column in table.columns), strict=True):
        found.setdefault(campaign, []).append(exchange)
    return found


def _write_accounts(source: Path, target: Path, ablation: Ablation, seed: int) -> None:
    rows = read_accounts(str(source)).table.to_pylist()
    rng = np.random.default_rng(seed)
    for row in rows:
        for column in ablation.accounts:
            row[column] = None
        for column in row:
            if ablation.missing and column != "account_id" and rng.random() < ablation.missing:
                row[column] = None
    target.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))


def _lose(store: Store, share: float, seed: int) -> None:
    """Take single values of the sketches away, whichever; what is in them was never asked for."""
    for file in store.files("sketches"):
        rng = np.random.default_rng([seed, zlib.crc32(Path(file).name.encode())])
        table = pq.read_table(file, partitioning=None)
        for i, column in enumerate(tables.SKETCH):
            if column.name not in IDENTITY:
                lost = pa.array(rng.random(table.num_rows) < share)
                kept = pc.if_else(lost, pa.scalar(None, column.type), table.column(i))
                table = table.set_column(i, column, kept)
        write_table(Path(file), table)
