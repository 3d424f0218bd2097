"""Match weights: how much an agreement of two accounts says that one hand runs both.

The weight of an agreement is log2(m / u): how often it occurs between accounts of one hand over how often between
strangers (Fellegi and Sunter 1969). For a shared value, u grows with the number of accounts that have it, so what
many have weighs little (term-frequency adjustment, Winkler 1989).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from stillwatch.signals.registry import ALL

CAP: Final = 16.0  # bits that one family can give at most: correlated fields count once
EDGE: Final = 12.0  # bits that an edge needs ...
FAMILIES: Final = 2  # ... from at least so many families
LEAST: Final = 2.0  # bits below which a family does not count as one


class Agreement(NamedTuple):
    """One pair signal's reading on two accounts."""

    a: int
    b: int
    signal: str
    value: float
    n: float  # for shared values: accounts that have the rarest of them; else events


class Edge(NamedTuple):
    """Two accounts and all that speaks for one hand behind both."""

    a: int
    b: int
    bits: float
    families: tuple[str, ...]
    agreements: tuple[tuple[str, float, float], ...]  # signal, value, bits


def bits_of(agreement: Agreement, accounts: int = 0) -> float:
    """Match weight of one agreement, in bits, 0 or more.

    Popularity: `bits` of the signal is the weight between two accounts that alone share a value; each doubling of the
    others who have it takes one bit off (u of a value that n accounts have is proportional to n - 1). Several values
    shared add at falling returns, three bits at most.
    Ratio: two bits for each doubling above four, up to `bits`.
    Events: exact joins; one may be chance (a canned conversation), several are not.

    Args:
        accounts: accounts of the log. Not used: a popular address in a large log proves as little as in a small one.
    """
    signal = ALL[agreement.signal]
    if signal.weighed_by == "popularity":
        weight = signal.bits - math.log2(max(agreement.n - 1, 1))
        return weight + min(math.log2(max(agreement.value, 1)), 3.0) if weight > 0 else 0.0
    if signal.weighed_by == "ratio":
        return min(max(math.log2(max(agreement.value, 1e-9)) - 2, 0) * 2, signal.bits)
    return min(signal.bits, signal.bits * 0.7 + 2 * math.log2(max(agreement.n, 1)))


def edges(agreements: Iterable[Agreement], accounts: int) -> list[Edge]:
    """Edges between accounts, sorted: capped by family, at least two families, at least `EDGE` bits.

    Within a family the strongest agreement counts in full and the others add a quarter: they tell the same story.

    Args:
        accounts: accounts of the log, for `bits_of`.
    """
    per_pair: dict[tuple[int, int], dict[str, list[tuple[str, float, float]]]] = defaultdict(lambda: defaultdict(list))
    for agreement in agreements:
        weight = bits_of(agreement, accounts)
        if weight > 0:
            family = ALL[agreement.signal].family
            pair = (min(agreement.a, agreement.b), max(agreement.a, agreement.b))
            per_pair[pair][family].append((agreement.signal, agreement.value, weight))
    found = []
    for (a, b), families in sorted(per_pair.items()):
        by_family = {
            family: min(CAP, max(w for *_, w in items) + 0.25 * (sum(w for *_, w in items) - max(w for *_, w in items)))
            for family, items in families.items()
        }
        counted = tuple(sorted(f for f, w in by_family.items() if w >= LEAST))
        total = sum(by_family.values())
        if total >= EDGE and len(counted) >= FAMILIES:
            flat = tuple(sorted((item for items in families.values() for item in items), key=lambda i: (-i[2], i[0])))
            found.append(Edge(a, b, total, counted, flat))
    return found


def agreements_from(readings: Mapping[str, tuple[np.ndarray, ...]]) -> list[Agreement]:
    """Agreements from pair readings: signal -> (a, b, value, n) arrays."""
    return [
        Agreement(int(a), int(b), signal, float(value), float(n))
        for signal, columns in sorted(readings.items())
        for a, b, value, n in zip(*columns, strict=True)
    ]
