"""SEAT: how many pairs of an account's queries are too alike?

Paper: Zhang, Chen and Wagner 2021, "SEAT: similarity encoder by adversarial training for detecting model extraction
attack queries", AISec, section 4: an encoder is trained so that perturbed copies of an image stay near; a pair of
queries of one account closer than delta counts as similar; the account is cancelled once it has more than N such
pairs.

Adapted: the sentence encoder stands for the trained one; delta is the distance below which one pair in a thousand
of prompts of *different* benign accounts lies. Copies of a prompt count, as in the paper. The score is the number of
similar pairs among the sampled prompts.
"""

from __future__ import annotations

import numpy as np

from stillwatch.bench.baselines.traffic import Traffic

ALIKE = 0.001  # share of pairs of strangers' prompts that are nearer than delta


class Seat:
    """Similar pairs of each account."""

    name = "SEAT"
    source = "Zhang et al. 2021, AISec"
    embeds = True

    def __init__(self) -> None:
        self._cosine = 1.0

    def fit(self, benign: Traffic) -> None:
        """The distance at which strangers' prompts are hardly ever alike."""
        owners = benign.owner[benign.sample]
        rng = np.random.default_rng(0)
        a, b = rng.integers(len(owners), size=(2, 200_000))
        strangers = owners[a] != owners[b]
        cosines = np.einsum("ij,ij->i", benign.vectors[a[strangers]], benign.vectors[b[strangers]])
        self._cosine = float(np.quantile(cosines, 1 - ALIKE))

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        out = traffic.nothing()
        for i, vectors in traffic.embedded():
            if len(vectors) > 1:
                out[i] = similar_pairs(vectors, self._cosine)
        return out


def similar_pairs(vectors: np.ndarray, cosine: float) -> int:
    """Pairs of unit vectors at least so alike."""
    alike = vectors @ vectors.T >= cosine
    return int((alike.sum() - np.trace(alike)) // 2)
