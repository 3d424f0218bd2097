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
from stillwatch.judge.streams import streams
from stillwatch.judge.tally import counted, course, looks
from stillwatch.judge.ties import BEYOND, TYPES
from stillwatch.maths import shares
from stillwatch.signals.measure import able
from stillwatch.signals.registry import ALL

KINDS: Final = ("account", "stream", "set")
Looks = list[tuple[np.ndarray, np.ndarray]]  # of each unit: k (looks, measures), n (looks,)


class Collector:
    """Gathers benign units, from one store or several, and turns them into a calibration."""

    def __init__(self) -> None:
        self._looks: dict[str, Looks] = {kind: [] for kind in KINDS}
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._sets = 0

    @property
    def units(self) -> int:
        """Accounts gathered so far."""
        return len(self._looks["account"])

    def add(self, engine: Engine, *, without: frozenset[int] = frozenset()) -> None:
        """Take every account that the engine holds, except those in `without` (accounts with a contract for it)."""
        blank = Calibration(
            name="blank", date="", made_from="", units=1, streams=1, sets=1, shares={}, values={}, weights={}
        )
        seen = analyse(engine, blank, Rules(least_hits=1 << 60), gate=0)
        rows = seen.rows
        good = np.array([int(a) not in without for a in rows.accounts.tolist()])
        for code in np.flatnonzero(good).tolist():
            self._look("account", rows, rows.of(code), by_account=False)
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
            self._look("stream", rows, found.places[worst], by_account=False)
        # accounts without such a stream count as streams in which nothing was asked
        for code in np.setdiff1d(codes, found.account).tolist():
            size = int(rows.text[rows.of(code)].sum())
            if size >= 12:
                self._looks["stream"].append((np.zeros((1, len(NAMES))), np.array([size])))

    def _add_sets(self, engine: Engine, seen: Analysis, good: np.ndarray) -> None:
        rows = seen.rows
        sets = groups(rows, np.flatnonzero(good), engine, seen.pools, seen.ties)
        # A set counts once for each of its accounts, and who is in none counts as one in which nothing was asked:
        # error rates are those of accounts, whether they are judged alone or together.
        outside = good.copy()
        end = int(rows.at[-1]) if len(rows.at) else 0
        for group in sets:
            found, _ = seen.ties.among(rows.accounts[list(group)].tolist(), end)
            for name, tie in found.items():
                self._values[f"tied:{name}"]["small"] += [tie.share if tie.e >= BEYOND else 0.0] * len(group)
            for _ in group:
                self._look("set", rows, rows.of_all(np.array(group)), by_account=True)
            outside[list(group)] = False
        for code in np.flatnonzero(outside).tolist():
            size = int(rows.text[rows.of(code)].sum())
            for name in TYPES:
                self._values[f"tied:{name}"]["small"].append(0.0)
            if size:
                self._looks["set"].append((np.zeros((1, len(NAMES))), np.array([size])))
        self._sets += len(sets)
        if not sets:
            return
        unit_signals, _ = able(engine.present(), "unit")
        engine.by_units(
            np.concatenate([rows.of_all(np.array(g)) for g in sets]),
            np.concatenate([np.full(len(rows.of_all(np.array(g))), i) for i, g in enumerate(sets)]),
        )
        for per in readings_of(engine, [s.id for s in unit_signals if s.id == DEALT]).values():
            for signal, reading in per.items():
                self._values[signal][stratum(reading.n)].append(reading.value)

    def _look(self, kind: str, rows: Rows, places: np.ndarray, *, by_account: bool) -> None:
        """Count a unit at the moments at which a watch would have looked at it."""
        if not rows.text[places].any():
            return
        if not rows.bits[places].any():
            self._looks[kind].append((np.zeros((1, len(NAMES))), np.array([int(rows.text[places].sum())])))
            return
        by = rows.account[places] if by_account else np.zeros(len(places), np.int64)
        total = course(rows, places, counted(rows, places, by))
        at = np.searchsorted(total.n, looks(int(total.n[-1])))
        at = np.minimum(at, len(places) - 1)
        self._looks[kind].append((total.k[at].astype(float), total.n[at].astype(float)))

    def finish(self, *, name: str, date: str, made_from: str, alarms: dict[str, float] | None = None) -> Calibration:
        """The calibration of everything gathered."""
        condensed = {s: {k: condense(np.array(v)) for k, v in per.items()} for s, per in sorted(self._values.items())}
        return Calibration(
            name=name, date=date, made_from=made_from, units=self.units, streams=len(self._looks["stream"]),
            sets=self._sets,
            shares={m: {kind: _weights(self._looks[kind], i) for kind in KINDS} for i, m in enumerate(NAMES)},
            values={s: {k: v[0] for k, v in per.items() if k in STRATA} for s, per in condensed.items()},
            weights={s: {k: v[1] for k, v in per.items() if k in STRATA} for s, per in condensed.items()},
            alarms=alarms or {},
        )  # fmt: skip


def _weights(units: Looks, measure: int) -> tuple[float, ...]:
    """Weights of the shares of one measure, of units at their worst moments."""
    k = np.array([u[0][-1, measure] for u in units], float)
    n = np.array([u[1][-1] for u in units], float)
    weights = shares.fit(k, n)
    for _ in range(2):  # what is worst depends on the weights, which depend on it
        worst = [_worst(u, measure, weights) for u in units]
        weights = shares.fit(np.array([w[0] for w in worst]), np.array([w[1] for w in worst]))
    return tuple(round(float(w), 9) for w in weights)


def _worst(unit: tuple[np.ndarray, np.ndarray], measure: int, weights: np.ndarray) -> tuple[float, float]:
    k, n = unit[0][:, measure], unit[1]
    if not k.any():
        return float(k[-1]), float(n[-1])
    i = int(np.argmax(shares.e_values(k, n, weights)))
    return float(k[i]), float(n[i])
