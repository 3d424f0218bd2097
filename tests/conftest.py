"""What tests share: golden files, the folder of captures, a browser; and when tests are skipped."""

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
    """Folder of captured traffic, from STILLWATCH_CAPTURES."""
    named = os.environ.get("STILLWATCH_CAPTURES")
    return Path(named) if named and Path(named).is_dir() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    no_captures = pytest.mark.skip(reason="no captured traffic; set STILLWATCH_CAPTURES to its folder")
    no_browser = pytest.mark.skip(reason="no Chromium; run make setup, or set STILLWATCH_CHROMIUM")
    captures, chromium = find_captures(), find_chromium()
    for item in items:
        if captures is None and item.get_closest_marker("shared"):
            item.add_marker(no_captures)
        if chromium is None and item.get_closest_marker("browser"):
            item.add_marker(no_browser)


@pytest.fixture
def captures() -> Path:
    """Folder of captured traffic; only for tests marked `shared`."""
    folder = find_captures()
    assert folder is not None, "mark this test with @pytest.mark.shared"
    return folder


@pytest.fixture
def chromium() -> str:
    """Path of the browser; only for tests marked `browser`."""
    path = find_chromium()
    assert path is not None, "mark this test with @pytest.mark.browser"
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
