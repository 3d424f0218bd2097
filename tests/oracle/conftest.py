"""What the oracle tests share: generated exchanges, and one engine for all of them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from stillwatch.engine import Engine

TESTS = Path(__file__).parents[1]


def module(path: str) -> ModuleType:
    """A module that tests share, loaded once; tests are not a package."""
    name = "shared_" + path.replace("/", "_")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TESTS / f"{path}.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
    return sys.modules[name]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine; every example loads its own tables into it."""
    made = Engine()
    yield made
    made.close()


@pytest.fixture(scope="session")
def loader() -> ModuleType:
    """tests/vectors/loader.py"""
    return module("vectors/loader")


@pytest.fixture(scope="session")
def oracles() -> ModuleType:
    """tests/oracle/signals.py"""
    return module("oracle/signals")


@pytest.fixture(scope="session")
def traffic() -> ModuleType:
    """tests/oracle/traffic.py"""
    return module("oracle/traffic")


@pytest.fixture(scope="session")
def pair_oracles() -> ModuleType:
    """tests/oracle/pairs.py"""
    return module("oracle/pairs")
