"""Make a calibration from traffic that is known to be benign.

A unit is looked at as time goes by, and a watch may stop at any moment. So a benign unit enters with the counts of the
moment at which it looked worst, not with those of its end: a burst of ten quiz questions counts as the burst.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import product
from typing import Final

import numpy as np

from stillwatch.engine import Engine
from stillwatch.judge.analyse import Analysis, analyse, readings_of
from stillwatch.judge.calibration import STRATA, STRONGEST, Calibration, condense, stratum
from stillwatch.judge.cohorts import Group, groups
from stillwatch.judge.decide import Rules
from stillwatch.judge.evidence import DEALT, QUEUE
from stillwatch.judge.measures import MEASURES, NAMES
from stillwatch.judge.rows import Rows
from stillwatch.judge.sets import Set, by_account, over_time, sets
from stillwatch.judge.streams import LEAST, streams
from stillwatch.judge.tally import counted, course, looks
from stillwatch.judge.ties import BEYOND, TYPES
from stillwatch.maths import shares
from stillwatch.signals.measure import able
from stillwatch.signals.registry import ALL

KINDS: Final = ("account", "stream", "set", "cohort")
Looks = list[tuple[np.ndarray, np.ndarray]]  # of each unit: hits and exchanges at some moments, (looks,) each


def _by_stratum() -> dict[str, list[float]]:
    return defaultdict(list)


class Collector:
    """Gathers benign units, from one store or several, and turns them into a calibration."""

    def __init__(self) -> None:
        self._looks: dict[str, list[Looks]] = {kind: [[] for _ in NAMES] for kind in KINDS}  # by kind and measure
        self._values: dict[str, dict[str, list[float]]] = defaultdict(_by_stratum)
        self._groups = 0

    @property
    def units(self) -> int:
        """Accounts gathered so far."""
        return len(self._looks["account"][0])

    def add(self, engine: Engine, *, without: frozenset[int] = frozenset()) -> None:
        """Take every account that the engine holds, except those in `without` (accounts with a contract for it)."""
        blank = Calibration(
            name="blank", date="", made_from="", units=1, streams=1, sets=1, shares={}, values={}, weights={}
        )
        seen = analyse(engine, blank, Rules(least_hits=1 << 60), gate=0)
        rows = seen.alone
        good = np.array([int(a) not in without for a in rows.accounts.tolist()], bool)
        for code in np.flatnonzero(good).tolist():
            self._look("account", rows, rows.of(code))
            for signal, reading in seen.readings.get(int(rows.accounts[code]), {}).items():
                if reading.n >= ALL[signal].least:
                    self._values[signal][stratum(reading.n)].append(reading.value)
        self._add_streams(rows, np.flatnonzero(good))
        self._add_sets(engine, seen, good)
        engine.by_account()

    def _add_streams(self, rows: Rows, codes: np.ndarray) -> None:
        """Of every account with streams the one that looks worst; the others would be judged beside it."""
        found = streams(rows, codes)
        for account in np.unique(found.account).tolist():
            own = np.flatnonzero(found.account == account)
            k, n = found.tally.k[own], np.maximum(found.tally.n[own], 1)
            worst = own[int(np.argmax((k / n[:, None]) @ [m.weight for m in MEASURES.values()]))]
            self._look("stream", rows, found.places[worst])
        # accounts without such a stream count as streams in which nothing was asked
        for code in np.setdiff1d(codes, found.account).tolist():
            size = int(rows.text[rows.of(code)].sum())
            if size >= LEAST:
                self._quiet("stream", size)

    def _add_sets(self, engine: Engine, seen: Analysis, good: np.ndarray) -> None:
        """For each account the set it looks worst in, each set once; who is in none as one in which nothing was asked.

        Groups overlap, and only the strongest of those that overlap becomes a finding.
        """
        rows, ties = seen.rows, seen.ties
        found = groups(rows, np.flatnonzero(good), engine, seen.pools, ties)
        end = int(rows.at[-1]) if len(rows.at) else 0
        place = {int(a): c for c, a in enumerate(rows.accounts.tolist())}
        extents = {name: np.zeros(len(good)) for name in (*TYPES, "dealt")}
        # by kind and measure: account code -> set
        worst: dict[str, list[dict[int, Set]]] = {kind: [{} for _ in NAMES] for kind in ("set", "cohort")}
        dealt = self._dealt(engine, rows, found)
        for number, group in enumerate(found):
            members = sorted(group.accounts)
            among, tied = ties.among(rows.accounts[members].tolist(), end)
            for name, tie in among.items():
                if tie.e >= BEYOND:
                    extents[name][members] = np.maximum(extents[name][members], tie.extent)
            extents["dealt"][members] = np.maximum(extents["dealt"][members], dealt[number])
            if not tied and (group.places is None or dealt[number] < QUEUE):
                continue  # nothing makes a set of it
            bound = {place[a] for accounts in tied.values() for a in accounts}
            kind, who = ("set", sorted(group.accounts & bound)) if tied else ("cohort", members)
            only = None if group.places is None else by_account(rows, group.places)
            for part in sets(rows, who, bound, only=only, strangers=not tied):
                of_measure = worst[kind][part.measure]
                for code in part.members:
                    before = of_measure.get(code)
                    if before is None or _strength(part) > _strength(before):
                        of_measure[code] = part
        sizes = np.bincount(rows.account[rows.text], minlength=len(good)).astype(float)
        for kind, m in product(worst, range(len(NAMES))):
            its_worst = worst[kind][m]
            for part in {id(s): s for s in its_worst.values()}.values():
                total = over_time(rows, part)
                at = np.minimum(np.searchsorted(total.n, looks(part.n)), len(part.places) - 1)
                self._looks[kind][m].append((total.k[at, m].astype(float), total.n[at].astype(float)))
            for code in np.flatnonzero(good & (sizes > 0)).tolist():
                if code not in its_worst:
                    self._looks[kind][m].append((np.zeros(1), sizes[[code]]))
        for name, values in extents.items():
            self._values[f"tied:{name}"]["small"] += values[good].tolist()
        self._groups += len(found)

    def _dealt(self, engine: Engine, rows: Rows, found: Sequence[Group]) -> np.ndarray:
        """How surely each group shares one list of prompts out, (groups,), in digits; 0 where it cannot be told."""
        digits = np.zeros(len(found))
        if found and DEALT in {s.id for s in able(engine.present(), "unit")[0]}:
            places = [rows.of_all(np.array(sorted(g.accounts))) if g.places is None else g.places for g in found]
            engine.by_units(np.concatenate(places), np.concatenate([np.full(len(p), i) for i, p in enumerate(places)]))
            for number, per in readings_of(engine, [DEALT]).items():
                for signal, reading in per.items():
                    self._values[signal][stratum(reading.n)].append(reading.value)
                    if reading.n >= ALL[signal].least:
                        digits[number] = reading.value
        return digits

    def _quiet(self, kind: str, size: float) -> None:
        """A unit of so many exchanges in which nothing was found."""
        for by_measure in self._looks[kind]:
            by_measure.append((np.zeros(1), np.array([size], float)))

    def _look(self, kind: str, rows: Rows, places: np.ndarray) -> None:
        """Count a unit at the moments at which a watch would have looked at it."""
        if not rows.text[places].any():
            return
        if not rows.bits[places].any():
            self._quiet(kind, float(rows.text[places].sum()))
            return
        total = course(rows, places, counted(rows, places, np.zeros(len(places), np.int64)))
        at = np.minimum(np.searchsorted(total.n, looks(int(total.n[-1]))), len(places) - 1)
        for m, by_measure in enumerate(self._looks[kind]):
            by_measure.append((total.k[at, m].astype(float), total.n[at].astype(float)))

    def update(self, other: Collector) -> None:
        """Take over what another collector gathered."""
        for kind, measures in other._looks.items():
            for mine, theirs in zip(self._looks[kind], measures, strict=True):
                mine += theirs
        for signal, per in other._values.items():
            for name, values in per.items():
                self._values[signal][name] += values
        self._groups += other._groups

    def finish(self, *, name: str, date: str, made_from: str, strongest: Strongest | None = None) -> Calibration:
        """The calibration of everything gathered.

        Args:
            strongest: the evidence on benign accounts, by a calibration that was made without them.
        """
        condensed = {s: {k: condense(np.array(v)) for k, v in per.items()} for s, per in sorted(self._values.items())}
        return Calibration(
            name=name, date=date, made_from=made_from, units=self.units, streams=len(self._looks["stream"][0]),
            sets=self._groups,
            shares={m: {kind: _weights(self._looks[kind][i]) for kind in KINDS} for i, m in enumerate(NAMES)},
            values={s: {k: v[0] for k, v in per.items() if k in STRATA} for s, per in condensed.items()},
            weights={s: {k: v[1] for k, v in per.items() if k in STRATA} for s, per in condensed.items()},
            strongest=strongest.top() if strongest else {}, judged=strongest.judged if strongest else 0,
        )  # fmt: skip


class Strongest:
    """The strongest evidence on each of many benign accounts."""

    def __init__(self) -> None:
        self.judged = 0
        self._found: dict[str, list[float]] = defaultdict(list)

    def add(self, engine: Engine, calibration: Calibration, *, without: frozenset[int] = frozenset()) -> None:
        """Judge the accounts that the engine holds, except those in `without`, by a calibration made without them."""
        seen = analyse(engine, calibration, Rules())
        self.judged += sum(a not in without for a in seen.units)
        for kind, per in seen.strongest.items():
            self._found[kind] += [s for a, s in per.items() if a not in without]

    def update(self, other: Strongest) -> None:
        """Take over what another one found."""
        self.judged += other.judged
        for kind, found in other._found.items():
            self._found[kind] += found

    def top(self) -> dict[str, tuple[float, ...]]:
        """kind -> the largest ones, falling."""
        return {
            kind: tuple(float(f"{s:.6g}") for s in sorted(found, reverse=True)[:STRONGEST])
            for kind, found in self._found.items()
        }


Source = Callable[[], AbstractContextManager[tuple[Engine, frozenset[int]]]]


def calibrated(
    sources: Sequence[Source], *, name: str, date: str, made_from: Callable[[int], str],
    progress: Callable[[int], None] = lambda done: None,
) -> Calibration:  # fmt: skip
    """A calibration from stores of benign traffic.

    Whether an honest account's evidence is strong is asked of a calibration that has not seen the account: the sources
    are dealt to two halves, each of which is judged by the other. The accounts of a single source are dealt.

    Args:
        sources: each opens an engine, with the accounts that are not to be learnt from.
        made_from: what it was made from, given the number of accounts.
        progress: called with the steps done, of two for each source.
    """
    halves, whole, strongest = (Collector(), Collector()), Collector(), Strongest()
    for number, source in enumerate(sources):
        with source() as (engine, without):
            if len(sources) > 1:
                halves[number % 2].add(engine, without=without)
            else:
                whole.add(engine, without=without)
                for half, other in enumerate(reversed(_halves(engine))):
                    halves[half].add(engine, without=without | other)
        progress(number + 1)
    judges = [half.finish(name=name, date=date, made_from="one half") for half in halves]
    for number, source in enumerate(sources):
        with source() as (engine, without):
            if len(sources) > 1:
                strongest.add(engine, judges[1 - number % 2], without=without)
            else:
                for half, other in enumerate(reversed(_halves(engine))):
                    strongest.add(engine, judges[1 - half], without=without | other)
        progress(len(sources) + number + 1)
    if len(sources) > 1:
        for collector in halves:
            whole.update(collector)
    return whole.finish(name=name, date=date, made_from=made_from(whole.units), strongest=strongest)


def _halves(engine: Engine) -> tuple[frozenset[int], frozenset[int]]:
    """The accounts that an engine holds, in two halves."""
    accounts = engine.query("SELECT DISTINCT account FROM sketches ORDER BY account").column(0).to_pylist()
    return frozenset(accounts[0::2]), frozenset(accounts[1::2])


def _strength(part: Set) -> float:
    """How far the hits of a set are beyond one in ten, for choosing between sets."""
    return (part.k - 0.1 * part.n) / max(part.n, 1) ** 0.5


def _weights(units: Looks) -> tuple[float, ...]:
    """Weights of the shares of one measure, of units at their worst moments."""
    k = np.array([u[0][-1] for u in units], float)
    n = np.array([u[1][-1] for u in units], float)
    weights = shares.fit(k, n)
    # all moments of the units that did it at all, in one go
    busy = [i for i, u in enumerate(units) if u[0].any()]
    if busy:
        every_k, every_n = (np.concatenate([units[i][j] for i in busy]) for j in range(2))
        ends = np.cumsum([len(units[i][1]) for i in busy])
        for _ in range(2):  # what is worst depends on the weights, which depend on it
            e = shares.e_values(every_k, every_n, weights)
            for i, high in zip(busy, ends.tolist(), strict=True):
                low = high - len(units[i][1])
                worst = low + int(np.argmax(e[low:high]))
                k[i], n[i] = every_k[worst], every_n[worst]
            weights = shares.fit(k, n)
    return tuple(round(float(w), 9) for w in weights)
