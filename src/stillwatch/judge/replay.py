"""When would a continuous run have known? Every finding followed in time order; nothing later may leak into it.

What is asked for is a test martingale (`maths.shares`): it may be looked at whenever one likes. The other families are
measured again on what had happened by each look, all findings in one pass; ties count from when they were seen, against
the popularity and the number of accounts of that moment. An account belongs to a set from its second exchange that
asks on: before, nothing would have drawn it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from stillwatch.engine import Engine
from stillwatch.judge import decide
from stillwatch.judge.analyse import Analysis, readings_of
from stillwatch.judge.calibration import Calibration
from stillwatch.judge.cohorts import TEMPLATE
from stillwatch.judge.decide import Rules
from stillwatch.judge.evidence import DEALT, Counts, Evidence, Reading, counts_of, counts_of_sets, weigh
from stillwatch.judge.findings import Finding
from stillwatch.judge.measures import GATING, NAMES, mask
from stillwatch.judge.rows import Rows, mixed
from stillwatch.judge.sets import Set, by_several
from stillwatch.judge.tally import Tally, counted, course
from stillwatch.signals.measure import able

GROWTH: Final = 1.15  # each look sees so many times the exchanges that ask of the look before
MOST: Final = 1 << 16  # looks at one finding, more than there can be


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """The first look at which the finding stood, and at which each account was part of it."""

    at: int
    exchanges: int  # of its exchanges, how many had happened by then
    accounts: Mapping[int, int]  # account -> time


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """A finding over time: after how many of its rows it is looked at, and what was counted by then."""

    finding: Finding
    places: np.ndarray
    looks: np.ndarray
    n: np.ndarray
    k: np.ndarray


def flagged(engine: Engine, analysis: Analysis, calibration: Calibration, rules: Rules) -> list[Flagged]:
    """Replay all findings of an analysis; the engine must still hold its rows (`Engine.take`)."""
    courses = [_course(_rows(analysis, f), f, rules) for f in analysis.findings]
    places, units = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, c in enumerate(courses):
        for i, look in enumerate(c.looks.tolist()):
            seen = c.places[:look]
            places.append(seen)
            units.append(np.full(len(seen), number * MOST + i))
    engine.by_units(np.concatenate(places), np.concatenate(units))
    able_now, _ = able(engine.present(), "unit")
    readings = readings_of(engine, [s.id for s in able_now if s.family != "content" or s.id == DEALT])
    found = []
    for number, c in enumerate(courses):
        standing = len(c.looks) - 1
        content = _content(analysis, c, calibration)
        for i in range(len(c.looks)):
            evidence = _evidence(analysis, c, i, content[i], readings.get(number * MOST + i, {}), calibration)
            if decide.is_distilling(evidence, rules):
                standing = i
                break
        found.append(_flag(_rows(analysis, c.finding), c, standing))
    engine.by_account()
    return found


def _rows(analysis: Analysis, finding: Finding) -> Rows:
    return analysis.rows.of_few(len(finding.accounts)) if finding.kind == "set" else analysis.alone


def _course(rows: Rows, finding: Finding, rules: Rules) -> _Course:
    places, marked = finding.places, _marked(rows, finding)[finding.places]
    if finding.kind == "set":
        valid = by_several(rows, places, marked)
    else:
        valid = counted(rows, places, np.zeros(len(places), np.int64))
    total = course(rows, places, valid)
    hits = np.cumsum(valid & marked)
    most = int(hits[-1]) if len(hits) else 0
    steps = [rules.least_hits - 1]  # the first one is not counted
    while steps[-1] < most:
        steps.append(int(np.ceil(steps[-1] * GROWTH)))
    # the row after which so many asked; the last look sees everything
    looks = np.unique(np.append(np.searchsorted(hits, [s for s in steps if s <= most]) + 1, len(places)))
    return _Course(finding=finding, places=places, looks=looks, n=total.n[looks - 1], k=total.k[looks - 1])


def _content(analysis: Analysis, c: _Course, calibration: Calibration) -> list[Counts]:
    """What is counted at each look; of a set what its own measure finds."""
    if c.finding.kind != "set":
        return counts_of(Tally(n=c.n, k=c.k), calibration, c.finding.kind)
    return counts_of_sets([_seen(analysis, c, i) for i in range(len(c.looks))], calibration, c.finding.evidence.kind)


def _seen(analysis: Analysis, c: _Course, i: int) -> Set:
    """The set as of one look: accounts drawn in by then that ties of then hold together.

    Either those of the template that most of them had filled, or those that hang together, whichever sent more. That
    other templates, too, belong to it shows later. Then fewer accounts were part of it, and its template was more of a
    stranger's.
    """
    rows, places = analysis.rows, c.places[: c.looks[i]]
    members = _drawn_in(_rows(analysis, c.finding), c.finding, places)
    if c.finding.evidence.kind == "set" and i < len(c.looks) - 1:
        until = int(rows.at[places[-1]])
        apart = _tied(analysis, members, until)
        groups = [
            np.concatenate(_tied(analysis, own, until) or [members[:0]]) for own in _filling(rows, places, members)
        ]
        sizes = np.bincount(rows.account[places], minlength=len(rows.accounts))
        members = max([*apart, *groups, members[:0]], key=lambda g: int(sizes[g].sum()))
        places = places[np.isin(rows.account[places], members)]
    marked = (rows.bits_of_few(places, len(members)) & mask(c.finding.evidence.lead)) != 0
    valid = by_several(rows, places, marked)
    return Set(
        measure=NAMES.index(c.finding.evidence.lead), members=tuple(members.tolist()), places=places, valid=valid,
        n=int(valid.sum()), k=int((valid & marked).sum()),
    )  # fmt: skip


def _evidence(
    analysis: Analysis, c: _Course, i: int, content: Counts, readings: Mapping[str, Reading], calibration: Calibration
) -> Evidence:
    """The evidence as of one look."""
    final = c.finding.evidence
    ties = None
    if c.finding.kind == "set":
        seen = _seen(analysis, c, i)
        until = int(analysis.rows.at[c.places[c.looks[i] - 1]])
        ties, _ = analysis.ties.among(analysis.rows.accounts[list(seen.members)].tolist(), until)
    allowed = {s: r for s, r in readings.items() if s != DEALT or c.finding.kind == "set"}
    return weigh(final.unit, content, allowed, calibration, kind=final.kind, beside=final.beside, ties=ties)


def _tied(analysis: Analysis, members: np.ndarray, until: int) -> list[np.ndarray]:
    """Members (codes) that ties as of a moment hold together, each group by itself."""
    found = analysis.ties.groups(analysis.rows.accounts[members].tolist(), ("identity", "network"), until)
    return [analysis.rows.codes(np.array(group, np.uint64)) for group in found]


def _filling(rows: Rows, places: np.ndarray, members: np.ndarray) -> list[np.ndarray]:
    """For each way of telling templates the members (codes) who filled the one that most of them filled."""
    own = places[np.isin(rows.account[places], members)]
    found = []
    for names in TEMPLATE:
        keys = [rows.keys[name][own] for name in names]
        known = keys[-1] != 0
        if known.any():
            both = np.unique(
                np.stack([mixed(*keys)[known], rows.account[own][known].astype(np.uint64)], axis=1), axis=0
            )
            values, users = np.unique(both[:, 0], return_counts=True)
            found.append(both[both[:, 0] == values[int(np.argmax(users))], 1].astype(np.int64))
    return found


def _marked(rows: Rows, finding: Finding) -> np.ndarray:
    """Rows that count for a finding: of a set those that its measure finds, else those that ask too."""
    lead = mask(finding.evidence.lead)
    return (rows.bits & (lead if finding.kind == "set" else GATING | lead)) != 0


def _drawn_in(rows: Rows, finding: Finding, seen: np.ndarray) -> np.ndarray:
    """Codes of the accounts that had asked twice."""
    asks = np.bincount(rows.account[seen][_marked(rows, finding)[seen]], minlength=len(rows.accounts))
    return np.flatnonzero(asks >= 2)


def _flag(rows: Rows, c: _Course, i: int) -> Flagged:
    look = int(c.looks[i])
    at = int(rows.at[c.places[look - 1]])
    accounts: dict[int, int] = {}
    asked: dict[int, int] = {}
    codes = rows.codes(np.array(c.finding.accounts, np.uint64)).tolist()
    asks = c.places[_marked(rows, c.finding)[c.places]]
    need = 2 if c.finding.kind == "set" else 1
    for code, moment in zip(rows.account[asks].tolist(), rows.at[asks].tolist(), strict=True):
        asked[code] = asked.get(code, 0) + 1
        if asked[code] == need:
            accounts[int(rows.accounts[code])] = max(at, int(moment))
    last = int(rows.at[c.places[-1]])
    for code in codes:
        accounts.setdefault(int(rows.accounts[code]), last)
    return Flagged(at=at, exchanges=look, accounts=accounts)
