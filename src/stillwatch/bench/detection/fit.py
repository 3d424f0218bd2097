"""Calibrate ours and fit the baselines, all on honest traffic alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

import stillwatch.signals  # noqa: F401  registers every signal
from stillwatch import people
from stillwatch.bench.baselines import minilm
from stillwatch.bench.baselines.all import baselines
from stillwatch.bench.baselines.minilm import MiniLM
from stillwatch.bench.baselines.traffic import Baseline, Traffic, joined, read, sampled
from stillwatch.bench.detection.data import DataSet
from stillwatch.bench.detection.measures import cut
from stillwatch.bench.detection.plan import Plan, Set, generate, kept, processes, stamp
from stillwatch.config import Settings
from stillwatch.engine import Engine
from stillwatch.errors import ComponentError
from stillwatch.ingest.accounts import read_accounts
from stillwatch.intake import Intake
from stillwatch.judge import calibration as calibrations
from stillwatch.judge.calibrate import calibrated
from stillwatch.judge.calibration import Calibration
from stillwatch.progress import Progress, Watcher, ignore
from stillwatch.store.layout import Store, write_bytes

QUANTILE: Final = 0.999  # of benign scores: the threshold of every baseline


def calibration(plan: Plan, settings: Settings, progress: Watcher, which: str = "used") -> Calibration:
    """One of the calibrations of a plan, written to the work folder; made if it is not there yet.

    Args:
        which: `used`: what all figures rest on, the shipped one unless the plan says otherwise; `clean` and `poisoned`:
               made from the benign sets without and with the accounts of the campaigns in them.
    """
    path = calibration_file(plan, which)
    if which == "used" and not plan.calibrate:
        made = calibrations.load(plan.calibration)
        write_bytes(path, made.to_json())
        return made
    expected = stamp(plan, [asdict(e) for e in plan.benign], which)
    mark = path.with_suffix(".stamp.json")
    if kept(mark, expected) is None or not path.exists():
        progress(Progress(stage="calibrate", done=0, total=len(plan.benign), unit="steps"))
        made = calibrate([generate(e, plan) for e in plan.benign], settings, poisoned=which == "poisoned")
        write_bytes(path, made.to_json())
        write_bytes(mark, json.dumps({"stamp": expected}).encode())
    return calibrations.load(path)


def calibrate(data: Sequence[DataSet], settings: Settings, *, poisoned: bool = False) -> Calibration:
    """A calibration from the honest accounts of data sets; those whose contract allows what they do are left out.

    Args:
        poisoned: the campaigns' own accounts are taken for honest ones all the same.
    """
    with tempfile.TemporaryDirectory() as scratch:
        sources = []
        for number, each in enumerate(data):
            store = Store(Path(scratch) / str(number))
            Intake(store, settings, ignore).run([str(each.logs)])
            sources.append(partial(_opened, store, each, settings, poisoned=poisoned))
        return calibrated(
            sources, name="bench", date=datetime.now(UTC).date().isoformat(),
            made_from=lambda units: f"{units} honest accounts of generated traffic, tune side",
        )  # fmt: skip


@contextmanager
def _opened(
    store: Store, data: DataSet, settings: Settings, *, poisoned: bool
) -> Iterator[tuple[Engine, frozenset[int]]]:
    """A data set in an engine, and the accounts that are not to be learnt from."""
    accounts = read_accounts(str(data.accounts)).table
    hashed = people.hashed(store, accounts)
    known = data.known().accounts
    names = zip(hashed.column("account").to_pylist(), accounts.column("account_id").to_pylist(), strict=True)
    wrong = {"victim"} if poisoned else {"victim", "campaign"}
    guilty = {
        h for h, name in names
        if name in known and (known[name].role in wrong or (known[name].campaigns and not known[name].own))
    }  # fmt: skip
    with closing(Engine(threads=settings.workers)) as engine:
        engine.load(store.files("sketches"), hashed)
        yield engine, frozenset(people.flags(hashed, accounts)) | guilty


def calibration_file(plan: Plan, which: str) -> Path:
    """Where a calibration of a plan lies."""
    return plan.work / f"calibration-{which}.json"


def traffic_of(plan: Plan, each: Set, *, embed: bool, honest: bool = False) -> Traffic:
    """What the baselines see of a data set; of its honest accounts alone if asked."""
    data = generate(each, plan)
    known = data.known().accounts if honest else {}
    seen = read(data.logs, frozenset(n for n, a in known.items() if a.role == "honest") if honest else None)
    if not embed:
        return seen
    encoder = MiniLM(plan.work / "embeddings" / f"{each.name}.npz")
    seen = sampled(seen, plan.prompts, least=4)
    seen = replace(seen, vectors=encoder([seen.prompts[i] for i in seen.sample]))
    encoder.save()
    return seen


def fitted(plan: Plan, workers: int, progress: Watcher) -> tuple[list[tuple[Baseline, float]], str]:
    """Baselines with their thresholds, fitted on benign traffic, and why some are missing.

    As many benign sets are embedded as test sets: the encoder is slow.
    """
    if not plan.benign:
        return [], "there is no benign traffic to fit them on"
    embedded, left_out = plan.embedded, ""
    try:
        minilm.find()
    except ComponentError as err:
        embedded, left_out = 0, f"those on sentence embeddings: {err.message}; {err.fix}"
    parts = []
    with processes(workers) as pool:
        given = [(e, number < embedded) for number, e in enumerate(plan.benign)]
        waiting = [pool.submit(traffic_of, plan, e, embed=embed, honest=True) for e, embed in given]
        for number, future in enumerate(waiting):
            progress(Progress(stage="fit", done=number, total=len(waiting), unit="steps"))
            parts.append(future.result())
    plain = [p.plain() for p in parts]
    done = []
    for baseline in baselines(embeddings=embedded > 0):
        progress(Progress(stage="fit", done=len(parts), total=len(parts), unit="steps", detail=baseline.name))
        done.append((baseline, threshold(baseline, parts[:embedded] if baseline.embeds else plain)))
    return done, left_out


def threshold(baseline: Baseline, parts: Sequence[Traffic]) -> float:
    """Fit a baseline on all benign sets; the score that one in a thousand of their accounts exceeds.

    Each set is scored by what was fitted on the others, as a test set will be. A single set has no others: it is scored
    by its own fit, and the threshold is too low for whatever remembers what it was fitted on.
    """
    scores = []
    for number, part in enumerate(parts):
        others = [p for i, p in enumerate(parts) if i != number] or list(parts)
        baseline.fit(joined(others))
        scores.append(baseline.scores(part))
    baseline.fit(joined(parts))
    return cut(np.concatenate(scores), 1 - QUANTILE)
