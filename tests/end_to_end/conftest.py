"""One demo for all tests of this folder: generated logs, scanned once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from stillwatch import pipeline
from stillwatch.config import Settings
from stillwatch.lab.traffic import Truth, write_demo

NOW_US = 1_775_000_000_000_000  # 2026-03-31, after the demo's fortnight


class Demo(NamedTuple):
    """The demo as its user has it."""

    logs: Path
    settings: Settings
    result: pipeline.ScanResult
    truth: Truth


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo's traffic, scanned."""
    folder = tmp_path_factory.mktemp("demo")
    truth = write_demo(folder / "logs")
    settings = Settings(store=folder / "store", accounts=str(folder / "logs" / "accounts.jsonl"), now_us=NOW_US)
    files = [str(path) for path in sorted((folder / "logs").glob("gateway-*.jsonl.zst"))]
    return Demo(folder / "logs", settings, pipeline.scan(files, settings), truth)
