"""What a baseline sees: exchanges by account and time, with their prompts, and embedded prompts of a sample."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch.ingest.files import expand
from stillwatch.ingest.read import read as read_exchanges

NUMBERS: Final = ("tokens_in", "tokens_out", "tokens_reasoning", "status", "latency_ms")
LABELS: Final = ("ip", "user_agent", "model", "key_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Exchanges sorted by account and time."""

    accounts: tuple[str, ...]
    owner: np.ndarray  # index into `accounts`, (exchanges,)
    at: np.ndarray  # start, microseconds UTC, (exchanges,)
    prompts: Sequence[str]  # last user message, (exchanges,); empty where there is none
    systems: Sequence[str]  # system prompt, (exchanges,)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)  # NUMBERS, (exchanges,), 0 where not logged
    labels: dict[str, np.ndarray] = field(default_factory=dict)  # LABELS as small integers, (exchanges,)
    sample: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # rows whose prompts are embedded ...
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # ... (sample, dimensions), unit

    def rows(self) -> Iterator[tuple[int, slice]]:
        """(account index, its exchanges)."""
        ends = np.searchsorted(self.owner, np.arange(len(self.accounts) + 1))
        for i in range(len(self.accounts)):
            yield i, slice(int(ends[i]), int(ends[i + 1]))

    def embedded(self) -> Iterator[tuple[int, np.ndarray]]:
        """(account index, its embedded prompts in order of time)."""
        ends = np.searchsorted(self.owner[self.sample], np.arange(len(self.accounts) + 1))
        for i in range(len(self.accounts)):
            yield i, self.vectors[ends[i] : ends[i + 1]]

    def plain(self) -> Traffic:
        """Without embedded prompts."""
        return replace(self, sample=np.zeros(0, np.int64), vectors=np.zeros((0, 0), np.float32))

    def nothing(self) -> np.ndarray:
        """Scores of accounts about which a method says nothing, (accounts,)."""
        return np.full(len(self.accounts), -np.inf)


class Baseline(Protocol):
    """A detector that is calibrated on benign traffic and scores accounts."""

    name: str
    source: str  # paper or product
    embeds: bool  # needs `Traffic.vectors`

    def fit(self, benign: Traffic) -> None:
        """Learn from benign traffic."""

    def scores(self, traffic: Traffic) -> np.ndarray:
        """How suspicious each account is, (accounts,); -inf where the method says nothing."""


def read(logs: Path, keep: frozenset[str] | None = None) -> Traffic:
    """Traffic of a folder of logs; of the accounts in `keep` alone if given."""
    tables = []
    columns = ["account_id", "at", "messages", *NUMBERS, *LABELS]
    for entry in expand([str(logs)]):
        for batch in read_exchanges(entry, now_us=time.time_ns() // 1000):
            tables.append(pa.Table.from_batches([batch.exchanges]).select(columns))
    table = pa.concat_tables(tables)
    if keep is not None:
        table = table.filter(pc.is_in(table.column("account_id"), pa.array(sorted(keep), pa.string())))
    table = table.sort_by([("account_id", "ascending"), ("at", "ascending")])
    names, owner = np.unique(np.array(table.column("account_id").to_pylist(), object).astype(str), return_inverse=True)
    prompts, systems = zip(*map(_texts, table.column("messages").to_pylist()), strict=True) if len(owner) else ((), ())
    return Traffic(
        accounts=tuple(names.tolist()), owner=owner.astype(np.int64), at=table.column("at").to_numpy(),
        prompts=prompts, systems=systems,
        numbers={n: table.column(n).fill_null(0).to_numpy().astype(np.float64) for n in NUMBERS},
        labels={n: _coded(table.column(n)) for n in LABELS},
    )  # fmt: skip


def sampled(traffic: Traffic, cap: int, least: int = 1) -> Traffic:
    """Choose at most `cap` prompts of each account, evenly over its time; accounts of fewer than `least` none."""
    chosen = []
    for _, rows in traffic.rows():
        with_text = [r for r in range(rows.start, rows.stop) if traffic.prompts[r]]
        if len(with_text) >= least:
            picks = np.unique(np.linspace(0, len(with_text) - 1, min(cap, len(with_text))).round().astype(int))
            chosen += [with_text[p] for p in picks]
    return replace(traffic, sample=np.array(chosen, np.int64))


def _texts(messages: list[dict[str, Any]] | None) -> tuple[str, str]:
    users = [m["content"] for m in messages or () if m["role"] == "user" and m["content"]]
    systems = [m["content"] for m in messages or () if m["role"] in ("system", "developer") and m["content"]]
    return users[-1] if users else "", systems[0] if systems else ""


def _coded(column: pa.ChunkedArray) -> np.ndarray:
    coded = column.combine_chunks().dictionary_encode().indices.fill_null(-1)
    return np.asarray(coded.to_numpy(zero_copy_only=False), np.int64)


def joined(parts: Sequence[Traffic]) -> Traffic:
    """Several data sets as one; account names are made unique by the number of their set."""
    shift = np.cumsum([0, *(len(p.accounts) for p in parts)])
    rows = np.cumsum([0, *(len(p.owner) for p in parts)])
    return Traffic(
        accounts=tuple(f"{i}:{a}" for i, p in enumerate(parts) for a in p.accounts),
        owner=np.concatenate([p.owner + s for p, s in zip(parts, shift, strict=False)]),
        at=np.concatenate([p.at for p in parts]),
        prompts=[text for p in parts for text in p.prompts], systems=[text for p in parts for text in p.systems],
        numbers={n: np.concatenate([p.numbers[n] for p in parts]) for n in NUMBERS},
        labels={n: np.concatenate([p.labels[n] for p in parts]) for n in LABELS},
        sample=np.concatenate([p.sample + r for p, r in zip(parts, rows, strict=False)]),
        vectors=np.concatenate([p.vectors for p in parts]),
    )  # fmt: skip
