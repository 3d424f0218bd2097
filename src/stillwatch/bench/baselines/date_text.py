"""DATE: does a prompt read as if some of its words had been replaced?

Paper: Manolache, Brad and Burceanu 2021, "DATE: detecting anomalies in text via self-supervision of transformers",
NAACL, arXiv:2104.05591, section 3: tokens are masked and replaced by a generator, a discriminator learns which were
(replaced token detection), and the anomaly score of a text is one minus the mean probability that its tokens are
original, equation 6 (pseudo-label over tokens, the variant that the paper found best).

Adapted: no transformer is trained. The generator draws from benign word frequencies (the paper's "random" generator),
and the discriminator is a logistic regression on hashed pairs of neighbouring words. Case is folded. An account's
score is the mean over its sampled prompts.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from stillwatch.bench.baselines.traffic import Traffic
from stillwatch.bench.extra import needed

WORD = re.compile(r"\w+|[^\w\s]")
BITS = 20
WORDS = 64  # of each prompt
REPLACED = 0.25  # of the words; the paper masks a quarter to a half
LEAST = 4
TEXTS = 4000  # benign prompts that it learns from


class Date:
    """Mean chance that an account's words were replaced."""

    name = "DATE"
    source = "Manolache et al. 2021, arXiv:2104.05591"
    embeds = False

    def __init__(self, cap: int = 24) -> None:
        self._cap = cap
        self._model: Any = None

    def fit(self, benign: Traffic) -> None:
        """Replace words of benign prompts and learn to tell.

        Raises:
            ComponentError: scikit-learn is not installed.
        """
        with needed("scikit-learn"):
            from sklearn.linear_model import SGDClassifier
        texts = [words(p) for p in dict.fromkeys(benign.prompts) if p][:TEXTS]
        rng = np.random.default_rng(0)
        vocabulary = [w for text in texts for w in text]
        changed, labels = [], []
        for text in texts:
            if text:
                swap = rng.random(len(text)) < REPLACED
                drawn = rng.integers(len(vocabulary), size=len(text))
                new = [vocabulary[d] if s else w for w, s, d in zip(text, swap, drawn, strict=True)]
                changed.append(new)
                labels += [a != b for a, b in zip(text, new, strict=True)]
        self._model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=5, tol=None, random_state=0)
        self._model.fit(features(changed), np.array(labels))

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        out = traffic.nothing()
        for i, rows in traffic.rows():
            prompts = [p for p in traffic.prompts[rows.start : rows.stop] if p]
            if len(prompts) >= LEAST:
                picks = np.unique(np.linspace(0, len(prompts) - 1, min(self._cap, len(prompts))).astype(int))
                texts = [t for t in (words(prompts[p]) for p in picks) if t]
                if texts:
                    out[i] = self.replaced(texts).mean()
        return out

    def replaced(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """Mean chance over the words of each text, (texts,)."""
        chance = self._model.predict_proba(features(texts))[:, 1]
        ends = np.cumsum([0, *map(len, texts)])
        return np.array([chance[a:b].mean() for a, b in pairwise(ends)])


def words(text: str) -> list[str]:
    """The first words and marks of a text, lower case."""
    return WORD.findall(text[: 16 * WORDS].lower())[:WORDS]


def features(texts: Sequence[Sequence[str]]) -> sparse.csr_matrix:
    """Hashed pairs with the word before and the word after, one row a word."""
    columns: list[int] = []
    for text in texts:
        padded = ["<", *text, ">"]
        for before, word, after in zip(padded, padded[1:], padded[2:], strict=False):
            for pair in (f"{before}\0{word}", f"{word}\0\0{after}"):
                columns.append(zlib.crc32(pair.encode("utf-8", "replace")) & ((1 << BITS) - 1))
    ends = np.arange(0, len(columns) + 1, 2)
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=(len(ends) - 1, 1 << BITS))
