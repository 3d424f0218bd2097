"""Per-account rate limit: the most requests in any hour.

What every gateway ships (requests per minute, hour or day and key). Nothing was adapted but the threshold: it is the
benign quantile, as for all methods here, so that limits are compared at equal cost to honest customers.
"""

from __future__ import annotations

import numpy as np

from stillwatch.bench.baselines.traffic import Traffic

HOUR_US = 3_600_000_000


class RateLimit:
    """Busiest hour of each account."""

    name = "rate limit"
    source = "any gateway"
    embeds = False

    def fit(self, benign: Traffic) -> None:
        """Nothing to learn."""

    def scores(self, traffic: Traffic) -> np.ndarray:
        """Requests in the busiest hour, sliding, (accounts,)."""
        out = traffic.nothing()
        for i, rows in traffic.rows():
            at = traffic.at[rows]
            if len(at):
                out[i] = (np.searchsorted(at, at + HOUR_US, side="left") - np.arange(len(at))).max()
        return out
