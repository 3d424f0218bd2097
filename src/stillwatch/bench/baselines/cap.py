"""CAP: how much of the space do an account's queries cover?

Paper: CAP, coverage-aware perturbation (submission dOS3e1kC5u to ICLR 2026), after Dubinski et al. 2023, "Bucks for
buckets", arXiv:2310.08571, section 3.2: queries are hashed into buckets of embedding space (random hyperplanes), and
the share of buckets occupied sets the penalty.

Adapted as in the release of arXiv:2606.05725, which makes it a detector by a weighted sum of coverage, novelty and
spread (its script's weights 0.05, 0.35, 0.45; 2,048 buckets). Its code is not public in full; here coverage is
occupied buckets over queries, novelty the share of queries in buckets that benign traffic does not use, spread the
mean cosine distance between queries. The perturbation itself is a defence and left out.
"""

from __future__ import annotations

import numpy as np

from stillwatch.bench.baselines.traffic import Traffic

PLANES = 11  # 2 ** 11 = 2,048 buckets
COVERAGE, NOVELTY, SPREAD = 0.05, 0.35, 0.45
LEAST = 4


class Cap:
    """Coverage, novelty and spread of each account's prompts."""

    name = "CAP"
    source = "ICLR 2026 submission dOS3e1kC5u; arXiv:2310.08571"
    embeds = True

    def __init__(self) -> None:
        self._planes = np.zeros((0, 0))
        self._centre = np.zeros(0)
        self._used = np.zeros(0, np.int64)

    def fit(self, benign: Traffic) -> None:
        """Hyperplanes through the benign mean, and the buckets that benign prompts use."""
        self._centre = benign.vectors.mean(axis=0)
        self._planes = np.random.default_rng(0).standard_normal((benign.vectors.shape[1], PLANES))
        self._used = np.unique(self.buckets(benign.vectors))

    def buckets(self, vectors: np.ndarray) -> np.ndarray:
        """Bucket of each vector, 0..2047."""
        found: np.ndarray = ((vectors - self._centre) @ self._planes > 0) @ (1 << np.arange(PLANES))
        return found

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        out = traffic.nothing()
        for i, vectors in traffic.embedded():
            n = len(vectors)
            if n >= LEAST:
                buckets = self.buckets(vectors)
                coverage = len(np.unique(buckets)) / n
                novelty = 1 - np.isin(buckets, self._used).mean()
                spread = (n - float(np.square(vectors.sum(axis=0)).sum()) / n) / (n - 1)
                out[i] = COVERAGE * coverage + NOVELTY * novelty + SPREAD * spread
        return out
