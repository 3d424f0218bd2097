"""Cohorts: accounts that fill the same asking templates, however little each sends and whatever else it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from stillwatch.engine import Engine
from stillwatch.judge.measures import mask
from stillwatch.judge.rows import Rows, mixed
from stillwatch.link import communities

# What two fillings of one template have in common: the system prompt, or without it the first or the last words. Equal
# words under different system prompts are what people copy from each other.
TEMPLATE: Final = (("system_head",), ("system_head", "head"), ("system_head", "tail"))
REPRESENTATIVES: Final = 8  # accounts of a template that the others are compared with
POPULAR: Final = 3.0  # a template that so many times more accounts use than ask with is a product, not an order
SHARED: Final = 2  # templates that two accounts must have in common


def asking_templates(rows: Rows, accounts: np.ndarray, engine: Engine) -> tuple[np.ndarray, np.ndarray]:
    """Templates that mostly ask, and who fills them: (template, account code), each pair once.

    Args:
        accounts: codes of the accounts that are looked at.
    """
    looked = np.zeros(len(rows.accounts), bool)
    looked[accounts] = True
    templates, fillers = [], []
    for i, names in enumerate(TEMPLATE):
        parts = [rows.keys[name] for name in names]
        known = np.flatnonzero(parts[-1])
        values, first, which = np.unique(
            mixed(np.full(len(known), i), *(p[known] for p in parts)), return_index=True, return_inverse=True
        )
        asks = np.bincount(which[rows.asks[known]], minlength=len(values))
        every = np.bincount(which, minlength=len(values))
        mine = looked[rows.account[known]] & rows.asks[known] & (asks[which] * 2 >= every[which])
        both = np.unique(np.stack([which[mine], rows.account[known][mine]], axis=1), axis=0)
        users = np.bincount(both[:, 0], minlength=len(values))
        both = both[users[both[:, 0]] >= 2]
        kept = np.unique(both[:, 0])
        everybody = np.zeros(len(values), np.int64)
        everybody[kept] = engine.popularity({n: p[known][first[kept]] for n, p in zip(names, parts, strict=True)})
        rare = everybody[both[:, 0]] <= POPULAR * users[both[:, 0]]
        templates.append(values[both[rare, 0]])
        fillers.append(both[rare, 1])
    return np.concatenate(templates), np.concatenate(fillers)


def cohorts(templates: np.ndarray, fillers: np.ndarray) -> list[list[int]]:
    """Groups of account codes that share `SHARED` asking templates with a neighbour, each sorted."""
    users: dict[int, list[int]] = defaultdict(list)
    for template, account in zip(templates.tolist(), fillers.tolist(), strict=True):
        users[template].append(account)
    # each account against the first users of each template: what it has in common with one of them suffices
    common: dict[tuple[int, int], int] = defaultdict(int)
    for accounts in users.values():
        ordered = sorted(set(accounts))
        for place, first in enumerate(ordered[:REPRESENTATIVES]):
            for other in ordered[place + 1 :]:
                common[first, other] += 1
    return communities.components([pair for pair, count in common.items() if count >= SHARED])


def alike(rows: Rows, close: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Groups of account codes that sweep with one program and one set of parameters, each sorted.

    Bare questions share no words. So only who is closely tied to somebody that does the same is in such a group: honest
    programs come in the same few versions.

    Args:
        close: pairs of accounts (codes) that one agreement of another family ties.
    """
    swept = np.flatnonzero(rows.bits & mask("swept"))
    profile = mixed(rows.keys["program"][swept], rows.keys["params"][swept])
    kinds, which = np.unique(profile, return_inverse=True)
    both, k = np.unique(np.stack([rows.account[swept], which], axis=1), axis=0, return_counts=True)
    texts = np.bincount(rows.account[rows.text], minlength=len(rows.accounts))
    mostly = {int(a): int(p) for (a, p), n in zip(both, k, strict=True) if n >= 2 and n * 2 >= texts[a]}
    groups: dict[int, set[int]] = defaultdict(set)
    for a, b in close:
        if a in mostly and mostly.get(b) == mostly[a]:
            groups[mostly[a]] |= {a, b}
    return [sorted(g) for _, g in sorted(groups.items())]


def groups(
    rows: Rows, codes: np.ndarray, engine: Engine, pools: Sequence[Sequence[int]], close: Sequence[tuple[int, int]]
) -> list[tuple[int, ...]]:
    """Sets of accounts to judge as one: what shares templates, what sweeps alike, and linked pools.

    Args:
        codes: accounts that are looked at; `pools` and `close` (pairs) are account hashes.
    Returns:
        account codes, each group and the list sorted.
    """
    place = {int(rows.accounts[c]): int(c) for c in codes}
    near = [(place[a], place[b]) for a, b in close if a in place and b in place]
    found = [*cohorts(*asking_templates(rows, codes, engine)), *alike(rows, near)]
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
