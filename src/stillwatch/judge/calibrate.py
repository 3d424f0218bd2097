"""Make a calibration from traffic that is known to be benign.

A unit is looked at as time goes by, and a watch may stop at any moment. So a benign unit enters with the counts of the
moment at which it looked worst, not with those of its end: a burst of ten quiz questions counts as the burst.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np

from stillwatch.engine import Engine
from stillwatch.judge.analyse import Analysis, analyse, readings_of
from stillwatch.judge.calibration import STRATA, Calibration, condense, stratum
from stillwatch.judge.cohorts import groups
from stillwatch.judge.decide import DEALT, Rules
from stillwatch.judge.measures import MEASURES, NAMES
from stillwatch.judge.rows import Rows
from stillwatch.judge.sets import over_time, sets
from stillwatch.judge.streams import LEAST, streams
from stillwatch.judge.tally import counted, course, looks
from stillwatch.judge.ties import BEYOND, TYPES
from stillwatch.maths import shares
from stillwatch.signals.measure import able
from stillwatch.signals.registry import ALL

KINDS: Final = ("account", "stream", "set")
Looks = list[tuple[np.ndarray, np.ndarray]]  # of each unit: hits and exchanges at some moments, (looks,) each


class Collector:
    """Gathers benign units, from one store or several, and turns them into a calibration."""

    def __init__(self) -> None:
        self._looks: dict[str, list[Looks]] = {kind: [[] for _ in NAMES] for kind in KINDS}  # by kind and measure
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
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
        rows = seen.rows
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
        """Sets count once for each of their members, and who is in none as one in which nothing was asked.

        So error rates are those of accounts, whether they are judged alone or together.
        """
        rows, ties = seen.rows, seen.ties
        found = groups(rows, np.flatnonzero(good), engine, seen.pools, ties)
        end = int(rows.at[-1]) if len(rows.at) else 0
        place = {int(a): c for c, a in enumerate(rows.accounts.tolist())}
        tied_by = {name: np.zeros(len(good)) for name in TYPES}
        within = np.zeros((len(NAMES), len(good)), bool)
        for group in found:
            among, tied = ties.among(rows.accounts[list(group)].tolist(), end)
            for name, tie in among.items():
                if tie.e >= BEYOND:
                    tied_by[name][list(group)] = np.maximum(tied_by[name][list(group)], tie.share)
            bound = {place[a] for accounts in tied.values() for a in accounts}
            for part in sets(rows, group, bound):
                total = over_time(rows, part)
                at = np.minimum(np.searchsorted(total.n, looks(part.n)), len(part.places) - 1)
                shown = (total.k[at, part.measure].astype(float), total.n[at].astype(float))
                self._looks["set"][part.measure] += [shown] * len(part.members)
                within[part.measure, list(part.members)] = True
        for code in np.flatnonzero(good).tolist():
            size = float(rows.text[rows.of(code)].sum())
            for m in np.flatnonzero(~within[:, code]).tolist() if size else ():
                self._looks["set"][m].append((np.zeros(1), np.array([size])))
        for name, shares_ in tied_by.items():
            self._values[f"tied:{name}"]["small"] += shares_[good].tolist()
        self._groups += len(found)
        if found and DEALT in {s.id for s in able(engine.present(), "unit")[0]}:
            places = [rows.of_all(np.array(g)) for g in found]
            engine.by_units(np.concatenate(places), np.concatenate([np.full(len(p), i) for i, p in enumerate(places)]))
            for per in readings_of(engine, [DEALT]).values():
                for signal, reading in per.items():
                    self._values[signal][stratum(reading.n)].append(reading.value)

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

    def finish(self, *, name: str, date: str, made_from: str, alarms: dict[str, float] | None = None) -> Calibration:
        """The calibration of everything gathered."""
        condensed = {s: {k: condense(np.array(v)) for k, v in per.items()} for s, per in sorted(self._values.items())}
        return Calibration(
            name=name, date=date, made_from=made_from, units=self.units, streams=len(self._looks["stream"][0]),
            sets=self._groups,
            shares={m: {kind: _weights(self._looks[kind][i]) for kind in KINDS} for i, m in enumerate(NAMES)},
            values={s: {k: v[0] for k, v in per.items() if k in STRATA} for s, per in condensed.items()},
            weights={s: {k: v[1] for k, v in per.items() if k in STRATA} for s, per in condensed.items()},
            alarms=alarms or {},
        )  # fmt: skip


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
