"""Make a calibration from traffic that is known to be benign."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from stillwatch.engine import Engine
from stillwatch.judge.analyse import STREAM_LEAST, analyse, readings_of, units_of
from stillwatch.judge.calibration import MEASURES, SIZES, STRATA, Calibration, condense, stratum
from stillwatch.judge.decide import Rules
from stillwatch.judge.evidence import RETURNS, Unit
from stillwatch.maths import shares
from stillwatch.signals.measure import able
from stillwatch.signals.registry import ALL


class Collector:
    """Gathers benign units, from one store or several, and turns them into a calibration."""

    def __init__(self) -> None:
        self._account: list[tuple[Unit, float]] = []  # and the share of prompts that came back
        self._stream: list[tuple[Unit, float]] = []
        self._linked = np.zeros(len(SIZES), np.int64)
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    @property
    def units(self) -> int:
        """Accounts gathered so far."""
        return len(self._account)

    def add(self, engine: Engine, *, without: frozenset[int] = frozenset()) -> None:
        """Take every account that the engine holds, except those in `without` (accounts with a contract for it)."""
        blank = Calibration(
            name="blank", date="", made_from="", units=1, streams=1,
            shares={m: {"account": _flat(), "stream": _flat()} for m in MEASURES},
            linked=(1,) * len(SIZES), values={}, weights={},
        )  # fmt: skip
        seen = analyse(engine, blank, Rules(least_hits=1 << 60), gate=0)
        for unit in seen.units.values():
            if unit.unit in without:
                continue
            back = seen.readings.get(unit.unit, {}).get(RETURNS)
            self._account.append((unit, back.value if back else 0.0))
            for signal, reading in seen.readings.get(unit.unit, {}).items():
                if reading.n >= ALL[signal].least:
                    self._values[signal][stratum(reading.n)].append(reading.value)
        for pool in seen.pools:
            size = len([a for a in pool if a not in without])
            self._linked += np.where(np.array(SIZES) <= size, size, 0)
        engine.by_stream([u for u in seen.units if u not in without])
        returned = readings_of(engine, [RETURNS])
        for unit in units_of(engine.units()).values():
            if unit.texts >= STREAM_LEAST:
                back = returned.get(unit.unit, {}).get(RETURNS)
                self._stream.append((unit, back.value if back else 0.0))
        unit_signals, _ = able(engine.present(), "unit")
        engine.by_set([p for p in seen.pools if not without & set(p)] or [[0]])
        for per in readings_of(engine, [s.id for s in unit_signals if s.id == "SG111"]).values():
            for signal, reading in per.items():
                self._values[signal][stratum(reading.n)].append(reading.value)
        engine.by_account()

    def finish(self, *, name: str, date: str, made_from: str, alarms: dict[str, float] | None = None) -> Calibration:
        """The calibration of everything gathered."""
        condensed = {s: {k: condense(np.array(v)) for k, v in per.items()} for s, per in sorted(self._values.items())}
        return Calibration(
            name=name, date=date, made_from=made_from, units=len(self._account), streams=len(self._stream),
            shares={m: {"account": _weights(self._account, m), "stream": _weights(self._stream, m)} for m in MEASURES},
            linked=tuple(int(x) for x in self._linked),
            values={s: {k: v[0] for k, v in per.items() if k in STRATA} for s, per in condensed.items()},
            weights={s: {k: v[1] for k, v in per.items() if k in STRATA} for s, per in condensed.items()},
            alarms=alarms or {},
        )  # fmt: skip


def _flat() -> tuple[float, ...]:
    return tuple(np.full(len(shares.GRID), 1 / len(shares.GRID)))


def _weights(units: list[tuple[Unit, float]], measure: str) -> tuple[float, ...]:
    usable = [(getattr(u, measure) * (1 - back), u.texts) for u, back in units if u.texts > 0]
    if not usable:
        return _flat()
    k, n = np.array(usable, float).T
    return tuple(round(float(w), 9) for w in shares.fit(k, n))
