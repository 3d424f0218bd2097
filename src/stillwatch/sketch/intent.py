"""How much a prompt reads like one that orders training data: a linear model over words and pairs of words.

The cues (`elicitation`) know phrases; whoever words his order differently is missed by them. This model adds up what
some 1,500 written prompts, harvesting and honest ones, taught about single words, pairs of neighbours and marks
(`"question" :`, `<reasoning`, a last line that ends in an open label), in eleven languages. It is soft evidence of
one family: signal SG117 reports its share, and no verdict counts it yet (decision 16).

Model: logistic regression on hashed features (Weinberger et al. 2009, "Feature hashing
for large scale multitask learning"); trained by `tools/intent/train.py` on texts that we wrote.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Final, NamedTuple

import numpy as np
from numba import njit

from stillwatch.sketch.hashing import finish, hash_span

BITS: Final = 17  # features: 2**17 weights of two bytes
WINDOW: Final = 48  # tokens of one look: an order is a sentence or two, the document behind it may be long
_SHIFT = np.uint64(64 - BITS)
_NUMBER, _END, _SEED = np.uint64(0x6E756D), np.uint64(0x656E64), np.uint64(0x696E74656E74)


class Model(NamedTuple):
    """Weights in log-odds, (2**BITS,) float32, and how window and whole are put together."""

    weights: np.ndarray
    bias: float
    of_mean: float
    of_best: float
    of_worst: float


@lru_cache(maxsize=1)
def load() -> Model:
    """The shipped model."""
    with resources.files("stillwatch.sketch").joinpath("data/intent.npz").open("rb") as file:
        held = np.load(file)
        return Model(held["weights"].astype(np.float32) * float(held["unit"]), *(float(x) for x in held["head"]))


@njit(cache=True, nogil=True)
def spell(text, start, stop, out):  # type: ignore[no-untyped-def]
    """Feature numbers of a normalised text, two for each token: the token, and the token with the one before it.

    Args:
        text: (bytes,) uint8, readable eight bytes past `stop`.
        out: (2 * tokens,) uint32; tokens beyond its end are left out.
    Returns:
        how many numbers were written.
    """
    i = start
    n = 0
    before = _SEED
    room = out.shape[0] - 4
    while i < stop and n < room:
        c = text[i]
        if c <= 32:
            i += 1
            continue
        begin = i
        if c >= 0xE2:  # a character of three or four bytes stands for itself
            i = min(i + (3 if c < 0xF0 else 4), stop)
            h = hash_span(text, begin, i, _SEED)
        elif 48 <= c <= 57:
            while i < stop and (48 <= text[i] <= 57 or text[i] == 46 or text[i] == 44):
                i += 1
            h = _NUMBER
        elif 97 <= c <= 122 or c >= 128:
            while i < stop and (97 <= text[i] <= 122 or 128 <= text[i] < 0xE2):
                i += 1
            h = hash_span(text, begin, i, _SEED)
        else:  # a run of marks, three at most
            while i < stop and i < begin + 3 and 32 < text[i] < 128:
                d = text[i]
                if 48 <= d <= 57 or 97 <= d <= 122:
                    break
                i += 1
            h = hash_span(text, begin, i, _SEED)
        out[n] = np.uint32(finish(h) >> _SHIFT)
        out[n + 1] = np.uint32(finish(before * np.uint64(3) ^ h) >> _SHIFT)
        before = h
        n += 2
    if n > 0:
        out[n] = np.uint32(finish(before * np.uint64(3) ^ _END) >> _SHIFT)
        n += 1
    return n


@njit(cache=True, nogil=True)
def looks(slots, n, weights):  # type: ignore[no-untyped-def]
    """Sum of weights over the root of the number of features, of the whole, and of its best and worst window."""
    total = 0.0
    for k in range(n):
        total += weights[slots[k]]
    whole = total / np.sqrt(n) if n else 0.0
    width = 2 * WINDOW
    if n <= width:
        return whole, whole, whole
    here = 0.0
    for k in range(width):
        here += weights[slots[k]]
    best = here
    worst = here
    for k in range(width, n):
        here += weights[slots[k]] - weights[slots[k - width]]
        best = max(best, here)
        worst = min(worst, here)
    root = np.sqrt(width)
    return whole, best / root, worst / root


@njit(cache=True, nogil=True)
def score(text, bounds, weights, head, out):  # type: ignore[no-untyped-def]
    """Chance in 255ths that each text orders training data, (rows,) uint8; 0 of an empty text."""
    slots = np.empty(8192, np.uint32)
    for row in range(out.shape[0]):
        n = spell(text, bounds[row], bounds[row + 1], slots)
        if n == 0:
            continue
        whole, best, worst = looks(slots, n, weights)
        logit = head[0] + head[1] * whole + head[2] * best + head[3] * worst
        out[row] = np.uint8(np.round(255.0 / (1.0 + np.exp(-logit))))
