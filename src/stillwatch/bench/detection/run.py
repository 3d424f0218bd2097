"""The benchmark: calibrate on benign tune traffic, then for each set of the test side generate, scan, compare, keep.

    WORK/NAME/                  a generated data set; removed once it is measured unless `keep`
    WORK/calibration.json       ours, fitted on the honest accounts of the benign sets
    WORK/NAME.ABLATION.json     what was measured; not measured again while code and settings stand
    WORK/NAME.baselines.json    scores of the baselines

Sets are worked on side by side, one process each.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

import stillwatch
import stillwatch.signals
from stillwatch import people
from stillwatch.bench.baselines.all import baselines
from stillwatch.bench.baselines.minilm import MiniLM
from stillwatch.bench.baselines.traffic import Baseline, Traffic, joined, read, sampled
from stillwatch.bench.detection import scans
from stillwatch.bench.detection.data import DataSet
from stillwatch.bench.detection.measures import cut
from stillwatch.bench.detection.results import measured
from stillwatch.bench.detection.scans import ABLATIONS, WHOLE, Ablation
from stillwatch.config import Settings
from stillwatch.engine import Engine
from stillwatch.errors import ComponentError
from stillwatch.ingest.accounts import read_accounts
from stillwatch.intake import Intake
from stillwatch.judge import calibration as calibrations
from stillwatch.judge.calibrate import Collector
from stillwatch.judge.calibration import Calibration
from stillwatch.progress import Progress, Watcher, ignore
from stillwatch.store.layout import Store, write_bytes

VIEWS: Final = frozenset(f"bench/detection/{n}.py" for n in ("report", "plots", "adaptive", "table"))
HONEST: Final = (51, 52)  # seeds of honest test sets, and of ...
BENIGN: Final = (101, 102, 103, 104)  # ... the sets for calibration: none is the seed of a test set
QUANTILE: Final = 0.999  # of benign scores: the threshold of every baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A data set: one that lies somewhere, or one to generate."""

    name: str
    folder: Path | None = None
    scenario: str = ""
    seed: int = 0
    side: str = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure."""

    work: Path
    test: tuple[Set, ...]
    honest: tuple[Set, ...] = ()  # without any campaign: must stay silent
    benign: tuple[Set, ...] = ()  # of the tune side: what ours and the baselines are calibrated on
    calibration: Path | None = None  # a calibration to use instead
    exchanges: int | None = None  # None: as many as the scenario says
    sources: tuple[tuple[str, Path], ...] = ()  # (corpora | captures | traces, folder)
    ablated: int = 2  # test sets on which the ablations run
    embedded: int = 2  # test sets on which the baselines that need embeddings run
    prompts: int = 12  # embedded prompts of each account
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that was measured."""

    plan: Plan
    calibration: Calibration
    results: dict[str, list[dict[str, Any]]]  # ablation -> test sets
    honest: list[dict[str, Any]]
    baselines: list[dict[str, Any]]  # one each test set: {set, seed, scores, thresholds}
    left_out: str  # why baselines are missing, if some are


