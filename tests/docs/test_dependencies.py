"""What the code imports is declared, what is declared is explained, and nothing installed is under the GPL."""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from stillwatch.doctor import COMPONENTS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMES = {"ibis": "ibis-framework", "re2": "google-re2", "graspologic_native": "graspologic-native",
         "sklearn": "scikit-learn"}  # fmt: skip


def declared(lines: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line)[0].lower() for line in lines}


RUN = declared(PROJECT["dependencies"])
BENCH = declared(PROJECT["optional-dependencies"]["bench"])
DEV = declared([line for lines in PROJECT["optional-dependencies"].values() for line in lines])


def test_every_package_that_the_code_imports_is_declared():
    found: dict[bool, set[str]] = {True: set(), False: set()}  # of laboratory and benchmark, of the rest
    for file in (ROOT / "src").rglob("*.py"):
        mine = found[not {"bench", "lab"}.isdisjoint(file.parts)]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                mine |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                mine.add(node.module.partition(".")[0])
    # llvmlite is numba's, markupsafe jinja2's: each hands its types to callers and cannot be there without the other.
    known = set(sys.stdlib_module_names) | {"stillwatch", "llvmlite", "markupsafe"}
    for bench, names in found.items():
        assert {NAMES.get(name, name) for name in names - known} <= (RUN | BENCH if bench else RUN)


def test_doctor_looks_at_exactly_what_is_declared():
    assert set(COMPONENTS) == RUN


def test_every_dependency_is_explained():
    text = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")}
    assert rows >= RUN
    assert all(name in text for name in DEV)


def needed(names: set[str]) -> set[str]:
    """`names` and all that they pull in, as far as it is installed here."""
    seen: set[str] = set()
    queue = list(names)
    while queue:
        name = re.sub(r"[-_.]+", "-", queue.pop()).lower()
        if name in seen:
            continue
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        seen.add(name)
        queue += [re.split(r"[\[<>=!~;( ]", line)[0] for line in requires if "extra ==" not in line]
    return seen


@pytest.mark.parametrize("name", sorted(needed(RUN | DEV)))
def test_no_installed_package_is_under_the_gpl(name):
    data = metadata.metadata(name)
    words = [data.get("License-Expression") or "", (data.get("License") or "")[:100]]
    words += [line for line in data.get_all("Classifier") or [] if line.startswith("License")]
    assert any(words), "says nothing about its licence"
    assert not re.search(r"\bA?GPL|Affero|GNU General Public", " ".join(words), re.I)


def test_the_licence_is_the_apache_licence_word_for_word():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    # MD5 of LICENSE-2.0.txt as apache.org serves it; Yocto recipes name it in LIC_FILES_CHKSUM for this licence.
    assert hashlib.md5(text.encode()).hexdigest() == "3b83ef96387f14655fc854ddc3c6bd57"
