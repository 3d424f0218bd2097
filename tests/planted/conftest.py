"""Worlds of sketches, a calibration from honest ones, and what an analysis says of them."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

import stillwatch.signals  # noqa: F401  registers every signal
from stillwatch.engine import Engine
from stillwatch.judge.analyse import Analysis, analyse
from stillwatch.judge.calibrate import calibrated
from stillwatch.judge.calibration import Calibration
from stillwatch.judge.decide import Rules
from stillwatch.judge.replay import Flagged, flagged


@pytest.fixture(scope="session")
def planted() -> ModuleType:
    """world.py"""
    spec = importlib.util.spec_from_file_location("planted_world", Path(__file__).with_name("world.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loaded(sketches: pa.Table, accounts: pa.Table) -> Engine:
    """An engine that holds the tables."""
    engine = Engine(threads=1)
    engine.load_table(sketches, accounts)
    return engine


@pytest.fixture(scope="session")
def calibration(planted) -> Calibration:
    """Of six thousand honest accounts; none of their seeds is used by a test."""

    @contextmanager
    def world(seed: int) -> Iterator[tuple[Engine, frozenset[int]]]:
        made = planted.World(seed)
        planted.honest(made, people=1300)
        engine = loaded(*made.tables())
        yield engine, frozenset()
        engine.close()

    sources = [partial(world, seed) for seed in range(1000, 1004)]
    return calibrated(sources, name="planted", date="", made_from=lambda units: f"{units} accounts of honest worlds")


@dataclass(frozen=True)
class Outcome:
    """What was concluded of a world."""

    analysis: Analysis
    flags: list[Flagged]
    labels: dict[int, str]

    def verdicts(self, label: str) -> Counter[str]:
        """Verdicts on the accounts of a label."""
        return Counter(v for a, v in self.analysis.verdicts.items() if self.labels[a] == label)

    def members(self) -> list[Counter[str]]:
        """Labels of the accounts in each finding."""
        return [Counter(self.labels[a] for a in f.accounts) for f in self.analysis.findings]


@pytest.fixture(scope="session")
def judged(calibration) -> Callable[..., Outcome]:
    """judged(world, sketches=, accounts=): analyse and replay."""

    def run(world: Any, sketches: pa.Table | None = None, accounts: pa.Table | None = None) -> Outcome:
        own, people = world.tables()
        engine = loaded(sketches if sketches is not None else own, accounts if accounts is not None else people)
        analysis = analyse(engine, calibration, Rules())
        flags = flagged(engine, analysis, calibration, Rules())
        engine.close()
        return Outcome(analysis, flags, world.labels)

    return run
