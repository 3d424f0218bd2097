"""Cohorts: accounts that fill the same asking templates, however little each sends and whatever else it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from stillwatch.engine import Engine
from stillwatch.judge.rows import Rows, mixed
from stillwatch.judge.ties import Ties
from stillwatch.link import communities
from stillwatch.link.weigh import Edge

# What two fillings of one template have in common, and how many of such agreements it counts for: the system prompt or
# the first dozen words are one template for sure, the first or last few words may be chance. Equal words under
# different system prompts are what people copy from each other.
TEMPLATE: Final = (
    (("system_head",), 2), (("system_head", "head_long"), 2), (("system_head", "head"), 1),
    (("system_head", "tail"), 1),
)  # fmt: skip
REPRESENTATIVES: Final = 8  # accounts of a template that the others are compared with
POPULAR: Final = 3.0  # a template that so many times more accounts use than ask with is a product, not an order
SHARED: Final = 2  # agreements that two accounts must have in common


def templates(rows: Rows, accounts: np.ndarray, engine: Engine) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Templates whose fillings mostly ask or take what a harvest takes, what they count for, and who fills them.

    (template, agreements, account code), each pair of template and account once.

    Args:
        accounts: codes of the accounts that are looked at.
    """
    looked = np.zeros(len(rows.accounts), bool)
    looked[accounts] = True
    found, counts, fillers = [], [], []
    for i, (names, agreements) in enumerate(TEMPLATE):
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
        both = both[users[both[:, 0]] >= 2]
        kept = np.unique(both[:, 0])
        everybody = np.zeros(len(values), np.int64)
        everybody[kept] = engine.popularity({n: p[known][first[kept]] for n, p in zip(names, parts, strict=True)})
        rare = everybody[both[:, 0]] <= POPULAR * users[both[:, 0]]
        found.append(values[both[rare, 0]])
        counts.append(np.full(int(rare.sum()), agreements))
        fillers.append(both[rare, 1])
    return np.concatenate(found), np.concatenate(counts), np.concatenate(fillers)


def cohorts(found: np.ndarray, counts: np.ndarray, fillers: np.ndarray) -> list[list[int]]:
    """Groups of account codes that have `SHARED` agreements in templates with a neighbour, each sorted."""
    users: dict[tuple[int, int], list[int]] = defaultdict(list)
    for template, count, account in zip(found.tolist(), counts.tolist(), fillers.tolist(), strict=True):
        users[template, count].append(account)
    # each account against the first users of each template: what it has in common with one of them suffices
    common: dict[tuple[int, int], int] = defaultdict(int)
    for (_, count), accounts in users.items():
        ordered = sorted(set(accounts))
        for place, first in enumerate(ordered[:REPRESENTATIVES]):
            for other in ordered[place + 1 :]:
                common[first, other] += count
    # large groups are cut where only a few templates hold them together: two campaigns may copy from one source
    return communities.pools([Edge(a, b, float(k), (), ()) for (a, b), k in sorted(common.items()) if k >= SHARED])


def alike(rows: Rows, codes: np.ndarray, ties: Ties) -> list[list[int]]:
    """Groups of account codes that do the same with one program and one set of parameters, and are tied; each sorted.

    Bare questions share no words. So only who shares a value or work with somebody that does the same is in such a
    group: honest programs come in the same few versions.
    """
    looked = np.zeros(len(rows.accounts), bool)
    looked[codes] = True
    swept = np.flatnonzero(rows.used & ~rows.asks & looked[rows.account])
    profile = mixed(rows.keys["program"][swept], rows.keys["params"][swept])
    _, which = np.unique(profile, return_inverse=True)
    both, k = np.unique(np.stack([rows.account[swept], which], axis=1), axis=0, return_counts=True)
    texts = np.bincount(rows.account[rows.text], minlength=len(rows.accounts))
    profiles: dict[int, list[int]] = defaultdict(list)
    for (account, kind), n in zip(both.tolist(), k.tolist(), strict=True):
        if n >= 2 and n * 4 >= texts[account]:
            profiles[kind].append(account)
    found = []
    for _, members in sorted(profiles.items()):
        if len(members) >= 2:
            place = {int(rows.accounts[c]): c for c in members}
            found += [sorted(place[a] for a in group) for group in ties.groups(list(place))]
    return found


def groups(
    rows: Rows, codes: np.ndarray, engine: Engine, pools: Sequence[Sequence[int]], ties: Ties
) -> list[tuple[int, ...]]:
    """Sets of accounts to judge as one: what shares templates, what sweeps alike, and linked pools.

    Args:
        codes: accounts that are looked at; `pools` are account hashes.
    Returns:
        account codes, each group and the list sorted.
    """
    place = {int(rows.accounts[c]): int(c) for c in codes}
    found = [*cohorts(*templates(rows, codes, engine)), *alike(rows, codes, ties)]
    return joined(found, [[place[a] for a in pool if a in place] for pool in pools])


def joined(found: Sequence[Sequence[int]], pools: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Sets to judge: cohorts, widened by the working members of pools, and pools in which no cohort is.

    A pool most of whose working members are in one cohort belongs to it; a pool that two cohorts share stays out of
    both, because two may work on one infrastructure.
    """
    member: Mapping[int, int] = {a: i for i, cohort in enumerate(found) for a in cohort}
    grown = [set(c) for c in found]
    alone: list[set[int]] = []
    for pool in pools:
        inside: dict[int, int] = defaultdict(int)
        for a in pool:
            if a in member:
                inside[member[a]] += 1
        if not inside:
            alone.append(set(pool))
        elif len(inside) == 1:
            (only,) = inside
            if inside[only] * 2 >= len(pool) or inside[only] >= 3:
                grown[only] |= set(pool)
            else:
                alone.append(set(pool))
    return sorted({tuple(sorted(s)) for s in [*grown, *alone] if len(s) >= 2})
