"""Findings: sets of exchanges that look gathered for training, and which of them are one campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import numpy as np

from stillwatch.judge.evidence import Evidence, Kind, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An account, streams in one, or a set of accounts."""

    kind: Kind
    accounts: tuple[int, ...]  # hashes
    streams: tuple[int, ...]
    evidence: Evidence
    places: np.ndarray  # its exchanges: places in the analysis's `Rows`, in time order


def small(unit: Unit) -> bool:
    """Is asking for training material the smaller part of what a unit does?"""
    return unit.hits * 10 < unit.texts * 7


def merged(whole: Sequence[Finding], streams: Sequence[Finding], sets: Sequence[Finding]) -> list[Finding]:
    """One finding for each campaign: of those that overlap the strongest, by powers of ten, then the largest.

    Of an account whose harvest is the smaller part the streams are told, where any were found, else the account.
    """
    inside = {f.accounts[0] for f in streams}
    whole = [f for f in whole if f.accounts[0] not in inside or not small(f.evidence.unit)]
    order = sorted(
        [*whole, *sets],
        key=lambda f: (f.kind != "set", -round(log10(f.evidence.strength)), -len(f.accounts), f.accounts),
    )
    kept: list[Finding] = []
    taken: set[int] = set()
    for finding in order:
        if not taken & set(finding.accounts):
            kept.append(finding)
            taken |= set(finding.accounts)
    return kept + [f for f in streams if not taken & set(f.accounts)]
