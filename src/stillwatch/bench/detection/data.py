"""A data set with ground truth: logs, accounts, who is who, and which exchange was harvest.

logs/            the gateway's log, in any format that a scan reads
accounts.jsonl   tables.ACCOUNT
truth.json       seed, side, scenario, accounts, campaigns, pools
truth.parquet    exchange_id, at, account_id, stream, campaign (null: no harvest), reasoning; a row an exchange
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.errors import InputError, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAccount:
    """What one account is."""

    role: str  # honest | campaign | reseller | router | victim
    workload: str
    language: str
    campaigns: tuple[str, ...]  # harvests that pass through it

    @property
    def own(self) -> bool:
        """Is it an account of a campaign, and not somebody else's that a campaign passes through?"""
        return self.role == "campaign"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCampaign:
    """What one campaign did."""

    families: tuple[str, ...]
    organisation: Mapping[str, Any]
    obfuscations: tuple[str, ...]
    share: float  # of the traffic of the accounts that it hides in; 1: accounts of its own
    accounts: tuple[str, ...]
    exchanges: int
    reasoning: int
    first_at: int
    observable: bool
    expected_miss: bool


@dataclass(frozen=True)
class Known:
    """The answer key of one data set."""

    seed: int
    side: str
    scenario: str
    first_at: int
    last_at: int
    accounts: Mapping[str, KnownAccount]
    campaigns: Mapping[str, KnownCampaign]
    pools: Mapping[str, tuple[str, ...]]
    rows: pa.Table  # truth.parquet

    @cached_property
    def position(self) -> dict[str, int]:
        """exchange_id -> row."""
        return {e: i for i, e in enumerate(self.rows.column("exchange_id").to_pylist())}

    @cached_property
    def campaign(self) -> np.ndarray:
        """Campaign id of each row or None, (exchanges,)."""
        return np.array(self.rows.column("campaign").to_pylist(), object)

    @cached_property
    def account(self) -> np.ndarray:
        """Account id of each row, (exchanges,)."""
        return np.array(self.rows.column("account_id").to_pylist(), object)

    @cached_property
    def at(self) -> np.ndarray:
        """Start of each row, microseconds UTC, (exchanges,)."""
        return np.asarray(self.rows.column("at").cast(pa.int64()).to_numpy(), np.int64)

    @cached_property
    def reasoning(self) -> np.ndarray:
        """Does the row carry a reasoning trace? (exchanges,)."""
        return np.asarray(self.rows.column("reasoning").fill_null(False).to_numpy(zero_copy_only=False), bool)

    def hides(self, campaign: str) -> bool:
        """Does the campaign pass through accounts of others, most of them: a router's, a reseller's, stolen ones?"""
        accounts = [self.accounts[a] for a in self.campaigns[campaign].accounts if a in self.accounts]
        return sum(account.own for account in accounts) * 2 < len(accounts)

    @property
    def months(self) -> float:
        """Length of the period in months of thirty days."""
        return max((self.last_at - self.first_at) / (30 * 86_400e6), 1e-9)

    def at_rows(self, exchange_ids: Sequence[str]) -> np.ndarray:
        """Rows of these exchanges; ids that the truth does not know are left out."""
        return np.array(sorted({self.position[e] for e in exchange_ids if e in self.position}), np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A folder with a data set."""

    folder: Path

    @property
    def logs(self) -> Path:
        """Folder of the logs."""
        return self.folder / "logs"

    @property
    def accounts(self) -> Path:
        """Table of accounts."""
        return self.folder / "accounts.jsonl"

    def leaks(self) -> dict[str, Any]:
        """What the generator's leak audit found: field -> AUC of accounts and of exchanges; empty without one."""
        path = self.folder / "leaks.json"
        if not path.exists():
            return {}
        raw = orjson.loads(path.read_bytes())
        return {
            "fields": {
                f"{kind}: {name}": area[0] for kind in ("account", "exchange") for name, area in raw[kind].items()
            },
            "tree": raw["account_tree"],
            "leaks": raw["leaks"],
        }

    def known(self) -> Known:
        """The answer key.

        Raises:
            InputError: a file is missing or is no answer key.
        """
        path = self.folder / "truth.json"
        try:
            raw = orjson.loads(path.read_bytes())
            rows = pq.read_table(self.folder / "truth.parquet")
            return Known(
                seed=raw["seed"], side=raw["side"], scenario=str(raw["scenario"]), first_at=raw["first_at"],
                last_at=raw["last_at"], rows=rows,
                accounts={name: _account(a) for name, a in raw["accounts"].items()},
                campaigns={name: _campaign(c) for name, c in raw["campaigns"].items()},
                pools={name: tuple(p["accounts"]) for name, p in raw.get("pools", {}).items()},
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise InputError(
                f"this is no data set with an answer key: {err!r}", at=Place(path=str(path)),
                fix="make one with `stillwatch lab traffic --out DIR`",
            ) from err  # fmt: skip


def _account(raw: Mapping[str, Any]) -> KnownAccount:
    return KnownAccount(
        role=raw["role"], workload=raw.get("workload") or "?", language=raw.get("language") or "?",
        campaigns=tuple(raw.get("campaigns") or ()),
    )  # fmt: skip


def _campaign(raw: Mapping[str, Any]) -> KnownCampaign:
    return KnownCampaign(
        families=tuple(raw["families"]), organisation=raw.get("organisation") or {},
        obfuscations=tuple(raw.get("obfuscations") or ()), share=float(raw.get("share", 1.0)),
        accounts=tuple(raw["accounts"]), exchanges=int(raw["exchanges"]),
        reasoning=int(raw.get("reasoning_exchanges", 0)), first_at=int(raw.get("first_at") or 0),
        observable=bool(raw.get("observable", True)), expected_miss=bool(raw.get("expected_miss", False)),
    )  # fmt: skip