def planned(
    work: Path, *, scenario: str, seeds: int, data: Sequence[Path] = (), given: Sequence[Path] = (), **options: Any
) -> Plan:
    """A plan: given data sets, or generated ones with calibration from other seeds of the other side.

    Args:
        data:  test sets that lie somewhere; none: generate `seeds` of them and the honest sets.
        given: benign sets for calibration; none: generate them, unless a calibration is given with given data.
    """
    kind = Path(scenario).stem
    test = tuple(Set(name=f"given-{i}-{f.name}", folder=f) for i, f in enumerate(data, start=1)) or tuple(
        Set(name=f"{kind}-test-{s}", scenario=scenario, seed=s) for s in range(1, seeds + 1)
    )
    honest = () if data else tuple(Set(name=f"honest-test-{s}", scenario="honest", seed=s) for s in HONEST)
    benign = tuple(Set(name=f"benign-{i}-{f.name}", folder=f) for i, f in enumerate(given, start=1)) or tuple(
        Set(name=f"{kind}-tune-{s}", scenario=scenario, seed=s, side="tune") for s in BENIGN if not data
    )
    return Plan(work=work, test=test, honest=honest, benign=benign, **options)


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
    calibration = _calibration(plan, settings, progress)
    fitted, left_out = _fitted(plan, progress) if plan.benign else ([], "there is no benign traffic to fit them on")
    jobs = []
    for number, each in enumerate(plan.test):
        for ablation in (WHOLE, *(ABLATIONS if number < plan.ablated else ())):
            jobs.append(_job(plan, each, ablation.name, _scanned, (ablation, settings.now_us), calibration.digest))
        chosen = [(b, cut) for b, cut in fitted if number < plan.embedded or not b.embeds]
        if chosen:
            names = [b.name for b, _ in chosen]
            jobs.append(_job(plan, each, "baselines", _scored, (chosen, plan.prompts), names, plan.prompts))
    for each in plan.honest:
        jobs.append(_job(plan, each, WHOLE.name, _scanned, (WHOLE, settings.now_us), calibration.digest))
    done = _work(jobs, plan, settings.workers, progress)

    def results(sets: Sequence[Set], what: str) -> list[dict[str, Any]]:
        return [done[_file(e, what)] for e in sets if _file(e, what) in done]

    return Measured(
        plan=plan, calibration=calibration, honest=results(plan.honest, WHOLE.name), left_out=left_out,
        results={a.name: results(plan.test, a.name) for a in (WHOLE, *ABLATIONS)},
        baselines=results(plan.test, "baselines"),
    )  # fmt: skip


def generate(each: Set, plan: Plan) -> DataSet:
    """The data set, generated if it does not lie in the work folder yet."""
    if each.folder is not None:
        return DataSet(folder=each.folder)
    folder = plan.work / each.name
    if not (folder / "truth.json").exists():
        from stillwatch.lab import traffic

        partial = plan.work / f"{each.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        traffic.write(
            partial, scenario=each.scenario, seed=each.seed, side=each.side, exchanges=plan.exchanges,
            **dict(plan.sources),
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return DataSet(folder=folder)


def calibrate(data: Sequence[DataSet], settings: Settings) -> Calibration:
    """A calibration from the honest accounts of data sets; those whose contract allows what they do are left out."""
    collector = Collector()
    for each in data:
        with tempfile.TemporaryDirectory() as scratch:
            store = Store(Path(scratch) / "store")
            Intake(store, settings, ignore).run([str(each.logs)])
            accounts = read_accounts(str(each.accounts)).table
            hashed = people.hashed(store, accounts)
            known = each.known().accounts
            names = zip(hashed.column("account").to_pylist(), accounts.column("account_id").to_pylist(), strict=True)
            guilty = {h for h, name in names if name in known and known[name].role != "honest"}
            with closing(Engine(threads=settings.workers)) as engine:
                engine.load(store.files("sketches"), hashed)
                collector.add(engine, without=frozenset(people.flags(hashed, accounts)) | guilty)
    return collector.finish(
        name="bench", date=datetime.now(UTC).date().isoformat(),
        made_from=f"{collector.units} honest accounts of generated traffic, tune side",
    )  # fmt: skip


def traffic_of(data: DataSet, prompts: int, embed: MiniLM | None, *, honest: bool = False) -> Traffic:
    """What the baselines see of a data set; of its honest accounts alone if asked."""
    known = data.known().accounts if honest else {}
    seen = read(data.logs, frozenset(n for n, a in known.items() if a.role == "honest") if honest else None)
    if embed is None:
        return seen
    seen = sampled(seen, prompts, least=4)
    return replace(seen, vectors=embed([seen.prompts[i] for i in seen.sample]))


def _calibration(plan: Plan, settings: Settings, progress: Watcher) -> Calibration:
    path = plan.work / "calibration.json"
    if plan.calibration is not None or not plan.benign:
        made = calibrations.load(plan.calibration)
        write_bytes(path, made.to_json())
        return made
    stamp = _stamp(plan, [asdict(e) for e in plan.benign])
    mark = plan.work / "calibration.stamp.json"
    if _kept(mark, stamp) is None or not path.exists():
        progress(Progress(stage="calibrate", done=0, total=len(plan.benign), unit="steps"))
        write_bytes(path, calibrate([generate(e, plan) for e in plan.benign], settings).to_json())
        write_bytes(mark, json.dumps({"stamp": stamp}).encode())
    return calibrations.load(path)


