"""Groups of accounts to judge as one: by the templates they fill, by what ties them, and both.

Groups may overlap: each is a guess at who works together, and the evidence decides which guess is best.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stillwatch.engine import Engine
from stillwatch.judge.rows import POPULAR, Rows, mixed
from stillwatch.judge.ties import Ties

# What two fillings of one template have in common. The first or last few words alone may be chance, and equal words
# under different system prompts are what people copy from each other.
TEMPLATE: Final = (
    ("system_head",), ("system_head", "head_long"), ("system_head", "head"), ("system_head", "tail"),
)  # fmt: skip
OVERLAP: Final = 0.5  # two templates are one order if so much of the larger group fills both


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Accounts to judge as one."""

    accounts: frozenset[int]  # codes
    places: np.ndarray | None = None  # rows that belong to it, in time order; None: all of its accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """Templates whose fillings mostly ask or take what a harvest takes, filled by two accounts or more."""

    template: np.ndarray  # uint64: which template ...
    filler: np.ndarray  # int64: ... which account fills, each pair once
    row_template: np.ndarray  # uint64: which template ...
    row: np.ndarray  # int64: ... which row fills, in time order within each way of cutting


def templates(rows: Rows, accounts: np.ndarray, engine: Engine) -> Templates:
    """Templates that accounts which are looked at (codes) fill."""
    looked = np.zeros(len(rows.accounts), bool)
    looked[accounts] = True
    found, fillers, row_templates, row_places = [], [], [], []
    for i, names in enumerate(TEMPLATE):
        parts = [rows.keys[name] for name in names]
        known = np.flatnonzero(parts[-1])
        values, first, which = np.unique(
            mixed(np.full(len(known), i), *(p[known] for p in parts)), return_index=True, return_inverse=True
        )
        used = rows.used[known]
        share = np.bincount(which[used], minlength=len(values)) / np.maximum(np.bincount(which), 1)
        mine = looked[rows.account[known]] & used & (share[which] >= 0.5)
        both = np.unique(np.stack([which[mine], rows.account[known][mine]], axis=1), axis=0)
        users = np.bincount(both[:, 0], minlength=len(values))
        kept = np.flatnonzero(users >= 2)
        everybody = engine.popularity({n: p[known][first[kept]] for n, p in zip(names, parts, strict=True)})
        good = np.zeros(len(values), bool)
        good[kept] = everybody <= POPULAR * users[kept]
        both = both[good[both[:, 0]]]
        filling = good[which] & looked[rows.account[known]]
        found.append(values[both[:, 0]])
        fillers.append(both[:, 1])
        row_templates.append(values[which[filling]])
        row_places.append(known[filling])
    return Templates(
        template=np.concatenate(found), filler=np.concatenate(fillers),
        row_template=np.concatenate(row_templates), row=np.concatenate(row_places),
    )  # fmt: skip


def cohorts(given: Templates) -> list[Group]:
    """Accounts that fill one template, or several that mostly the same accounts fill: with these rows alone.

    A campaign with several wordings has each of them in many of its accounts. Two campaigns that copy from one source
    share single templates, and stay apart.
    """
    if not len(given.template):
        return []
    names, row = np.unique(given.template, return_inverse=True)
    accounts, column = np.unique(given.filler, return_inverse=True)
    fills = coo_array((np.ones(len(row)), (row, column)), shape=(len(names), len(accounts))).tocsr()
    size = np.bincount(row, minlength=len(names))
    common = (fills @ fills.T).tocoo()
    close = common.data >= OVERLAP * np.maximum(size[common.row], size[common.col])
    joined = coo_array((common.data[close], (common.row[close], common.col[close])), shape=common.shape)
    _, label = connected_components(joined, directed=False)
    members: dict[int, set[int]] = defaultdict(set)
    for group, account in zip(label[row].tolist(), given.filler.tolist(), strict=True):
        members[group].add(account)
    which = label[np.searchsorted(names, given.row_template)]
    order = np.lexsort((given.row, which))
    parts = np.split(given.row[order], np.searchsorted(which[order], np.arange(1, int(label.max()) + 1)))
    return [Group(accounts=frozenset(m), places=np.unique(parts[group])) for group, m in sorted(members.items())]


def alike(rows: Rows, codes: np.ndarray, ties: Ties) -> list[frozenset[int]]:
    """Accounts that do the same with one program and one set of parameters, and are tied.

    Bare questions share no words. So only who shares a value or work with somebody that does the same is in such a
    group: honest programs come in the same few versions.
    """
    looked = np.zeros(len(rows.accounts), bool)
    looked[codes] = True
    used = np.flatnonzero(rows.used & looked[rows.account])
    profile = mixed(rows.keys["program"][used], rows.keys["params"][used])
    _, which = np.unique(profile, return_inverse=True)
    both, k = np.unique(np.stack([rows.account[used], which], axis=1), axis=0, return_counts=True)
    texts = np.bincount(rows.account[rows.text], minlength=len(rows.accounts))
    profiles: dict[int, list[int]] = defaultdict(list)
    for (account, kind), n in zip(both.tolist(), k.tolist(), strict=True):
        if n >= 2 and n * 4 >= texts[account]:
            profiles[kind].append(account)
    return [g for _, members in sorted(profiles.items()) if len(members) >= 2 for g in tied(rows, members, ties)]


def tied(rows: Rows, codes: Iterable[int], ties: Ties) -> list[frozenset[int]]:
    """Accounts that cards, sign-ups and work that moved hold together; and those that addresses and clients do."""
    place = {int(rows.accounts[c]): int(c) for c in codes}
    found = ties.groups(list(place), ("identity",)) + ties.groups(list(place), ("identity", "network"))
    return [frozenset(place[a] for a in group) for group in found]


def groups(rows: Rows, codes: np.ndarray, engine: Engine, pools: Sequence[Sequence[int]], ties: Ties) -> list[Group]:
    """Groups to judge as one: what fills the same templates, what is tied, and linked pools.

    Strangers who do the same are no set: in each group two accounts or more hang together by something, or all of them
    fill one rare template.

    Args:
        codes: accounts that are looked at; `pools` are account hashes.
    """
    place = {int(rows.accounts[c]): int(c) for c in codes}
    label = np.full(len(rows.accounts), -1, np.int64)
    label[list(place.values())] = ties.labels(list(place))
    linked = [frozenset(place[a] for a in pool if a in place) for pool in pools]
    filled = cohorts(templates(rows, codes, engine))
    whole = [g.accounts for g in filled]
    found = {*whole, *alike(rows, codes, ties), *tied(rows, codes, ties), *linked, *with_pools(whole, linked)}
    ordered = sorted(found, key=lambda g: tuple(sorted(g)))
    return [
        g
        for g in [*filled, *(Group(accounts=a) for a in ordered)]
        if len(g.accounts) >= 2 and (g.places is not None or len(np.unique(label[list(g.accounts)])) < len(g.accounts))
    ]


def with_pools(cohorts: Sequence[frozenset[int]], pools: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Cohorts together with the pools that belong to them: half of the pool is in the cohort, or three of it are."""
    home: dict[int, list[int]] = defaultdict(list)
    for number, pool in enumerate(pools):
        for a in pool:
            home[a].append(number)
    found = []
    for cohort in cohorts:
        inside: dict[int, int] = defaultdict(int)
        for a in cohort:
            for number in home.get(a, ()):
                inside[number] += 1
        own = [pools[number] for number, k in inside.items() if k * 2 >= len(pools[number]) or k >= 3]
        if own:
            found.append(cohort.union(*own))
    return found
