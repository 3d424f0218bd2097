"""MMD: do the prompts of a window come from the benign distribution?

Paper: Liu, Guo and Dong 2026, "An embarrassingly simple detector for model extraction attacks in large language model
API traffic", arXiv:2606.05725: windows of prompts are embedded and compared with a benign reference by the squared
maximum mean discrepancy (Gretton et al. 2012, equation 3, unbiased), Gaussian kernel, bandwidth by the median
heuristic; the threshold comes from benign windows alone.

Adapted: the window is an account's sampled prompts, for accounts are what is ranked here. Windows differ in size and
the statistic's spread falls with it, so it is standardised by the mean and deviation of benign windows of like size.
MiniLM instead of bge-small. The published windows hold 1,500 prompts, far more than most accounts ever send; at 100
the release itself finds 4.6 % of windows with a tenth of attack traffic.
"""

from __future__ import annotations

import numpy as np

from stillwatch.bench.baselines.traffic import Traffic

REFERENCE = 1500
NULLS = 200
LEAST = 4


class Mmd:
    """Standardised MMD of each account's prompts against benign ones."""

    name = "MMD windows"
    source = "Liu et al. 2026, arXiv:2606.05725"
    embeds = True

    def __init__(self, reference: int = REFERENCE, nulls: int = NULLS) -> None:
        self._size, self._nulls = reference, nulls
        self._reference = np.zeros((0, 0))
        self._pool = np.zeros((0, 0))
        self._gamma = 1.0
        self._within = 0.0
        self._pool_near = np.zeros(0)
        self._null: dict[int, tuple[float, float]] = {}

    def fit(self, benign: Traffic) -> None:
        """Reference prompts, bandwidth, and a pool from which benign windows are drawn."""
        rng = np.random.default_rng(0)
        order = rng.permutation(len(benign.vectors))
        half = min(self._size, len(order) // 2)
        self._reference, self._pool = benign.vectors[order[:half]], benign.vectors[order[half:]]
        squared = squares(self._reference, self._reference)
        off = ~np.eye(half, dtype=bool)
        self._gamma = 1 / max(float(np.median(squared[off])), 1e-9)
        self._within = float(np.exp(-self._gamma * squared)[off].mean())
        self._pool_near = self.near(self._pool)
        self._null = {}

    def near(self, vectors: np.ndarray) -> np.ndarray:
        """Mean kernel of each vector with the reference, (vectors,): once for all windows that it is in."""
        parts = np.array_split(vectors, max(1, len(vectors) // 1000))
        return np.concatenate([np.exp(-self._gamma * squares(p, self._reference)).mean(axis=1) for p in parts])

    def statistic(self, window: np.ndarray, near: np.ndarray) -> float:
        """Unbiased squared MMD of a window against the reference; `near` is of the window's vectors."""
        m = len(window)
        own = np.exp(-self._gamma * squares(window, window))
        return float((own.sum() - np.trace(own)) / (m * (m - 1)) + self._within - 2 * near.mean())

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        out = traffic.nothing()
        near, start = self.near(traffic.vectors) if len(traffic.vectors) else np.zeros(0), 0
        for i, vectors in traffic.embedded():
            its = near[start : start + len(vectors)]
            start += len(vectors)
            if len(vectors) >= LEAST:
                mean, deviation = self._benign(len(vectors))
                out[i] = (self.statistic(vectors, its) - mean) / deviation
        return out

    def _benign(self, size: int) -> tuple[float, float]:
        if size not in self._null:
            rng = np.random.default_rng(size)
            picks = rng.integers(len(self._pool), size=(self._nulls, size))
            drawn = [self.statistic(self._pool[p], self._pool_near[p]) for p in picks]
            self._null[size] = float(np.mean(drawn)), max(float(np.std(drawn)), 1e-12)
        return self._null[size]


def squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances, (a, b)."""
    found = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)[None] - 2 * a @ b.T
    return np.maximum(found, 0)
