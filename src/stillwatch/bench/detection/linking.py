"""How well accounts are put together: pairwise and B-cubed precision and recall, with overlapping groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Linking(NamedTuple):
    """Counts that add up over data sets: divide to get precision and recall."""

    accounts: int
    pairs_right: int  # pairs that share a true group and a found one
    pairs_found: int
    pairs_true: int
    precision_sum: float  # B-cubed, summed over accounts
    recall_sum: float


def f1(precision: float, recall: float) -> float:
    """Harmonic mean; 0 if both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall != 0 else 0.0


def compare(true: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[str]], *, limit: int = 8000) -> Linking:
    """Found groups of accounts against true ones.

    Accounts in no group at all are left out; one that is in no group on one side is alone there. An account may be in
    several groups. Memory grows with the square of the accounts: beyond `limit`, every k-th one is looked at.

    Source: Amigo et al. 2009, "A comparison of extrinsic clustering evaluation metrics", section 4 (extended B-cubed).
    """
    names = sorted({a for group in (*true.values(), *found.values()) for a in group})
    names = names[:: max(1, -(-len(names) // limit))]
    if not names:
        return Linking(0, 0, 0, 0, 0.0, 0.0)
    t, f = _together(names, true), _together(names, found)
    both = np.minimum(t, f)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nanmean(np.where(f > 0, both / f, np.nan), axis=1)
        recall = np.nanmean(np.where(t > 0, both / t, np.nan), axis=1)
    upper = np.triu_indices(len(names), 1)
    return Linking(
        accounts=len(names), pairs_right=int(((t > 0) & (f > 0))[upper].sum()), pairs_found=int((f > 0)[upper].sum()),
        pairs_true=int((t > 0)[upper].sum()), precision_sum=float(precision.sum()), recall_sum=float(recall.sum()),
    )  # fmt: skip


def _together(names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> np.ndarray:
    """In how many groups two accounts are together, (accounts, accounts); an account alone is with itself once."""
    place = {name: i for i, name in enumerate(names)}
    member = np.zeros((len(names), len(groups)), np.int32)
    for column, accounts in enumerate(groups.values()):
        member[[place[a] for a in accounts if a in place], column] = 1
    together = member @ member.T
    alone = np.flatnonzero(member.sum(axis=1) == 0)
    together[alone, alone] = 1
    return together


def total(parts: Sequence[Linking]) -> dict[str, float]:
    """Precision, recall and F1 over several data sets, pairwise and B-cubed."""
    s = Linking(*(sum(values) for values in zip(*parts, strict=True))) if parts else Linking(0, 0, 0, 0, 0.0, 0.0)
    pair_p = s.pairs_right / s.pairs_found if s.pairs_found else float("nan")
    pair_r = s.pairs_right / s.pairs_true if s.pairs_true else float("nan")
    cubed_p = s.precision_sum / s.accounts if s.accounts else float("nan")
    cubed_r = s.recall_sum / s.accounts if s.accounts else float("nan")
    return {
        "accounts": s.accounts, "pairwise_precision": pair_p, "pairwise_recall": pair_r,
        "pairwise_f1": f1(pair_p, pair_r), "bcubed_precision": cubed_p, "bcubed_recall": cubed_r,
        "bcubed_f1": f1(cubed_p, cubed_r),
    }  # fmt: skip
