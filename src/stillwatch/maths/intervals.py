"""How far a share, a rate or a median may lie from what was counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from scipy import stats

T = TypeVar("T")


class Interval(NamedTuple):
    """Ends of an interval."""

    low: float
    high: float


def clopper_pearson(hits: int, trials: int, level: float = 0.95) -> Interval:
    """Exact interval for a share of which `hits` of `trials` were seen; (0, 1) without trials.

    Covers the true share at least `level` of the time if trials are independent. Accounts of one campaign are not:
    use `bootstrap` there.

    Raises:
        ValueError: hits outside 0..trials, or level outside (0, 1).
    Source: Clopper and Pearson 1934, "The use of confidence or fiducial limits".
    """
    if not 0 <= hits <= trials or not 0 < level < 1:
        raise ValueError(f"{hits} of {trials} at level {level} is no share")
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(stats.beta.ppf(tail, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(stats.beta.ppf(1 - tail, hits + 1, trials - hits))
    return Interval(low, high)


def poisson(events: int, exposure: float, level: float = 0.95) -> Interval:
    """Exact interval for a rate per unit of exposure of which `events` happened in `exposure` units.

    Raises:
        ValueError: fewer than no events, no exposure, or level outside (0, 1).
    Source: Garwood 1936, "Fiducial limits for the Poisson distribution".
    """
    if events < 0 or exposure <= 0 or not 0 < level < 1:
        raise ValueError(f"{events} events in {exposure} at level {level} is no rate")
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(stats.chi2.ppf(tail, 2 * events)) / 2
    return Interval(low / exposure, float(stats.chi2.ppf(1 - tail, 2 * (events + 1))) / 2 / exposure)


def bootstrap(
    clusters: Sequence[T], statistic: Callable[[Sequence[T]], float], *, rounds: int = 500, seed: int = 0,
    level: float = 0.95,
) -> Interval:  # fmt: skip
    """Percentile interval of a statistic when whole clusters (seeds, campaigns) are drawn again.

    Args:
        clusters:  what is independent of each other; of one cluster alone nothing can be said, (nan, nan).
        statistic: of a list of clusters, with repeats; nan is left out.
    Source: Efron and Tibshirani 1993, chapter 13. With fewer than ten clusters it is too narrow.
    """
    if len(clusters) < 2:
        return Interval(float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(clusters), size=(rounds, len(clusters)))
    values = np.array([statistic([clusters[i] for i in draw]) for draw in draws], float)
    values = values[~np.isnan(values)]
    if not len(values):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return Interval(float(low), float(high))
