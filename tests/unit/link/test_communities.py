"""Pools: what hangs together, and what is cut apart."""

from __future__ import annotations

import itertools
import random

import networkx as nx
import pytest

from stillwatch.link.communities import SPLIT_ABOVE, components, pools
from stillwatch.link.weigh import Edge

SEED = 20240214


def edge(a: int, b: int, bits: float = 20.0) -> Edge:
    return Edge(min(a, b), max(a, b), bits, ("identity", "network"), ())


def clique(members: range) -> list[Edge]:
    return [edge(a, b) for a, b in itertools.combinations(members, 2)]


@pytest.mark.parametrize("size", [SPLIT_ABOVE // 2 + 1, 40, 80])
def test_two_cliques_joined_by_one_edge_are_two_pools(size):
    one, other = range(size), range(1000, 1000 + size)
    joined = [*clique(one), *clique(other), edge(0, 1000)]
    assert pools(joined) == [list(one), list(other)]


def test_a_small_component_stays_whole():
    joined = [*clique(range(5)), *clique(range(10, 15)), edge(0, 10)]
    assert pools(joined) == [[0, 1, 2, 3, 4, 10, 11, 12, 13, 14]]


def test_one_large_clique_stays_whole():
    assert pools(clique(range(60))) == [list(range(60))]


def test_pools_do_not_depend_on_the_order_of_edges():
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    graph = nx.random_partition_graph([30, 30, 30, 5], 0.6, 0.004, seed=SEED)
    made = [edge(a, b, 12 + (a * b) % 9) for a, b in graph.edges]
    want = pools(made)
    for _ in range(5):
        rng.shuffle(made)
        assert pools(made) == want
    assert sorted(a for p in want for a in p) == sorted({a for p in want for a in p})


def test_every_pool_hangs_together_by_its_own_edges():
    graph = nx.random_partition_graph([40, 40, 40], 0.3, 0.002, seed=SEED)
    made = [edge(a, b) for a, b in graph.edges]
    for pool in pools(made):
        assert nx.is_connected(graph.subgraph(pool))


def test_components_agree_with_networkx():
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    for _ in range(50):
        pairs = [(rng.randrange(40), rng.randrange(40)) for _ in range(rng.randrange(1, 40))]
        graph = nx.Graph(pairs)
        assert sorted(map(sorted, components(pairs))) == sorted(map(sorted, nx.connected_components(graph)))


def test_account_hashes_of_64_bits_survive():
    high = 2**64 - 1
    assert pools([edge(high, high - 1)]) == [[high - 1, high]]
    many = [edge(high - a, high - b) for a, b in itertools.combinations(range(45), 2)]
    assert pools(many) == [sorted(high - a for a in range(45))]


def test_no_edges_no_pools():
    assert pools([]) == [] and components([]) == []


def test_larger_pools_come_first():
    made = [*clique(range(100, 103)), edge(1, 2)]
    assert pools(made) == [[100, 101, 102], [1, 2]]
