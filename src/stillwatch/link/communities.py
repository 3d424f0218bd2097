"""Pools: groups of accounts that are tied together more closely than by chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from stillwatch.link.weigh import Edge

SPLIT_ABOVE = 40  # components larger than this are looked at for a looser join between two tight groups


def components(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Connected components of account pairs, each sorted."""
    if not pairs:
        return []
    accounts = sorted({a for pair in pairs for a in pair})
    place = {account: i for i, account in enumerate(accounts)}
    rows = np.array([place[a] for a, _ in pairs])
    columns = np.array([place[b] for _, b in pairs])
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(accounts), len(accounts)))
    _, label = connected_components(graph, directed=False)
    groups: dict[int, list[int]] = defaultdict(list)
    for i, group in enumerate(label):
        groups[int(group)].append(accounts[i])
    return list(groups.values())


def pools(edges: Sequence[Edge]) -> list[list[int]]:
    """Groups of two or more accounts, each sorted, largest first.

    Connected components; large ones are cut by the Leiden algorithm (Traag, Waltman, van Eck 2019) with modularity,
    whose communities are connected. Same edges, same pools: the seed is fixed.
    """
    if not edges:
        return []
    found: list[list[int]] = []
    for members in components([(e.a, e.b) for e in edges]):
        found.extend(_cut(members, edges) if len(members) > SPLIT_ABOVE else [members])
    return sorted((sorted(g) for g in found if len(g) >= 2), key=lambda g: (-len(g), g))


def _cut(members: list[int], edges: Sequence[Edge]) -> list[list[int]]:
    """Parts of one component that hang together more than chance, by the Leiden algorithm."""
    import graspologic_native

    inside = set(members)
    # sorted: the partition depends on the order in which the algorithm meets the accounts
    weighted = sorted((str(e.a), str(e.b), e.bits) for e in edges if e.a in inside and e.b in inside)
    _, partition = graspologic_native.leiden(
        edges=weighted, starting_communities=None, resolution=0.05, randomness=0.001, iterations=2,
        use_modularity=True, seed=20260302, trials=1,
    )  # fmt: skip
    groups: dict[int, list[int]] = defaultdict(list)
    for account, group in partition.items():
        groups[group].append(int(account))
    return list(groups.values())
