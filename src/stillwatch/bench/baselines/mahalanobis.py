"""Mahalanobis: how far from benign prompts, in units of their spread?

Paper: Lee, Lee, Lee and Shin 2018, "A simple unified framework for detecting out-of-distribution samples",
arXiv:1807.03888, equation 2, with one Gaussian for all classes, as the marginal Mahalanobis baseline of
arXiv:2606.05725 has it.

Adapted: sentence embeddings; the covariance is shrunk (Ledoit and Wolf 2004) because there are few benign prompts
for 384 dimensions. An account's score is the mean distance of its sampled prompts.
"""

from __future__ import annotations

import numpy as np

from stillwatch.bench.baselines.traffic import Traffic
from stillwatch.bench.extra import needed

LEAST = 4


class Mahalanobis:
    """Mean distance of each account's prompts from benign ones."""

    name = "Mahalanobis"
    source = "Lee et al. 2018, arXiv:1807.03888"
    embeds = True

    def __init__(self) -> None:
        self._mean = np.zeros(0)
        self._precision = np.zeros((0, 0))

    def fit(self, benign: Traffic) -> None:
        """Mean and shrunk covariance of benign prompts.

        Raises:
            ComponentError: scikit-learn is not installed.
        """
        with needed("scikit-learn"):
            from sklearn.covariance import ledoit_wolf
        self._mean = benign.vectors.mean(axis=0)
        self._precision = np.linalg.inv(ledoit_wolf(benign.vectors.astype(np.float64))[0])

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Mahalanobis distance of each vector, (vectors,)."""
        centred = vectors - self._mean
        found: np.ndarray = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", centred, self._precision, centred), 0))
        return found

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        out = traffic.nothing()
        distances = self.distances(traffic.vectors) if len(traffic.vectors) else np.zeros(0)
        owners = traffic.owner[traffic.sample]
        counts = np.bincount(owners, minlength=len(out))
        sums = np.bincount(owners, weights=distances, minlength=len(out))
        enough = counts >= LEAST
        out[enough] = sums[enough] / counts[enough]
        return out
