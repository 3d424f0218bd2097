"""Sets of accounts: who of a group takes part in what, and what they did after they first did it.

A group is made of accounts that resemble each other in something. Not all of them take part in a harvest. So each
measure is looked at by itself, on those members who show it at all; the first time that each of them does is not
counted, because it is what chose the member.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stillwatch.judge.measures import NAMES
from stillwatch.judge.rows import Rows
from stillwatch.judge.tally import Tally, course, since_first

ALONE: Final = 100  # exchanges that a measure finds, from which an account can be judged by itself


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
    only: Mapping[int, np.ndarray] | None = None,
) -> list[Set]:  # fmt: skip
    """The group's members by measure, where two or more take part.

    Who is bound to the others takes part, and whose own content would do. Of the rest, who shows enough of it to be
    judged alone takes part if it is half of what it does or more, who shows less if it is a quarter: words are copied.

    Args:
        bound: account codes that something outside their content ties to other members.
        convicted: account codes that their own evidence convicts.
        only: account code -> its rows that belong to the group; all of them if it is not named.
    """
    only = only or {}
    places = np.sort(np.concatenate([only[c] if c in only else rows.of(c) for c in group]))
    accounts = rows.account[places]
    size = len(rows.accounts)
    texts = np.bincount(accounts[rows.text[places]], minlength=size)
    firm = np.zeros(size, bool)
    firm[[*bound, *convicted]] = True
    found = []
    for m in range(len(NAMES)):
        shows = ((rows.bits[places] >> m) & 1).astype(bool)
        k = np.bincount(accounts[shows], minlength=size)
        much = (k >= 2) & (k * np.where(k <= ALONE, 4, 2) >= texts)
        takes_part = (k >= 1) & (firm | much)
        members = np.flatnonzero(takes_part)
        if len(members) >= 2:
            own = takes_part[accounts]
            mine = places[own]
            valid = since_first(rows, mine, rows.account[mine], shows[own])
            found.append(
                Set(
                    measure=m, members=tuple(members.tolist()), places=mine, valid=valid, n=int(valid.sum()),
                    k=int((valid & shows[own]).sum()),
                )
            )  # fmt: skip
    return found


def over_time(rows: Rows, found: Set) -> Tally:
    """Counts of a set after each of its rows."""
    return course(rows, found.places, found.valid)
