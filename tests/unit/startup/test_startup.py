"""What a start does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import sys
from stillwatch.startup import quick
quick()
import stillwatch.pipeline
print(" ".join(n for n in ("ibis", "sqlglot", "pandas") if n in sys.modules))
"""


def test_a_start_loads_neither_ibis_nor_pandas() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_libraries_that_were_hidden_can_be_loaded_afterwards() -> None:
    program = _PROGRAM + "import ibis, pandas, scipy.linalg.cython_blas\nfrom numba import njit\n"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)


def test_statements_are_made_once_and_only_read_from_files_that_are_whole(tmp_path: Path) -> None:
    from stillwatch.engine.statements import Statements

    file = tmp_path / "statements.json"
    first = Statements(file)
    assert first.get("a", lambda: "SELECT 1") == "SELECT 1"
    first.save()
    assert Statements(file).get("a", lambda: "SELECT 2") == "SELECT 1"
    file.write_bytes(file.read_bytes().replace(b"SELECT 1", b"SELECT 3"))
    assert Statements(file).get("a", lambda: "SELECT 2") == "SELECT 2"
    assert Statements(None).get("a", lambda: "SELECT 2") == "SELECT 2"
