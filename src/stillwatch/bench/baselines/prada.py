"""PRADA: are an account's distances to its nearest earlier query of the same class normally distributed?

Paper: Juuti, Szyller, Marchal and Asokan 2019, "PRADA: protecting against DNN model stealing attacks", EuroS&P,
arXiv:1805.02628, section V, algorithm 3. For each query x of class c, d_min(x) is its least distance to the growing
set G_c; x joins G_c if d_min(x) > T_c = mean - standard deviation of the distances in D_c. The account's distances,
without those further than three standard deviations from their mean, are tested with Shapiro-Wilk; W below a
threshold raises the alarm.

Adapted: a chat model predicts no class, so c is the nearest of `CELLS` centroids of benign prompts (Lloyd's
algorithm); distances are between sentence embeddings; an account is judged from `LEAST` distances on (the paper
waits for 100: few accounts here ask so much). The score is 1 - W.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from stillwatch.bench.baselines.traffic import Traffic

CELLS = 10  # the paper's data sets have 10 and 43 classes
LEAST = 4


class Prada:
    """1 - W of the Shapiro-Wilk test on least distances."""

    name = "PRADA"
    source = "Juuti et al. 2019, arXiv:1805.02628"
    embeds = True

    def __init__(self, cells: int = CELLS, least: int = LEAST) -> None:
        self._cells, self._least = cells, least
        self._centres = np.zeros((0, 0))

    def fit(self, benign: Traffic) -> None:
        """Cells of benign prompts."""
        self._centres = centroids(benign.vectors, self._cells)

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        out = traffic.nothing()
        for i, vectors in traffic.embedded():
            if len(vectors) > self._least:
                distances = least_distances(vectors, (vectors @ self._centres.T).argmax(axis=1))
                kept = distances[np.abs(distances - distances.mean()) <= 3 * distances.std()] if len(distances) else []
                if len(kept) >= self._least and np.ptp(kept) > 1e-9:
                    out[i] = 1 - stats.shapiro(kept).statistic
        return out


def least_distances(vectors: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Distance of each query to the nearest one in the growing set of its class, in order; first ones have none."""
    grown: dict[int, list[np.ndarray]] = {}
    limits: dict[int, list[float]] = {}
    found: list[float] = []
    for vector, cell in zip(vectors, classes.tolist(), strict=True):
        if cell not in grown:
            grown[cell], limits[cell] = [vector], []
            continue
        least = float(np.linalg.norm(np.stack(grown[cell]) - vector, axis=1).min())
        found.append(least)
        past = limits[cell]
        if not past or least > np.mean(past) - np.std(past):
            grown[cell].append(vector)
            past.append(least)
    return np.array(found)


def centroids(vectors: np.ndarray, cells: int, rounds: int = 20) -> np.ndarray:
    """Unit centroids by Lloyd's algorithm from evenly spaced starts, (cells, dimensions)."""
    centres: np.ndarray = vectors[np.linspace(0, len(vectors) - 1, min(cells, len(vectors))).astype(int)].copy()
    for _ in range(rounds):
        nearest = (vectors @ centres.T).argmax(axis=1)
        for cell in range(len(centres)):
            inside = vectors[nearest == cell]
            if len(inside):
                mean = inside.mean(axis=0)
                centres[cell] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return centres
