"""Streams: what one customer, template or program makes inside an account that does other things too.

An account is cut in several ways, because whoever hides in it controls some of them. Relays put their own headers and
user ids on everything; what is asked for and how remains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from stillwatch.judge.measures import NAMES
from stillwatch.judge.rows import Rows, mixed
from stillwatch.judge.tally import Tally, counted, tally

CUTS: Final = (
    ("system_head", "params"), ("system_head", "head"), ("head",), ("tail",), ("end_user",), ("program", "app"),
    ("params",), ("key",),
)  # fmt: skip
LEAST: Final = 12  # exchanges of the smallest stream that is judged
ALL_OF_IT: Final = 0.9  # a stream that is more of its account than this is the account


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Candidate streams: `account` (codes), `cut` (places in `CUTS`), `number` (names), `places` of their rows."""

    account: np.ndarray
    cut: np.ndarray
    number: np.ndarray
    places: list[np.ndarray]
    tally: Tally

    def __len__(self) -> int:
        return len(self.account)


def streams(rows: Rows, accounts: np.ndarray, *, least: int = LEAST) -> Streams:
    """Streams of some accounts (codes) in which at least `least` exchanges ask for what is looked for."""
    places = rows.of_all(accounts)
    account, cut, number, members = [], [], [], []
    n_all, k_all = [], []
    size = np.bincount(rows.account[places], minlength=len(rows.accounts))
    for i, names in enumerate(CUTS):
        keys = [rows.keys[name][places] for name in names]
        filled = np.any([k != 0 for k in keys], axis=0)
        if not filled.any():
            continue
        own = places[filled]
        hashes = mixed(rows.accounts[rows.account[own]], np.full(len(own), i), *(k[filled] for k in keys))
        names_of, units = np.unique(hashes, return_inverse=True)
        valid = counted(rows, own, units)
        found = tally(rows, own, units, len(names_of), valid)
        n_rows = np.bincount(units, minlength=len(names_of))
        asks = np.bincount(units[rows.asks[own]], minlength=len(names_of))
        order = np.argsort(units, kind="stable")
        starts = np.searchsorted(units[order], np.arange(len(names_of) + 1))
        owner = rows.account[own[order[starts[:-1]]]]
        good = np.flatnonzero((asks >= least) & (found.n + 1 >= least) & (n_rows < ALL_OF_IT * size[owner]))
        for u in good:
            account.append(int(owner[u]))
            cut.append(i)
            number.append(names_of[u])
            members.append(own[order[starts[u] : starts[u + 1]]])
        n_all.append(found.n[good])
        k_all.append(found.k[good])
    return Streams(
        account=np.array(account, np.int64), cut=np.array(cut, np.int64), number=np.array(number, np.uint64),
        places=members,
        tally=Tally(
            n=np.concatenate(n_all) if n_all else np.zeros(0, np.int64),
            k=np.concatenate(k_all) if k_all else np.zeros((0, len(NAMES)), np.int64),
        ),
    )  # fmt: skip


def apart(found: Streams, chosen: list[int], rows: Rows) -> list[int]:
    """Of overlapping streams of one account the ones that add something: `chosen` in order of preference.

    A later one is kept if half of its rows that no earlier one has ask for what is looked for, and at least `LEAST` do.
    """
    kept: list[int] = []
    taken = np.zeros(0, np.int64)
    for s in chosen:
        fresh = np.setdiff1d(found.places[s], taken, assume_unique=True)
        asks = int(rows.asks[fresh].sum())
        if not kept or (asks >= LEAST and asks * 2 >= len(fresh)):
            kept.append(s)
            taken = np.union1d(taken, found.places[s])
    return kept
