"""The baselines, in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence

from stillwatch.bench.baselines.cap import Cap
from stillwatch.bench.baselines.date_text import Date
from stillwatch.bench.baselines.isolation_forest import IsolationForestOnAccounts
from stillwatch.bench.baselines.keywords import Keywords
from stillwatch.bench.baselines.mahalanobis import Mahalanobis
from stillwatch.bench.baselines.mmd import Mmd
from stillwatch.bench.baselines.prada import Prada
from stillwatch.bench.baselines.rate_limit import RateLimit
from stillwatch.bench.baselines.seat import Seat
from stillwatch.bench.baselines.synchrotrap import SynchroTrap
from stillwatch.bench.baselines.traffic import Baseline


def baselines(*, embeddings: bool = True) -> Sequence[Baseline]:
    """New, unfitted detectors; without those that need sentence embeddings if these cannot be had."""
    listed: list[Baseline] = [
        RateLimit(), Keywords(), IsolationForestOnAccounts(), SynchroTrap(), Prada(), Seat(), Cap(), Date(),
        Mahalanobis(), Mmd(),
    ]  # fmt: skip
    return [b for b in listed if embeddings or not b.embeds]
