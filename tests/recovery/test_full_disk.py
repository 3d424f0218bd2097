"""A disk that fills up at any moment: the run stops with a message, and running again completes it."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stillwatch
from stillwatch.errors import Interrupted, UsageError
from stillwatch.store import layout
from stillwatch.store.layout import Store

SRC = str(Path(stillwatch.__file__).parents[1])


class Disk:
    """Fails the n-th call of what writes, and every one after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int = errno.ENOSPC) -> None:
        self.left, self.code, self.calls = -1, code, 0
        for owner, name in ((layout.pq, "write_table"), (os, "fsync"), (os, "write"), (Path, "mkdir")):
            monkeypatch.setattr(owner, name, self._failing(getattr(owner, name)))

    def _failing(self, function):
        def wrapped(*args, **kwargs):
            self.calls += 1
            if self.left >= 0 and self.calls > self.left:
                raise OSError(self.code, os.strerror(self.code))
            return function(*args, **kwargs)

        return wrapped


def test_a_disk_that_is_full_at_any_step_stops_the_run_and_the_next_run_completes_it(
    traffic, stores, small_parts, same_store, tmp_path, monkeypatch
):
    small_parts(60, 200_000)
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(traffic.lines[:160]) + b"{broken\n")
    whole = stores.new()
    stores.read(whole, log)
    disk = Disk(monkeypatch)
    stores.read(stores.new(), log)
    steps = disk.calls
    assert steps > 30
    for step in range(0, steps, 3):
        store = stores.new()
        disk.calls, disk.left = 0, step
        with pytest.raises(Interrupted) as stopped:
            stores.read(store, log)
        assert stopped.value.exit_code == 5 and "No space left on device" in str(stopped.value)
        assert "free space" in stopped.value.fix and "run the same command again" in stopped.value.fix
        disk.left = -1
        stores.read(store, log)
        same_store(store, whole)
        shutil.rmtree(store)


def test_a_disk_that_is_full_while_the_store_is_made_leaves_nothing_in_the_way(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    Store(tmp_path / "counted")
    steps = disk.calls
    for step in range(steps):
        disk.calls, disk.left = 0, step
        with pytest.raises(Interrupted):
            Store(tmp_path / f"store-{step}")
        disk.left = -1
        assert Store(tmp_path / f"store-{step}").inputs() == {}


def test_results_and_report_are_written_whole_or_not_at_all(traffic, stores, no_replay, tmp_path, monkeypatch):
    log = traffic.write(tmp_path / "a.jsonl", 0, 120)
    store = stores.new()
    first = stores.scan(store, log)
    before = {f.name: f.read_bytes() for f in [*(store / "results").iterdir(), first.report_path]}
    disk = Disk(monkeypatch)
    stores.scan(store, log)
    steps = disk.calls
    for step in range(0, steps, 4):
        disk.calls, disk.left = 0, step
        with pytest.raises(Interrupted):
            stores.scan(store, log)
        disk.left = -1
        after = {f.name: f.read_bytes() for f in [*(store / "results").iterdir(), first.report_path]}
        assert after == before


def test_a_limit_of_the_system_on_file_size_ends_a_real_scan_with_5(traffic, stores, tmp_path):
    log = traffic.write(tmp_path / "a.jsonl")
    store = stores.new()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [sys.executable, "-m", "stillwatch", "scan", str(log), "--store", str(store)],
        env={**os.environ, "PYTHONPATH": SRC},
        preexec_fn=limit, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "writing stopped" in done.stderr and "fix: free space" in done.stderr
    [report] = stores.read(store, log)
    assert report.kept == len(traffic.lines)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_store_that_may_not_be_written_is_a_wrong_option_and_not_a_full_disk(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        Store(folder / "store")


def test_what_may_not_be_written_is_told_from_what_does_not_fit(tmp_path, monkeypatch):
    Disk(monkeypatch, errno.EACCES).left = 0
    with pytest.raises(UsageError, match="cannot be written") as refused:
        Store(tmp_path / "store")
    assert "permissions" in refused.value.fix
