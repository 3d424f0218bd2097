"""Sets of accounts: who of a group takes part in what, and what they did after they first did it.

A group is made of accounts that resemble each other in something. Not all of them take part in a harvest. So each
measure is looked at by itself, on those members who show it at all; the first time that each of them does is not
counted, because it is what chose the member. And what one member does alone says nothing of the others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stillwatch.judge.measures import MEASURES, NAMES
from stillwatch.judge.rows import Rows
from stillwatch.judge.tally import Tally, course, since_first

ALONE: Final = 100  # exchanges that a measure finds, from which an account can be judged by itself

FAR_MORE: Final = 10.0  # times the median of the members
ENOUGH: Final = 8  # exchanges from which a member's share is compared with that of the others ...
UNLIKE: Final = 1 / 3  # ... and so much of it is too little
USUAL: Final = 20  # parameters that a set uses are in one of so many of its exchanges, or more


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Members of a group who show one measure."""

    measure: int  # place in `NAMES`
    members: tuple[int, ...]  # account codes
    places: np.ndarray  # their rows, in time order
    valid: np.ndarray  # bool, rows that count
    n: int
    k: int


def sets(
    rows: Rows, group: Sequence[int], bound: Collection[int], *, convicted: Collection[int] = (),
    only: Mapping[int, np.ndarray] | None = None, strangers: bool = False, least: int = 1,
) -> list[Set]:  # fmt: skip
    """The group's members by measure, where two or more take part.

    Who is bound to the others takes part, and whose own content would do. Of the rest, who shows enough of it to be
    judged alone takes part if it is half of what it does or more, who shows less if it is a quarter: words are copied.

    Args:
        bound: account codes that something outside their content ties to other members.
        convicted: account codes that their own evidence convicts.
        only: account code -> its rows that belong to the group; all of them if it is not named.
        strangers: nothing ties them: only measures that speak about cohorts.
        least: exchanges that a measure must find in all.
    """
    only = only or {}
    places = np.sort(np.concatenate([only[c] if c in only else rows.of(c) for c in group]))
    bits = rows.bits_of_few(places, len(group))
    codes, accounts = np.unique(rows.account[places], return_inverse=True)  # from here on places in `codes`
    size = len(codes)
    texts = np.bincount(accounts[rows.text[places]], minlength=size)
    firm = np.isin(codes, [*bound, *convicted])
    found = []
    for m, name in enumerate(NAMES):
        if strangers and not MEASURES[name].cohorts:
            continue
        shows = ((bits >> m) & 1).astype(bool)
        if int(shows.sum()) < least:
            continue
        k = np.bincount(accounts[shows], minlength=size)
        much = (k >= 2) & (k * np.where(k <= ALONE, 4, 2) >= texts)
        takes_part = (k >= 1) & (firm | much)
        # who does ten times as much as the others, and is bound to none, works for himself
        usual = float(np.median(k[takes_part])) if takes_part.any() else 0.0
        takes_part &= firm | (k <= np.maximum(ALONE, FAR_MORE * usual))
        # who does a third of what the others do, or less, is not one of them
        if takes_part.any():
            usual_share = k[takes_part].sum() / max(int(texts[takes_part].sum()), 1)
            takes_part &= (texts < ENOUGH) | (k >= UNLIKE * usual_share * texts)
        members = np.flatnonzero(takes_part)
        if len(members) >= 2:
            own = takes_part[accounts]
            mine = places[own]
            valid = by_several(rows, mine, shows[own])
            found.append(
                Set(
                    measure=m, members=tuple(codes[members].tolist()), places=mine, valid=valid, n=int(valid.sum()),
                    k=int((valid & shows[own]).sum()),
                )
            )  # fmt: skip
    return found


def widened(rows: Rows, found: Set, group: Collection[int], places: np.ndarray | None) -> tuple[list[int], np.ndarray]:
    """Accounts (codes) and rows of a convicted set with those of its group that nothing ties and that do the same.

    Only where most of the group is in the set: then what it has in common is no stranger's. And only who does it with
    parameters that the set uses.

    Args:
        places: the group's rows, in time order; None: all of its accounts'.
    """
    others = sorted(set(group) - set(found.members))
    if not others or len(found.members) * 2 < len(group):
        return list(found.members), found.places
    rows = rows.of_few(len(group))
    own = rows.of_all(np.array(others)) if places is None else places[np.isin(rows.account[places], others)]
    params = rows.keys["params"]
    used, times = np.unique(params[found.places], return_counts=True)
    same = np.isin(params[own], used[times * USUAL >= len(found.places)])
    shows = ((rows.bits[own] >> found.measure) & 1).astype(bool) & same
    size = len(rows.accounts)
    k = np.bincount(rows.account[own[shows]], minlength=size)
    texts = np.bincount(rows.account[own[rows.text[own]]], minlength=size)
    alike = [c for c in others if k[c] >= 2 and k[c] * found.n >= texts[c] * found.k * UNLIKE]
    more = own[np.isin(rows.account[own], alike)]
    return sorted([*found.members, *alike]), np.union1d(found.places, more)


def by_account(rows: Rows, places: np.ndarray) -> dict[int, np.ndarray]:
    """Account code -> its rows of these, in time order."""
    accounts = rows.account[places]
    order = np.argsort(accounts, kind="stable")
    codes, starts = np.unique(accounts[order], return_index=True)
    return dict(zip(codes.tolist(), np.split(places[order], starts[1:]), strict=True))


def by_several(rows: Rows, places: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Rows that count for a set, (places,) bool: after the member's first marked one, and not the work of one alone.

    While a member has more marked rows than all others together, its rows do not count.

    Args:
        places: the members' rows, in time order; marked: those that show the measure, (places,) bool.
    """
    accounts = rows.account[places]
    order = np.argsort(accounts, kind="stable")
    so_far = np.cumsum(marked[order])
    before = np.append(0, so_far)[np.searchsorted(accounts[order], accounts[order], side="left")]
    own = np.empty(len(places), np.int64)
    own[order] = so_far - before
    return since_first(rows, places, accounts, marked) & (own <= np.cumsum(marked) - own + 1)


def over_time(rows: Rows, found: Set) -> Tally:
    """Counts of a set after each of its rows."""
    return course(rows, found.places, found.valid)
