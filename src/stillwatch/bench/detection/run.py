"""The benchmark: for each set of the test side generate, scan, compare with the truth and with other detectors, keep.

    WORK/NAME/                  a generated data set; removed once it is measured unless `keep`
    WORK/calibration-*.json     the one that is used, and those that an attacker meets
    WORK/NAME.ABLATION.json     what was measured; not measured again while code and settings stand
    WORK/NAME.baselines.json    scores of the baselines

Sets are worked on side by side, one process each.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from stillwatch.bench.baselines.traffic import Baseline
from stillwatch.bench.detection import adaptive, fit, scans
from stillwatch.bench.detection.plan import Plan, Set, generate, kept, processes, stamp
from stillwatch.bench.detection.results import measured
from stillwatch.bench.detection.scans import ABLATIONS, WHOLE, Ablation
from stillwatch.config import Settings
from stillwatch.judge.calibration import Calibration
from stillwatch.progress import Progress, Watcher, ignore
from stillwatch.store.layout import write_bytes

UNAWARE: Final = "unaware"
SPREAD: Final = "knows the code: twenty times the accounts, nothing in common"
FRAMED: Final = "frames: wears the address, client and sign-up of innocents"
# attacker, calibration that the deployment has by then
ATTACKERS: Final = (
    (UNAWARE, "used"), (SPREAD, "used"), (FRAMED, "used"),
    ("unaware, calibrated on a few sets", "clean"),
    ("poisons it: those sets, its accounts pass for honest", "poisoned"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that was measured."""

    plan: Plan
    calibration: Calibration
    results: dict[str, list[dict[str, Any]]]  # ablation -> test sets
    special: list[dict[str, Any]]  # low and slow, inside aggregators
    honest: list[dict[str, Any]]
    baselines: list[dict[str, Any]]  # one each test set: {set, seed, scores, thresholds}
    left_out: str  # why baselines are missing, if some are
    adaptive: list[tuple[str, dict[str, Any], dict[str, float]]]  # attacker, what was measured, dollars by campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One result to measure, in a process of its own."""

    name: str  # of its file in the work folder, without .json
    of: Set
    do: Callable[..., dict[str, Any]]
    given: tuple[Any, ...]
    stamp: str


def run(plan: Plan, settings: Settings, *, progress: Watcher = ignore) -> Measured:
    """Measure what is not measured yet, read the rest.

    Raises:
        InputError: a data set has no answer key.
    """
    plan.work.mkdir(parents=True, exist_ok=True)
    calibration = fit.calibration(plan, settings, progress)
    fitted, left_out = fit.fitted(plan, settings.workers, progress)
    jobs = []
    for number, each in enumerate(plan.test):
        for ablation in (WHOLE, *(ABLATIONS if number < plan.ablated else ())):
            jobs.append(_job(plan, each, ablation.name, _scanned, (ablation, settings.now_us), calibration.digest))
        chosen = [(b, cut) for b, cut in fitted if number < plan.embedded or not b.embeds]
        if chosen:
            names = [b.name for b, _ in chosen]
            jobs.append(_job(plan, each, "baselines", _scored, (chosen,), names, plan.prompts))
    attackers = [(name, which) for name, which in ATTACKERS if plan.benign or which == "used"]
    for each in plan.test[: plan.adaptive]:
        for name, which in attackers:
            made = fit.calibration(plan, settings, progress, which)
            jobs.append(_job(plan, each, name, _adapted, (name, which, settings.now_us), made.digest))
    for each in (*plan.special, *plan.honest):
        jobs.append(_job(plan, each, WHOLE.name, _scanned, (WHOLE, settings.now_us), calibration.digest))
    done = _work(jobs, plan, settings.workers, progress)

    def results(sets: Sequence[Set], what: str) -> list[dict[str, Any]]:
        return [done[_file(e, what)] for e in sets if _file(e, what) in done]

    return Measured(
        plan=plan, calibration=calibration, special=results(plan.special, WHOLE.name),
        honest=results(plan.honest, WHOLE.name), left_out=left_out,
        results={a.name: results(plan.test, a.name) for a in (WHOLE, *ABLATIONS)},
        baselines=results(plan.test, "baselines"),
        adaptive=[(name, r, r["spent"]) for name, _ in attackers for r in results(plan.test, name)],
    )  # fmt: skip


