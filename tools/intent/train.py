"""Train the intent model: `python tools/intent/train.py OUT` reads the prompts beside it and writes OUT (.npz).

Needs scikit-learn (extra `dev`). Every prompt is also shown with made-up documents, code and chat before or behind it,
so that neither a long text nor its subject counts. What is printed is how the model does on whole files that it has
not seen: a file is a theme.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import numpy as np
from read import prompts, spelled  # type: ignore[import-not-found]  # beside this file
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from stillwatch.lab.traffic.grammar import LANGUAGES, Texts
from stillwatch.sketch import intent

STRENGTH = 8.0  # inverse of the penalty, chosen on files left out
SEED = 20260302
UNIT = 1 / 256
FOLDS = 6
COPIES = 2  # of each prompt with a payload, at half the weight of the prompt itself
PAYLOADS = 400  # alone, as honest text


def matrix(slots: list[np.ndarray]) -> csr_matrix:
    """Counts over the root of the number of features, (texts, 2**BITS)."""
    places = np.concatenate(slots).astype(np.int64)
    texts = np.repeat(np.arange(len(slots)), [len(s) for s in slots])
    share = np.concatenate([np.full(len(s), 1 / np.sqrt(len(s))) for s in slots])
    return csr_matrix((share, (texts, places)), shape=(len(slots), 1 << intent.BITS))


def fit(slots: list[np.ndarray], labels: np.ndarray, weights: np.ndarray, strength: float) -> np.ndarray:
    """Weights in log-odds, (2**BITS,)."""
    model = LogisticRegression(C=strength, max_iter=3000, class_weight="balanced")
    model.fit(matrix(slots), labels, sample_weight=weights)
    return np.asarray(model.coef_[0], np.float32)


def seen(slots: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Whole, best and worst look at each text, (texts, 3)."""
    return np.array([intent.looks(s, len(s), weights) for s in slots])


def payload(rng: Random, texts: Texts) -> str:
    """A document, some code, or running text in one of the languages."""
    kind, size = rng.random(), rng.choice((250, 700, 1500, 3500))
    if kind < 0.35:
        return texts.document(size)
    if kind < 0.6:
        return texts.file(size // 34)
    return texts.answer(rng.choice(LANGUAGES), size)


def samples() -> list[tuple[str, int, str, float]]:
    """(text, label, file, weight) of all prompts, as they are and with payloads, and of payloads alone."""
    rng = Random(SEED)
    texts = Texts(rng)
    found = []
    for kind, label in (("harvest", 1), ("honest", 0)):
        for file, text in prompts(kind):
            name = f"{kind}/{file}"
            found.append((text, label, name, 1.0))
            for _ in range(COPIES):
                more = payload(rng, texts)
                both = f"{text}\n\n{more}" if rng.random() < 0.6 else f"{more}\n\n{text}"
                found.append((both, label, name, 0.5))
    return found + [(payload(rng, texts), 0, f"payload/{i % FOLDS}", 0.5) for i in range(PAYLOADS)]


def main(out: Path, strength: float = STRENGTH) -> None:
    """Train, tell, write."""
    rows = samples()
    slots = spelled([text for text, *_ in rows])
    labels, weights = np.array([r[1] for r in rows]), np.array([r[3] for r in rows])
    names = sorted({r[2] for r in rows})
    fold = np.array([names.index(r[2]) % FOLDS for r in rows])
    # Each file is judged by a model that never saw it: those looks train how window and whole are put together.
    looks = np.zeros((len(rows), 3))
    for k in range(FOLDS):
        known, new = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        model = fit([slots[i] for i in known], labels[known], weights[known], strength)
        looks[new] = seen([slots[i] for i in new], model)
    head = LogisticRegression(C=10.0).fit(looks, labels, sample_weight=weights)
    chance = head.predict_proba(looks)[:, 1]
    print(f"{len(rows)} texts in {len(names)} files, strength {strength}; each file judged by a model without it")
    for title, these in (("as they are", weights == 1), ("with a payload", weights != 1)):
        for limit in (0.5, 0.6, 0.7, 0.8, 0.9):
            said, bad = chance[these] >= limit, labels[these] == 1
            print(f"  {title}, from {limit}: {said[bad].mean():.3f} of harvesting, {said[~bad].mean():.3f} of honest")
    for name in names:
        here = np.array([r[2] == name and r[3] == 1 for r in rows])
        if here.any():
            print(f"    {name}: {(chance[here] >= 0.6).mean():.2f} of {here.sum()}")
    packed = np.clip(np.round(fit(slots, labels, weights, strength) / UNIT), -32768, 32767).astype(np.int16)
    np.savez_compressed(
        out, weights=packed, unit=np.float64(UNIT), head=np.concatenate([head.intercept_, head.coef_[0]])
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(float, sys.argv[2:]))
