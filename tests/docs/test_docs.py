"""The documentation is true: its commands parse, its links lead somewhere, its reference is fresh."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from stillwatch.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")})


def examples() -> Iterator[Any]:
    """Every line of a code block that calls stillwatch, in any page."""
    for page in PAGES:
        for block in re.findall(r"^```(?:sh|bash)?\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
            for line in block.splitlines():
                for part in line.split(" | "):
                    if part.strip().startswith("stillwatch "):
                        yield pytest.param(part.strip(), id=f"{page.relative_to(ROOT)}: {part.strip()}")


def words_of(line: str) -> list[str]:
    # In help texts, two blanks begin the remark beside an example; in shell blocks a # does.
    return shlex.split(line.split("   ")[0], comments=True)[1:]


@pytest.mark.parametrize("line", list(examples()))
def test_every_command_line_in_the_docs_parses(line):
    command, words = get_command(app), words_of(line)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"no command {words[0]}"
        command = command.commands[words.pop(0)]
    context = command.make_context("stillwatch", words)  # raises for an unknown option or a wrong value
    assert context is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target


def test_the_reference_is_fresh():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_page_of_the_docs_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for folder in ("tutorial", "how-to", "explanation"):
        for page in (ROOT / "docs" / folder).glob("*.md"):
            assert f"({folder}/{page.name})" in index