def _scanned(plan: Plan, each: Set, ablation: Ablation, now_us: int) -> dict[str, Any]:
    data = generate(each, plan)
    known = data.known()
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(
            store=Path(scratch) / "store", calibration=fit.calibration_file(plan, "used"), workers=1, now_us=now_us
        )  # fmt: skip
        return {**measured(scans.scan(data, settings, ablation, seed=known.seed), known), "leaks": data.leaks()}


def _scored(plan: Plan, each: Set, fitted: Sequence[tuple[Baseline, float]]) -> dict[str, Any]:
    """baseline -> account -> score; nothing for accounts that a method cannot judge."""
    embeds = any(b.embeds for b, _ in fitted)
    seen = fit.traffic_of(plan, each, embed=embeds)
    scores = {}
    for baseline, _ in fitted:
        values = zip(seen.accounts, baseline.scores(seen), strict=True)
        scores[baseline.name] = {a: float(v) for a, v in values if np.isfinite(v)}
    return {
        "seed": generate(each, plan).known().seed, "scores": scores, "thresholds": {b.name: cut for b, cut in fitted},
        "sources": {b.name: b.source for b, _ in fitted},
    }  # fmt: skip


def _adapted(plan: Plan, each: Set, attacker: str, which: str, now_us: int) -> dict[str, Any]:
    """The data set as an attacker who adapts would have made it, scanned; `spent`: dollars by campaign."""
    data = generate(each, plan)
    known = data.known()
    victims: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        spent = adaptive.spent(data, known)
        if attacker == SPREAD:
            data = adaptive.spread(data, Path(scratch) / "data", seed=known.seed)
        elif attacker == FRAMED:
            data, victims = adaptive.framed(data, Path(scratch) / "data", seed=known.seed)
        known = data.known()
        settings = Settings(
            store=Path(scratch) / "store", calibration=fit.calibration_file(plan, which), workers=1, now_us=now_us
        )  # fmt: skip
        result = measured(scans.scan(data, settings, seed=known.seed), known)
    flagged = {a["account"] for a in result["accounts"] if a["flagged"]}
    framed = len(flagged & set(victims)) if victims else None
    return {**result, "spent": spent, "framed": len(victims), "framed_flagged": framed}


def _job(plan: Plan, each: Set, what: str, do: Callable[..., Any], given: tuple[Any, ...], *parts: Any) -> _Job:
    return _Job(name=_file(each, what), of=each, do=do, given=given, stamp=stamp(plan, asdict(each), *parts))


def _work(jobs: Sequence[_Job], plan: Plan, workers: int, progress: Watcher) -> dict[str, dict[str, Any]]:
    """Results by name: those that are kept, and those that are measured now."""
    done = {j.name: r for j in jobs if (r := kept(plan.work / f"{j.name}.json", j.stamp)) is not None}
    todo = [j for j in jobs if j.name not in done]
    with processes(workers) as pool:
        sets = list({j.of.name: j.of for j in todo}.values())
        for number, made in enumerate(as_completed([pool.submit(generate, each, plan) for each in sets])):
            made.result()
            progress(Progress(stage="generate", done=number + 1, total=len(sets), unit="steps"))
        running = {pool.submit(j.do, plan, j.of, *j.given): j for j in todo}
        for number, future in enumerate(as_completed(running)):
            job = running[future]
            done[job.name] = future.result()
            value = json.dumps({**done[job.name], "stamp": job.stamp}).encode()
            write_bytes(plan.work / f"{job.name}.json", value)
            progress(Progress(stage="measure", done=number + 1, total=len(todo), unit="steps", detail=job.name))
    for each in {j.of for j in jobs} if not plan.keep else ():
        if each.folder is None:
            shutil.rmtree(plan.work / each.name, ignore_errors=True)
    return done


def _file(each: Set, what: str) -> str:
    return f"{each.name}.{what.replace(' ', '-')}"
