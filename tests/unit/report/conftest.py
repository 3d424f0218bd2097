"""The made-up report, loaded by path: it is a fixture and no module of the product."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load_sample() -> ModuleType:
    spec = importlib.util.spec_from_file_location("report_sample", Path(__file__).with_name("sample.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def _model() -> dict[str, Any]:
    return load_sample().model()  # type: ignore[no-any-return]


@pytest.fixture
def model(_model: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(_model)
