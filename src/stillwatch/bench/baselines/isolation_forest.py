"""Isolation forest on account features: what an anomaly detector makes of volume, rhythm, tokens and network.

Paper: Liu, Ting and Zhou 2008, "Isolation forest", ICDM, equation 2. Implementation: scikit-learn. Nothing adapted;
the features are those that peers name: volume, busiest hour, active hours, idle time, tokens, repeated prompts and
templates, addresses, agents, keys, failures.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from stillwatch.bench.baselines.rate_limit import HOUR_US, RateLimit
from stillwatch.bench.baselines.synchrotrap import template
from stillwatch.bench.baselines.traffic import Traffic
from stillwatch.bench.extra import needed


class IsolationForestOnAccounts:
    """Anomaly of each account's features."""

    name = "isolation forest"
    source = "Liu et al. 2008, ICDM"
    embeds = False

    def __init__(self) -> None:
        self._forest: Any = None

    def fit(self, benign: Traffic) -> None:
        """Grow the forest on benign accounts.

        Raises:
            ComponentError: scikit-learn is not installed.
        """
        with needed("scikit-learn"):
            from sklearn.ensemble import IsolationForest
        self._forest = IsolationForest(n_estimators=200, random_state=0).fit(features(benign))

    def scores(self, traffic: Traffic) -> np.ndarray:
        """(accounts,)."""
        found: np.ndarray = -self._forest.score_samples(features(traffic))
        return found


def features(traffic: Traffic) -> np.ndarray:
    """(accounts, features)."""
    busiest = RateLimit().scores(traffic)
    rows = []
    for i, part in traffic.rows():
        at = traffic.at[part]
        n = max(len(at), 1)
        gaps = np.diff(at) / 1e6 if len(at) > 1 else np.array([0.0])
        hours = np.bincount((at // HOUR_US % 24).astype(int), minlength=24) / n
        days = max((at[-1] - at[0]) / (24 * HOUR_US), 1.0) if len(at) else 1.0
        prompts = traffic.prompts[part.start : part.stop]
        rows.append([
            np.log1p(n), n / days, np.log1p(busiest[i]), float((hours > 0).sum()), float(hours.max()),
            np.log1p(np.median(gaps)), len(set(prompts)) / n, len({template(p) for p in prompts}) / n,
            len(set(traffic.systems[part.start : part.stop])) / n,
            *(np.log1p(traffic.numbers[k][part].mean()) if len(at) else 0.0
              for k in ("tokens_in", "tokens_out", "tokens_reasoning")),
            float((traffic.numbers["status"][part] >= 400).mean()) if len(at) else 0.0,
            *(np.log1p(len(np.unique(traffic.labels[k][part]))) for k in ("ip", "user_agent", "key_id", "model")),
        ])  # fmt: skip
    return np.array(rows, float)
