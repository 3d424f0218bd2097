"""When would a continuous run have known? The same analysis on what had happened until then, nothing later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from stillwatch.engine import Engine
from stillwatch.judge.analyse import Analysis, Finding, analyse
from stillwatch.judge.calibration import Calibration
from stillwatch.judge.decide import Rules

GROWTH: Final = 1.15  # each tick sees fifteen per cent more of the accounts' exchanges than the one before


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """The first tick at which the finding stood, and at which each account was part of it."""

    at: int
    exchanges: int  # of its exchanges, how many had happened by then
    accounts: Mapping[int, int]  # account -> tick


def ticks(times: np.ndarray, least: int) -> list[int]:
    """Moments at which a verdict is looked at: after `least` exchanges and then in steps of `GROWTH`."""
    found = []
    count = float(least)
    while count < len(times):
        found.append(int(times[int(count) - 1]))
        count *= GROWTH
    return sorted({*found, int(times[-1])})


def flagged(
    engine: Engine, finding: Finding, calibration: Calibration, rules: Rules, present: frozenset[str]
) -> Flagged:
    """Replay a finding's accounts in time order.

    A bisection over the ticks finds one at which the finding stands and did not at the tick before. Popularity of
    shared values is counted over all accounts as of that moment. The engine is left focused; call `unfocus`.
    """
    engine.focus(finding.accounts)
    times = engine.times()
    moments = ticks(times, rules.least_hits)
    seen: dict[int, frozenset[int]] = {}

    def covered(i: int) -> frozenset[int]:
        if i not in seen:
            engine.horizon(moments[i])
            result: Analysis = analyse(
                engine, calibration, rules, present=present, accounts=engine.accounts_until(moments[i])
            )
            seen[i] = frozenset(a for f in result.findings for a in f.accounts)
        return seen[i]

    low, high = -1, len(moments) - 1
    need = min(2, len(finding.accounts))
    while high - low > 1:
        middle = (low + high) // 2
        if len(covered(middle)) >= need:
            high = middle
        else:
            low = middle
    covered(high)
    per_account: dict[int, int] = {}
    for i in sorted(seen):
        for account in seen[i]:
            if i >= high:
                per_account.setdefault(account, moments[i])
    engine.horizon(moments[high])
    if finding.kind == "stream":
        engine.by_stream(finding.accounts)
        engine.join_units(finding.streams)
        count = int(engine.units().column("n")[0].as_py())
    else:
        count = int(np.searchsorted(times, moments[high], side="right"))
    return Flagged(
        at=moments[high], exchanges=count,
        accounts={a: per_account.get(a, moments[-1]) for a in finding.accounts},
    )  # fmt: skip
