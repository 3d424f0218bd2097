"""The headline figures as rows: what was measured, the goal, hit or missed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stillwatch.bench.detection import measures
from stillwatch.bench.detection.measures import Result, Share
from stillwatch.bench.detection.run import Measured
from stillwatch.bench.detection.scans import WHOLE
from stillwatch.maths.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure beside its goal."""

    name: str
    shown: str
    goal: str
    hit: bool | None  # None: no goal, or nothing to measure


@dataclass(frozen=True, slots=True)
class Headline:
    """What the command prints."""

    measured: Measured

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`: every figure, every method, and what was measured of every set."""
        return {
            "figures": [{"name": f.name, "measured": f.shown, "goal": f.goal, "hit": f.hit}
                        for f in figures(self.measured)],
            "methods": [
                {"name": x.name, "source": x.source, "sets": x.sets,
                 "recall": {f"{rate:g}": value for rate, (value, _) in zip(measures.RATES, x.recall, strict=True)},
                 "recall_at_threshold": x.at_threshold[0], "false_positive_rate": x.false.value}
                for x in methods(self.measured)
            ],
            "results": self.measured.results, "honest": self.measured.honest,
        }  # fmt: skip

    def text(self) -> str:
        """Two tables for people."""
        mark = {True: "hit", False: "MISSED", None: ""}
        rows = figures(self.measured)
        wide = max(len(f.name) for f in rows)
        lines = [f"{f.name:<{wide}}  {mark[f.hit]:<6}  {f.shown}" for f in rows]
        lines.append("")
        for x in methods(self.measured):
            lines.append(
                f"{x.name:<18} {percent(x.recall[0][0]):>8} of accounts at 0.1 % false positives; at its own threshold "
                f"{percent(x.at_threshold[0])} at {percent(x.false.value, 2)}"
            )
        if self.measured.left_out:
            lines.append(f"left out: {self.measured.left_out}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One detector's account ranking: ours, an ablation, or a baseline."""

    name: str
    source: str
    recall: tuple[tuple[float, Interval], ...]  # at `measures.RATES`
    at_threshold: tuple[float, Interval]  # recall at its own threshold ...
    false: Share  # ... and its false-positive rate there
    curve: tuple[np.ndarray, np.ndarray]
    sets: int


def percent(value: float, digits: int = 1) -> str:
    """A share for people."""
    return "-" if math.isnan(value) else f"{100 * value:.{digits}f} %"


def ends(interval: Interval, digits: int = 1) -> str:
    """An interval for people."""
    if math.isnan(interval.low):
        return ""
    return f" ({100 * interval.low:.{digits}f} to {100 * interval.high:.{digits}f})"


def shared(value: Share, digits: int = 1) -> str:
    """A share with its interval and its counts."""
    if not value.trials:
        return "nothing to measure"
    return f"{percent(value.value, digits)}{ends(value.interval, digits)}, {value.hits:,} of {value.trials:,}"


def number(value: float) -> str:
    """A count for people; infinite is `never`."""
    return "-" if math.isnan(value) else "never" if math.isinf(value) else f"{value:,.0f}"


def figures(m: Measured) -> list[Figure]:
    """The goals of the design, section 9, each with what was measured."""
    whole = m.results[WHOLE.name]
    every = [*whole, *m.special]
    negatives, positives = measures.split(whole, measures.ours)
    (found, interval), false = measures.operating(whole)
    precision, recall = measures.campaign_precision(every), measures.campaign_recall(every)
    link = measures.linked(whole, "campaigns")
    everything, reasoning = measures.harvest(every, "before_flag"), measures.harvest(every, "reasoning_before_flag")
    inside = measures.aggregators(every)
    silent = [a for r in m.honest for a in r["accounts"]]
    accused = sum(a["flagged"] for a in silent)
    slow = [c for c in measures.campaigns(every) if measures.rate(c) == "5 and fewer" and c["accounts"] >= 100]
    hours = float(np.median([math.inf if c["hours_to_flag"] is None else c["hours_to_flag"] for c in slow]) if slow
                  else math.nan)  # fmt: skip
    alarms = measures.alarms([*every, *m.honest])
    out = [
        Figure(
            name="accounts found, as shipped", goal="at least 95 % at 0.1 % false positives or fewer",
            shown=f"{percent(found)}{ends(interval)} at {percent(false.value, 3)} false positives "
                  f"({false.hits:,} of {false.trials:,})",
            hit=None if math.isnan(found) else found >= 0.95 and false.value <= 0.001,
        ),
        *(
            Figure(
                name=f"accounts found, ranked by e-value, at {100 * rate:g} % false positives", shown=_ranked(
                    negatives, positives, rate), goal="at least 95 %" if rate == 0.001 else "-",
                hit=_at(negatives, positives, rate) >= 0.95 if rate == 0.001 and positives else None,
            )
            for rate in measures.RATES
        ),
        Figure(name="campaign precision", shown=shared(precision), goal="at least 98 %",
               hit=precision.value >= 0.98 if precision.trials else None),
        Figure(name="campaign recall", shown=shared(recall), goal="at least 95 %",
               hit=recall.value >= 0.95 if recall.trials else None),
        Figure(name="linking, B-cubed F1", goal="at least 0.95", hit=_met(link["bcubed_f1"], link["bcubed_f1"] >= 0.95),
               shown=f"{link['bcubed_f1']:.3f} (precision {link['bcubed_precision']:.3f}, "
                     f"recall {link['bcubed_recall']:.3f}); pairwise F1 {link['pairwise_f1']:.3f}"),
        Figure(name="campaign verdicts on hard honest traffic", goal="none",
               shown=f"{accused:,} of {len(silent):,} accounts, {sum(len(r['found']) for r in m.honest)} campaigns",
               hit=(accused == 0 and not any(r["found"] for r in m.honest)) if silent else None),
        Figure(name="harvest before the flag, reasoning-bearing, median campaign", goal="at most 500",
               shown=number(reasoning.median), hit=_met(reasoning.median, reasoning.median <= 500)),
        Figure(name="harvest before the flag, reasoning-bearing, worst family", goal="at most 1,000",
               shown=f"{number(reasoning.worst_family)} ({reasoning.family})",
               hit=_met(reasoning.worst_family, reasoning.worst_family <= 1000)),
        Figure(name="harvest before the flag, every exchange, median campaign", goal="-",
               shown=f"{number(everything.median)} (worst family {number(everything.worst_family)}, "
                     f"{everything.family})", hit=None),
        Figure(name="low and slow (5 a day or fewer, 100 accounts or more), hours to the flag", goal="at most 24",
               shown=f"{number(hours)} ({len(slow)} campaigns)" if slow else "none in the sample",
               hit=hours <= 24 if slow else None),
        Figure(name="a tenth of an aggregator, exchanges before the flag", goal="at most 500",
               shown=f"{number(inside['before_flag_at_a_tenth'])} ({inside['campaigns']} campaigns)"
               if inside["campaigns"] else "none in the sample",
               hit=inside["before_flag_at_a_tenth"] <= 500 if inside["campaigns"] else None),
        *(
            Figure(name=f"{who} through whose accounts a campaign passes, in a found campaign", goal="-",
                   shown=shared(measures.carriers(every, role)), hit=None)
            for role, who in (("router", "routers"), ("reseller", "resellers"), ("victim", "owners of misused keys"))
        ),
        Figure(name="harvest inside aggregators that lies in a found campaign", goal="-",
               shown=shared(inside["recall"]), hit=None),
        Figure(name="what lies in found campaigns inside aggregators and is harvest", goal="-",
               shown=shared(inside["precision"]), hit=None),
        Figure(name="false campaigns a month", goal="-",
               shown=f"{alarms['per_month']:.2f} ({alarms['interval'].low:.2f} to {alarms['interval'].high:.2f}), "
                     f"{alarms['false_campaigns']} in {alarms['months']:.1f} months of traffic", hit=None),
    ]  # fmt: skip
    return out


def _met(value: float, met: bool) -> bool | None:
    return None if math.isnan(value) else met


def _at(negatives: np.ndarray, positives: Sequence[np.ndarray], rate: float) -> float:
    return measures.recall(positives, measures.cut(negatives, rate))[0]


def _ranked(negatives: np.ndarray, positives: Sequence[np.ndarray], rate: float) -> str:
    value, interval = measures.recall(positives, measures.cut(negatives, rate))
    few = f"; with {len(negatives):,} honest accounts that is none of them" if rate * len(negatives) < 1 else ""
    return f"{percent(value)}{ends(interval)}{few}"


def methods(m: Measured) -> list[Method]:
    """Ours, then every baseline on the test sets on which it ran."""
    whole = m.results[WHOLE.name]
    rows = [_method("Stillwatch", "this repository", whole, measures.ours, measures.operating(whole))]
    for name in dict.fromkeys(n for b in m.baselines for n in b["scores"]):
        mine = {b["seed"]: b for b in m.baselines if name in b["scores"]}
        results = [r for r in whole if r["seed"] in mine]
        score = _scores({seed: b["scores"][name] for seed, b in mine.items()})
        above = next(iter(mine.values()))["thresholds"][name]
        negatives, positives = measures.split(results, score)
        at = measures.recall(positives, above), measures.share(int((negatives > above).sum()), len(negatives))
        rows.append(_method(name, next(iter(mine.values()))["sources"][name], results, score, at))
    return rows


def _scores(by_seed: dict[int, dict[str, float]]) -> Callable[[Result, Result], float]:
    def score(result: Result, account: Result) -> float:
        return by_seed[result["seed"]].get(account["account"], -math.inf)

    return score


def _method(
    name: str, source: str, results: Sequence[Result], score: Callable[[Result, Result], float], at: Any
) -> Method:
    negatives, positives = measures.split(results, score)
    return Method(
        name=name, source=source, at_threshold=at[0], false=at[1], curve=measures.curve(negatives, positives),
        recall=tuple(measures.recall(positives, measures.cut(negatives, rate)) for rate in measures.RATES),
        sets=len(results),
    )  # fmt: skip
