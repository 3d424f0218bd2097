"""The signal that docs/how-to/add-a-signal.md adds is a good one."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from stillwatch.engine import signal_sql
from stillwatch.signals.registry import ALL, Signal

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "add-a-signal.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The only block of a language on the page."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return found


def load(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Signal]:
    file = tmp_path / "several_models.py"
    # who follows the page in this very folder has the id of the page already
    file.write_text(block("python").replace("SG199", "SG999"), encoding="utf-8")
    made = load("several_models", file).several_models
    yield made
    del ALL[made.id]
    signal_sql.cache_clear()


def test_the_vectors_of_the_page_hold_for_the_signal_of_the_page(example):
    loader = load("loader_for_the_page", ROOT / "tests" / "vectors" / "loader.py")
    vectors = tomllib.loads(block("toml"))["vector"]
    assert {v["kind"] for v in vectors} == set(loader.KINDS)
    for vector in vectors:
        found = loader.measure(example.id, loader.rows_of(vector["given"]))
        assert {u: (m.value, m.n) for u, m in found.items()} == {
            u: (w["value"], w["n"]) for u, w in vector["want"].items()
        }


def test_the_columns_that_the_page_says_are_added_are_added():
    sql = signal_sql("SG101") + signal_sql("SG102") + signal_sql("SG105") + signal_sql("SG202")
    for column in ("unit", "end_at", "material", "judges", "traces"):
        assert f"`{column}`" in PAGE and f'"{column}"' in sql
