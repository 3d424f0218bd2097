"""How unusual is it that k of a unit's n exchanges do something? A mixture of shares, learnt from benign units."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from scipy.special import betainc

# Ranges of the share that a benign unit may have, narrower where most of them lie; within a range all shares are
# alike. Ranges, and not points: between two points a benign unit of many exchanges would be as good as impossible.
EDGES: Final = np.array([0, 0.001, 0.003, 0.007, 0.014, 0.028, 0.055, 0.11, 0.2, 0.32, 0.47, 0.62, 0.78, 0.91, 0.98, 1])
GRID: Final = (EDGES[1:] + EDGES[:-1]) / 2  # middle of each range
_WIDTH: Final = np.diff(EDGES)
# What training-data work looks like: mostly nearly all of it, Beta(4, 1) with the CDF share**4; sometimes any share
# from a twentieth on, where it is mixed with decoys or with the traffic of others.
_MIXED: Final = np.where(EDGES[:-1] >= 0.05, _WIDTH, 0.0)
_WORK: Final = 0.6 * np.diff(EDGES**4) + 0.4 * _MIXED / _MIXED.sum()


def _density(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Chance of k of n in each range, up to a factor that depends on k and n alone, (units, grid).

    The binomial chance averaged over a range is the mass there of Beta(k + 1, n - k + 1), over (n + 1) x its width.
    """
    k, n = np.asarray(k, float)[:, None], np.asarray(n, float)[:, None]
    return np.diff(betainc(k + 1, n - k + 1, EDGES), axis=1) / _WIDTH


def fit(k: np.ndarray, n: np.ndarray, *, rounds: int = 400) -> np.ndarray:
    """Weights of the ranges of shares among benign units, (grid,), by expectation maximisation.

    The nonparametric maximum-likelihood mixture (Laird 1978) on fixed ranges. All ranges together keep a weight of at
    least 1 / (units + 1), spread evenly: what was never seen in m units may still happen once in m + 1.

    Args:
        k: hits of each unit, (units,), 0..n; discounted counts need not be whole.
        n: exchanges of each unit, (units,).
    """
    k, n = np.atleast_1d(np.asarray(k, float)), np.atleast_1d(np.asarray(n, float))
    weights = np.full(len(GRID), 1 / len(GRID))
    if len(k) == 0:
        return weights
    # many units are alike: of most, nothing was found
    counts, times = np.unique(np.stack([k, n], axis=1), axis=0, return_counts=True)
    density = _density(counts[:, 0], counts[:, 1])
    for _ in range(rounds):
        share = density * weights
        weights = (times / share.sum(axis=1)) @ share / len(k)
    # Neighbouring ranges lend each other weight: a gap in the sample is not a gap in the world.
    weights = 0.8 * weights + 0.1 * np.append(weights[1:], weights[-1]) + 0.1 * np.insert(weights[:-1], 0, weights[0])
    floor = 1 / (len(k) + 1)
    return (1 - floor) * weights + floor / len(GRID)


def e_value(k: float, n: float, weights: np.ndarray) -> float:
    """Likelihood ratio of k hits in n exchanges: training-data work against the benign mixture.

    Its mean is 1 when k is drawn from the mixture, and it never falls as k rises: a discounted k stays an e-value.
    Followed over time it is a test martingale (the binomial coefficients cancel, and what is left is the posterior
    mean, under the mixture, of a fixed function of the share): by Ville's inequality it may be looked at whenever one
    likes.

    Args:
        k: hits, 0..n; a discounted count need not be whole.
        n: exchanges; 0 of them say nothing, 1.0.
        weights: from `fit`, (grid,), all above 0.
    """
    return float(e_values(np.array([k]), np.array([n]), weights)[0])


def e_values(k: np.ndarray, n: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`e_value` of many units, (units,)."""
    weights = np.asarray(weights, float)
    n = np.asarray(n, float)
    benign = weights * _density(np.asarray(k, float), n)
    # summed row by row: a matrix product's last digits depend on where in the matrix a unit stands
    return np.where(n > 0, (benign * _ratio(weights.tobytes())).sum(axis=1) / benign.sum(axis=1), 1.0)


@lru_cache(maxsize=64)
def _ratio(weights: bytes) -> np.ndarray:
    """Training-data work over benign weight in each range, made to rise with the share, (grid,).

    Where benign units of high share are common, the plain ratio falls again. Isotonic regression under the benign
    weights (pool adjacent violators, Ayer et al. 1955) keeps its benign mean at 1; a rising ratio of mixing weights
    gives a rising ratio of counts (total positivity of the binomial, Karlin 1968).
    """
    blocks: list[tuple[float, float, int]] = []  # work, benign weight, ranges
    for work, benign in zip(_WORK, np.frombuffer(weights), strict=True):
        block = (float(work), float(benign), 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    return np.repeat([work / benign for work, benign, _ in blocks], [size for *_, size in blocks])
