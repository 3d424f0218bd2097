"""Every signal says about its vectors what was worked out by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load(name: str) -> ModuleType:
    """A module of this folder; tests are not a package."""
    spec = importlib.util.spec_from_file_location(f"vectors_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


loader = load("loader")
VECTORS = list(loader.vectors())


@pytest.mark.parametrize(
    "signal, vector", [pytest.param(s, v, id=f"{s}: {v['name']}".replace("[", "(")) for s, v in VECTORS]
)
def test_vector(signal: str, vector: dict[str, Any]) -> None:
    assert vector["kind"] in loader.KINDS
    assert vector["source"]
    rows = loader.rows_of(vector["given"])
    found = loader.measure(signal, rows, vector.get("accounts", ()), vector.get("sets", ()))
    assert set(found) == set(vector["want"])
    for unit, want in vector["want"].items():
        assert found[unit].value == pytest.approx(want["value"], rel=1e-9, abs=1e-12), unit
        assert found[unit].n == want["n"], unit


def test_the_same_word_is_the_same_hash_and_no_hash_is_zero():
    assert loader.hashed("a") == loader.hashed("a") != loader.hashed("b")
    assert all(loader.hashed(str(i)) for i in range(1000))


def test_repetition_writes_out_numbered_rows_at_even_steps():
    rows = loader.rows_of([{"account": "a", "prompt": "p#", "times": 3, "every_s": 2}, {"account": "b"}])
    assert [(r["account"], r.get("prompt"), r["at"]) for r in rows] == [
        ("a", "p0", 0), ("a", "p1", 2_000_000), ("a", "p2", 4_000_000), ("b", None, 64_000_000),
    ]  # fmt: skip


def test_a_misspelt_column_is_an_error():
    with pytest.raises(AssertionError, match="acount"):
        loader.rows_of([{"acount": "a"}])