def _fitted(plan: Plan, progress: Watcher) -> tuple[list[tuple[Baseline, float]], str]:
    """Baselines with their thresholds, fitted on benign traffic, and why some are missing."""
    left_out = ""
    try:
        embed = MiniLM(plan.work / "embeddings" / "benign.npz") if plan.embedded else None
    except ComponentError as err:
        embed, left_out = None, f"those on sentence embeddings: {err.message}; {err.fix}"
    progress(Progress(stage="fit", done=0, total=len(plan.benign), unit="steps"))
    benign = joined([traffic_of(generate(e, plan), plan.prompts, embed, honest=True) for e in plan.benign])
    if embed is not None:
        embed.save()
    fitted = []
    for number, baseline in enumerate(baselines(embeddings=embed is not None)):
        progress(Progress(stage="fit", done=number, total=None, unit="steps", detail=baseline.name))
        baseline.fit(benign)
        scores = baseline.scores(benign)
        fitted.append((baseline, cut(scores, 1 - QUANTILE)))
    return fitted, left_out


def _scanned(plan: Plan, each: Set, ablation: Ablation, now_us: int) -> dict[str, Any]:
    data = generate(each, plan)
    known = data.known()
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(
            store=Path(scratch) / "store", calibration=plan.work / "calibration.json", workers=1, now_us=now_us
        )  # fmt: skip
        return measured(scans.scan(data, settings, ablation, seed=known.seed), known)


def _scored(plan: Plan, each: Set, fitted: Sequence[tuple[Baseline, float]], prompts: int) -> dict[str, Any]:
    """baseline -> account -> score; nothing for accounts that a method cannot judge."""
    embeds = any(b.embeds for b, _ in fitted)
    embed = MiniLM(plan.work / "embeddings" / f"{each.name}.npz") if embeds else None
    data = generate(each, plan)
    seen = traffic_of(data, prompts, embed)
    if embed is not None:
        embed.save()
    scores = {}
    for baseline, _ in fitted:
        values = zip(seen.accounts, baseline.scores(seen), strict=True)
        scores[baseline.name] = {a: float(v) for a, v in values if np.isfinite(v)}
    return {
        "seed": data.known().seed, "scores": scores, "thresholds": {b.name: cut for b, cut in fitted},
        "sources": {b.name: b.source for b, _ in fitted},
    }  # fmt: skip


def _job(plan: Plan, each: Set, what: str, do: Callable[..., Any], given: tuple[Any, ...], *parts: Any) -> _Job:
    return _Job(name=_file(each, what), of=each, do=do, given=given, stamp=_stamp(plan, asdict(each), *parts))


def _work(jobs: Sequence[_Job], plan: Plan, workers: int, progress: Watcher) -> dict[str, dict[str, Any]]:
    """Results by name: those that are kept, and those that are measured now."""
    done = {j.name: r for j in jobs if (r := _kept(plan.work / f"{j.name}.json", j.stamp)) is not None}
    todo = [j for j in jobs if j.name not in done]
    # A new interpreter for each worker: threads of compiled code and of the database do not survive a fork.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, workers), mp_context=spawn) as pool:
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


def _kept(path: Path, stamp: str) -> dict[str, Any] | None:
    """A result that was measured by the same code with the same settings."""
    try:
        raw: dict[str, Any] = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return raw if raw.get("stamp") == stamp else None


def _stamp(plan: Plan, *parts: Any) -> str:
    """Names code, settings and whatever else a result depends on."""
    text = json.dumps([code_digest(), plan.exchanges, plan.sources, *parts], default=str, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Digest of the package's own files but the command line and reports: other code is measured again."""
    root = Path(stillwatch.__file__).parent
    mark = hashlib.blake2b(digest_size=8)
    for file in sorted([*root.rglob("*.py"), *root.rglob("*.toml")]):
        name = str(file.relative_to(root))
        if not name.startswith(("cli/", "report/")) and name not in VIEWS:
            mark.update(name.encode() + b"\0" + file.read_bytes())
    return mark.hexdigest()
