"""What tests share: golden files, the folder of captures, a browser; and which tests need what is not everywhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Path of a Chromium to drive: STILLWATCH_CHROMIUM, or the first one on the PATH."""
    named = os.environ.get("STILLWATCH_CHROMIUM")
    return named if named else next(filter(None, map(shutil.which, BROWSERS)), None)


def find_captures() -> Path | None:
    """Folder of captured traffic: STILLWATCH_CAPTURES, or `shared/captures` beside the repository."""
    named = os.environ.get("STILLWATCH_CAPTURES")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "captures"
    return folder if folder.is_dir() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on captured traffic run where it stands, and are shown as not run elsewhere; CI must have it."""
    if find_captures() is not None or os.environ.get("CI") == "true":
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason="no captured traffic; set STILLWATCH_CAPTURES to its folder"))


@pytest.fixture
def captures() -> Path:
    """Folder of captured traffic; only for tests marked `shared`."""
    folder = find_captures()
    assert folder is not None, "no captured traffic: put it into ../shared/captures, or set STILLWATCH_CAPTURES"
    return folder


@pytest.fixture
def chromium() -> str:
    """Path of the browser; only for tests marked `browser`."""
    path = find_chromium()
    assert path is not None, "no Chromium: apt-get install chromium, run make setup, or set STILLWATCH_CHROMIUM"
    return path


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare text with a file of tests/golden; `make golden` writes the file instead."""

    def compare(text: str, name: str) -> None:
        file = GOLDEN / name
        if os.environ.get("STILLWATCH_GOLDEN") == "write":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.is_file(), f"{file.name} is not there yet: make golden"
        assert text == file.read_text(encoding="utf-8")

    return compare
