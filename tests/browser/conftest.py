"""A real headless Chromium on real files. A missing browser fails the tests and says what to install."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
INSTALL = "fix: install Debian's `chromium` package, or set STILLWATCH_CHROMIUM to the path of a Chromium or Chrome"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail(
            "the browser tests need the Python package `playwright`\nfix: pip install playwright", pytrace=False
        )
    path = os.environ.get("STILLWATCH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None or not Path(path).exists():
        pytest.fail(f"no Chromium found ({path or 'not on PATH'})\n{INSTALL}", pytrace=False)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The made-up report of tests/unit/report, loaded by path."""
    path = Path(__file__).parents[1] / "unit" / "report" / "sample.py"
    spec = importlib.util.spec_from_file_location("report_sample", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def open_report(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Writes a model's report and opens it from disk; at the end no request and no complaint may have been made."""
    from stillwatch.report import render

    pages: list[tuple[Any, str, list[str], list[str]]] = []

    def open_(model: dict[str, Any], **settings: Any) -> Any:
        path = tmp_path / f"report-{len(pages)}.html"
        path.write_text(render(model), encoding="utf-8")
        page = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | settings))
        requests: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda r: requests.append(r.url))
        page.on("console", lambda m: complaints.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda e: complaints.append(f"error: {e}"))
        page.on("dialog", lambda d: (complaints.append(f"dialog: {d.message}"), d.dismiss()))
        page.goto(path.as_uri())
        pages.append((page, path.as_uri(), requests, complaints))
        return page

    yield open_
    for page, uri, requests, complaints in pages:
        requested = [r for r in requests if r.partition("#")[0] != uri]
        page.close()
        assert requested == []
        assert complaints == []
