"""Findings: sets of exchanges that look gathered for training, and which of them are one campaign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from stillwatch.judge.evidence import Evidence, Kind, Unit

NEARLY: Final = 3.0  # times weaker that a wider set may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An account or several that are convicted one by one, streams in one, or a set of accounts."""

    kind: Kind
    accounts: tuple[int, ...]  # hashes
    streams: tuple[int, ...]
    evidence: Evidence
    places: np.ndarray  # its exchanges: places in the analysis's `Rows`, in time order


def small(unit: Unit) -> bool:
    """Is asking for training material the smaller part of what a unit does?"""
    return unit.hits * 10 < unit.texts * 7


def merged(
    whole: Sequence[Finding], streams: Sequence[Finding], sets: Sequence[Finding], together: Sequence[Collection[int]]
) -> list[Finding]:
    """One finding for each campaign: of those that overlap the strongest, or a wider one that is nearly as strong.

    Of an account whose harvest is the smaller part the streams are told, where any were found, else the account.

    Args:
        together: groups of accounts that fill one template or are linked: those of them that are convicted one by one,
            and are in no set, are one campaign.
    """
    inside = {f.accounts[0] for f in streams}
    whole = [f for f in whole if f.accounts[0] not in inside or not small(f.evidence.unit)]
    kept: list[Finding] = []
    taken: set[int] = set()
    strongest_first = sorted(sets, key=lambda f: (-f.evidence.strength, -len(f.accounts), f.accounts))
    for finding in (_widest(f, strongest_first) for f in strongest_first):
        if not taken & set(finding.accounts):
            kept.append(finding)
            taken |= set(finding.accounts)
    single = {f.accounts[0]: f for f in whole if f.accounts[0] not in taken}
    kept += _joined(single, together)
    taken |= set(single)
    return kept + [f for f in streams if not taken & set(f.accounts)]


def _joined(single: Mapping[int, Finding], together: Sequence[Collection[int]]) -> list[Finding]:
    """Findings on single accounts, those of one group as one, with the evidence of the strongest."""
    of: dict[int, int] = {a: a for a in single}

    def root(a: int) -> int:
        while of[a] != a:
            a = of[a]
        return a

    for group in together:
        members = sorted(set(group) & single.keys())
        for other in members[1:]:
            of[root(other)] = root(members[0])
    parts: dict[int, list[Finding]] = defaultdict(list)
    for a, finding in sorted(single.items()):
        parts[root(a)].append(finding)
    found = []
    for part in parts.values():
        strongest = max(part, key=lambda f: (f.evidence.strength, -f.accounts[0]))
        accounts = tuple(sorted(a for f in part for a in f.accounts))
        found.append(replace(strongest, accounts=accounts, places=np.unique(np.concatenate([f.places for f in part]))))
    return found


def _widest(finding: Finding, others: Sequence[Finding]) -> Finding:
    """The largest set that has half of this one in it and is at least a third as strong."""
    own = set(finding.accounts)
    wider = [
        f
        for f in others
        if f.evidence.strength * NEARLY >= finding.evidence.strength and len(own & set(f.accounts)) * 2 >= len(own)
    ]
    return max(wider, key=lambda f: len(f.accounts))
