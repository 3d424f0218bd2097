"""Which found campaign is which true one, and what was known when.

A found campaign is the true campaign to which most of its exchanges belong (more than half of them are that
campaign's harvest), else the one to which more than half of its accounts belong, if those are the campaign's own and
not customers of an intermediary. One that is mostly harvest, or mostly campaigns' accounts, but of several campaigns is
mixed: it is none of them, and no false alarm either. Any other is a false campaign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from stillwatch.bench.detection.data import Known, KnownCampaign
from stillwatch.bench.detection.scans import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A found campaign."""

    found: str
    true: str | None  # None: nobody's campaign
    how: str  # exchanges | accounts | mixed | none
    share: float  # of its exchanges that are the true campaign's harvest
    accounts: tuple[str, ...]
    rows: np.ndarray  # of the truth
    flagged_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a true campaign."""

    campaign: str
    known: KnownCampaign
    hides: bool  # in accounts of somebody else
    fragments: int  # found campaigns that are it; 0: missed
    accounts_found: int
    exchanges_found: int  # of its harvest, inside any campaign that is it
    before_flag: int | None  # its harvest until the first flag; None: never
    reasoning_before_flag: int | None
    hours_to_flag: float | None
    days: float  # from its first harvest to its last

    @property
    def found(self) -> bool:
        """Was it found at all?"""
        return self.fragments > 0


def match(found: Found, known: Known) -> list[Match]:
    """Every found campaign with the true one that it is, if any."""
    out = []
    for row in found.campaigns:
        rows = known.at_rows(found.members.get(row["campaign_id"], ()))
        true, how, share = _true(rows, row["accounts"], known)
        out.append(
            Match(
                found=row["campaign_id"], true=true, how=how, share=share, accounts=tuple(row["accounts"]), rows=rows,
                flagged_at=_us(row["flagged_at"]),
            )
        )  # fmt: skip
    return out


def _true(rows: np.ndarray, accounts: Sequence[str], known: Known) -> tuple[str | None, str, float]:
    counts = Counter(c for c in known.campaign[rows] if c is not None)
    if counts:
        best, hits = min(counts.items(), key=lambda item: (-item[1], item[0]))
        if hits * 2 > len(rows):
            return best, "exchanges", hits / len(rows)
    mine = [known.accounts[a] for a in accounts if a in known.accounts and known.accounts[a].own]
    own = Counter(c for account in mine for c in account.campaigns)
    for best, hits in sorted(own.items(), key=lambda item: (-item[1], item[0])):
        if hits * 2 > len(accounts):
            return best, "accounts", counts[best] / max(len(rows), 1)
    several = sum(counts.values()) * 2 > len(rows) or len(mine) * 2 > len(accounts)
    return None, "mixed" if several else "none", 0.0


def outcomes(matches: Sequence[Match], known: Known) -> list[Outcome]:
    """Every true campaign and what was found of it."""
    per: dict[str, list[Match]] = {}
    for m in matches:
        if m.true is not None:
            per.setdefault(m.true, []).append(m)
    return [_outcome(name, c, per.get(name, []), known) for name, c in sorted(known.campaigns.items())]


def _outcome(name: str, campaign: KnownCampaign, its: Sequence[Match], known: Known) -> Outcome:
    harvest = np.flatnonzero(known.campaign == name)
    inside = np.unique(np.concatenate([m.rows for m in its])) if its else np.zeros(0, np.int64)
    flags = [m.flagged_at for m in its if m.flagged_at is not None]
    before = harvest[known.at[harvest] <= min(flags)] if flags else None
    first = int(known.at[harvest].min()) if len(harvest) else campaign.first_at
    return Outcome(
        campaign=name, known=campaign, hides=known.hides(name), fragments=len(its),
        accounts_found=len(set(campaign.accounts) & {a for m in its for a in m.accounts}),
        exchanges_found=len(np.intersect1d(harvest, inside)),
        before_flag=None if before is None else len(before),
        reasoning_before_flag=None if before is None else int(known.reasoning[before].sum()),
        hours_to_flag=None if not flags else (min(flags) - first) / 3600e6,
        days=(int(known.at[harvest].max()) - first) / 86_400e6 if len(harvest) else 0.0,
    )  # fmt: skip


def _us(at: datetime | int | None) -> int | None:
    if at is None or isinstance(at, int):
        return at
    return round(at.timestamp() * 1e6)


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Plain data, for the work folder."""
    c = outcome.known
    return {
        "campaign": outcome.campaign, "families": list(c.families), "organisation": dict(c.organisation),
        "obfuscations": list(c.obfuscations), "share": c.share, "hides": outcome.hides,
        "accounts": len(c.accounts), "exchanges": c.exchanges,
        "reasoning": c.reasoning, "observable": c.observable, "expected_miss": c.expected_miss,
        "fragments": outcome.fragments, "accounts_found": outcome.accounts_found,
        "exchanges_found": outcome.exchanges_found, "before_flag": outcome.before_flag,
        "reasoning_before_flag": outcome.reasoning_before_flag, "hours_to_flag": outcome.hours_to_flag,
        "days": outcome.days,
    }  # fmt: skip
