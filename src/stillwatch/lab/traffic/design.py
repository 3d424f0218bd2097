"""The sampled design: which levels of which factors a scenario's open campaigns get, so that all pairs of levels meet.

Campaigns are numbered on through the seeds (seed 2 of a scenario with six campaigns has numbers 12 to 17). The first
factor goes round in one order, so that any run of as many numbers as it has levels has them all. Of every other factor
each level comes up once in each round of its own, in the order that brings most new pairs of levels together.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from itertools import combinations
from random import Random
from typing import Final

BLOCK: Final = 120  # numbers that are planned together; pairs are counted inside a block
_TRIES: Final = 8  # candidates for each number

Factors = Mapping[str, Sequence[Hashable]]


def planned(factors: Factors, number: int, name: str = "") -> dict[str, Hashable]:
    """The levels of campaign `number` (from 0), by factor.

    Args:
        factors: factor -> its levels; a level that stands there twice comes up twice as often. The first factor goes
            round.
        name: of the design; different names give different plans.
    """
    return _block(tuple((k, tuple(v)) for k, v in factors.items()), number // BLOCK, name)[number % BLOCK]


@cache
def _block(factors: tuple[tuple[str, tuple[Hashable, ...]], ...], block: int, name: str) -> list[dict[str, Hashable]]:
    first, goes_round = factors[0]
    order = Random(f"design/{name}").sample(goes_round, len(goes_round))
    rng = Random(f"design/{name}/{block}")
    left: dict[str, list[Hashable]] = {factor: [] for factor, _ in factors[1:]}  # what this round still owes
    met: set[tuple[str, Hashable, str, Hashable]] = set()
    rows: list[dict[str, Hashable]] = []
    for number in range(block * BLOCK, (block + 1) * BLOCK):
        for factor, levels in factors[1:]:
            if not left[factor]:
                left[factor] = rng.sample(levels, len(levels))
        best: dict[str, Hashable] = {}
        most = -1
        for _ in range(_TRIES):
            row = {first: order[number % len(order)], **{factor: rng.choice(owed) for factor, owed in left.items()}}
            new = sum(pair not in met for pair in _pairs(row))
            if new > most:
                best, most = row, new
        met.update(_pairs(best))
        for factor, owed in left.items():
            owed.remove(best[factor])
        rows.append(best)
    return rows


def _pairs(row: dict[str, Hashable]) -> list[tuple[str, Hashable, str, Hashable]]:
    return [(a, x, b, y) for (a, x), (b, y) in combinations(row.items(), 2)]


__all__ = ["BLOCK", "Factors", "planned"]
