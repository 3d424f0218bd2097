"""Which data sets are measured, where they lie, and whether a result that is kept still counts."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

import stillwatch
from stillwatch.bench.detection.data import DataSet

SPECIAL: Final = (("low-and-slow", 31), ("aggregator", 41), ("adversarial", 61))  # scenario, seed
HONEST: Final = (51, 52)  # seeds of honest test sets
# Sets of the tune side that baselines are fitted on; none has the seed of a test set. Those with campaigns in them come
# first: an attacker who poisons the calibration is among them.
BENIGN: Final = (("small", 101), ("small", 102), ("honest", 103), ("honest", 104))
# What only shows results: a change there measures nothing again.
VIEWS: Final = frozenset(f"bench/detection/{n}.py" for n in ("report", "plots", "table", "costs"))


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
    special: tuple[Set, ...] = ()  # of one kind of campaign: measured, but not in the shares of accounts
    honest: tuple[Set, ...] = ()  # without any campaign: must stay silent
    benign: tuple[Set, ...] = ()  # of the tune side: what ours and the baselines are calibrated on
    calibration: Path | None = None  # a calibration file; None: the shipped one ...
    calibrate: bool = False  # ... or, with this, one made from `benign`
    exchanges: int | None = None  # None: as many as the scenario says
    sources: tuple[tuple[str, Path], ...] = ()  # (corpora | captures | traces, folder)
    ablated: int = 2  # test sets on which the ablations run
    adaptive: int = 1  # test sets that attackers who adapt rewrite
    embedded: int = 2  # test sets on which the baselines that need embeddings run
    prompts: int = 6  # embedded prompts of each account
    keep: bool = False


def planned(
    work: Path, *, scenario: str, seeds: int, data: Sequence[Path] = (), given: Sequence[Path] = (), **options: Any
) -> Plan:
    """A plan: given data sets, or generated ones with the shipped calibration (tune side, other seeds).

    Args:
        data:  test sets that lie somewhere; none: generate `seeds` of them and the honest sets.
        given: benign sets for calibration and baselines; none: generate them for the baselines, or, with given data,
               do without.
    """
    kind = Path(scenario).stem
    test = tuple(Set(name=f"given-{i}-{f.name}", folder=f) for i, f in enumerate(data, start=1)) or tuple(
        Set(name=f"{kind}-test-{s}", scenario=scenario, seed=s) for s in range(1, seeds + 1)
    )
    special = () if data else tuple(Set(name=f"{k}-test-{s}", scenario=k, seed=s) for k, s in SPECIAL)
    honest = () if data else tuple(Set(name=f"honest-test-{s}", scenario="honest", seed=s) for s in HONEST)
    benign = tuple(Set(name=f"benign-{i}-{f.name}", folder=f) for i, f in enumerate(given, start=1)) or tuple(
        Set(name=f"{k}-tune-{s}", scenario=k, seed=s, side="tune") for k, s in BENIGN if not data
    )
    calibrate = bool(given) and options.get("calibration") is None
    return Plan(
        work=work, test=test, special=special, honest=honest, benign=benign, calibrate=calibrate, **options
    )  # fmt: skip


def generate(each: Set, plan: Plan) -> DataSet:
    """The data set, generated if it does not lie in the work folder yet, made by this code."""
    if each.folder is not None:
        return DataSet(folder=each.folder)
    folder = plan.work / each.name
    mark, made_by = folder / "made-by.json", stamp(plan, each.scenario, each.seed, each.side)
    if kept(mark, made_by) is None:
        from stillwatch.lab.traffic import scenario, write

        partial = plan.work / f"{each.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        chosen = scenario.load(each.scenario)
        total = plan.exchanges or chosen.exchanges
        cast = scenario.cast(chosen, seed=each.seed, side=each.side, exchanges=total, **dict(plan.sources))
        write.write(cast, partial, seed=each.seed, side=each.side, scenario=chosen.name, expected=total)
        (partial / mark.name).write_bytes(json.dumps({"stamp": made_by}).encode())
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return DataSet(folder=folder)


def kept(path: Path, stamp: str) -> dict[str, Any] | None:
    """A result that was measured by the same code with the same settings."""
    try:
        raw: dict[str, Any] = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return raw if raw.pop("stamp", None) == stamp else None


def stamp(plan: Plan, *parts: Any) -> str:
    """Names code, settings and whatever else a result depends on."""
    text = json.dumps([code_digest(), plan.exchanges, plan.sources, *parts], default=str, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@contextmanager
def processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Workers, each in a new interpreter: threads of compiled code and of the database do not survive a fork.

    Ctrl-C is for the parent: what waits is dropped, what runs is let finish.
    """
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        max(1, workers), mp_context=spawn, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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
