"""A scan that is killed loses nothing and counts nothing twice, whenever the kill comes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import stillwatch
from stillwatch.store import journal, layout

SRC = str(Path(stillwatch.__file__).parents[1])
SAMPLES = Path(__file__).parents[1] / "samples"

# A child that is killed by itself: at a step of writing (KILL_AT counts them), by a signal that nothing can catch.
CHILD = """
import os, signal, sys
from stillwatch.store import journal, layout, parts
import stillwatch.intake
parts.PART_ROWS = 200
stillwatch.intake.BLOCK_BYTES = 1 << 18
left = int(sys.argv[1])
def counted(function):
    def wrapped(*args, **kwargs):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return wrapped
layout._replace = counted(layout._replace)
layout.append = counted(layout.append)
os.fsync = counted(os.fsync)
from stillwatch.cli import main
sys.exit(main(sys.argv[2:]))
"""


def snapshots_of(run: Callable[[], None], store: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The store as a kill would have left it before every step of writing, and half-way through a journal line."""
    taken: list[Path] = []

    def snapshot() -> Path:
        taken.append(folder / f"killed-{len(taken)}")
        shutil.copytree(store, taken[-1])
        return taken[-1]

    real_replace, real_append = layout._replace, journal.append

    def replace(partial: Path, path: Path) -> None:
        snapshot()
        real_replace(partial, path)
        snapshot()

    def append(path: Path, line: dict[str, object]) -> None:
        before = path.read_bytes() if path.exists() else b""
        real_append(path, line)
        written = path.read_bytes()[len(before) :]
        torn = snapshot() / path.relative_to(store)
        torn.write_bytes(before + written[: random.Random(len(taken)).randrange(len(written))])

    with monkeypatch.context() as patch:
        patch.setattr(layout, "_replace", replace)
        patch.setattr(layout, "append", append)
        run()
    return taken


def test_after_a_kill_before_any_step_of_writing_the_next_run_makes_the_same_store(
    traffic, stores, small_parts, same_store, tmp_path, monkeypatch
):
    small_parts(80, 200_000)
    logs = tmp_path / "logs"
    logs.mkdir()
    traffic.write(logs / "a.jsonl", 0, 300)
    (logs / "b.jsonl").write_bytes(b"{broken\n" + b"".join(traffic.lines[250:420]) + b'{"torn": ')
    whole = stores.new()
    stores.read(whole, logs)
    store = stores.new()
    killed = snapshots_of(lambda: stores.read(store, logs), store, tmp_path, monkeypatch)
    same_store(store, whole)
    assert len(killed) > 40
    for path in killed[::3] + killed[-2:]:
        reports = stores.read(path, logs)
        same_store(path, whole)
        assert all(r.kept or r.skipped for r in reports)


def test_after_a_kill_records_that_waited_for_their_other_half_are_joined_and_counted_once(
    stores, small_parts, same_store, tmp_path, monkeypatch
):
    small_parts(1, 2_000)
    logs = tmp_path / "logs"
    logs.mkdir()
    asked = SAMPLES.joinpath("openai_pairs.jsonl").read_bytes().splitlines(keepends=True)
    halves = [line for line in asked if b"half-3" in line]
    many = [[h.replace(b"half-3", b"half-%d" % i) for h in halves] for i in range(10, 40)]
    (logs / "a.jsonl").write_bytes(b"".join(q for q, _ in many) + asked[0])
    (logs / "b.jsonl").write_bytes(asked[1] + b"".join(a for _, a in reversed(many)))
    whole = stores.new()
    reports = stores.read(whole, logs)
    assert sum(r.kept for r in reports) == 32  # 30 joined, two whole ones
    assert sum(r.rejected for r in reports) == 0
    store = stores.new()
    killed = snapshots_of(lambda: stores.read(store, logs), store, tmp_path, monkeypatch)
    for path in killed:
        stores.read(path, logs)
        same_store(path, whole)


def test_a_store_that_was_killed_while_it_was_made_is_made_again(tmp_path, monkeypatch):
    steps: list[Path] = []
    real = layout._replace

    def replace(partial: Path, path: Path) -> None:
        steps.append(tmp_path / f"killed-{len(steps)}")
        shutil.copytree(tmp_path / "store", steps[-1])
        real(partial, path)

    monkeypatch.setattr(layout, "_replace", replace)
    layout.Store(tmp_path / "store")
    assert len(steps) == 2  # the secret and the description
    for path in steps:
        layout.Store(path)
        assert layout.Store(path).inputs() == {}
        assert (path / "secret.key").stat().st_mode & 0o777 == 0o600


def run(*args: str, child: bool = False, **options: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", CHILD, *args] if child else [sys.executable, "-m", "stillwatch", *args]
    environ = {**os.environ, "PYTHONPATH": SRC}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize("kill_at", [9, 23])
def test_a_process_that_is_killed_while_writing_leaves_a_store_that_the_next_run_completes(
    kill_at, traffic, stores, same_store, tmp_path
):
    log = traffic.write(tmp_path / "a.jsonl")
    whole, store = stores.new(), stores.new()
    stores.read(whole, log)
    process = run(str(kill_at), "scan", str(log), "--store", str(store), "--workers", "2", child=True)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert list(store.rglob("*.parquet"))
    stores.read(store, log)
    same_store(store, whole)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_exits_with_5_says_what_is_saved_and_goes_on(signum, traffic, stores, same_store, tmp_path):
    lines = traffic.lines * 6  # copies have the same ids: they are left out, and take time to read
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(lines))
    whole, store = stores.new(), stores.new()
    stores.read(whole, log)
    slow = "import time, stillwatch.store.parts as p\nadd = p.Part.add\n" + (
        "def slowly(*a, **k):\n    time.sleep(0.3)\n    return add(*a, **k)\np.Part.add = slowly\n"
    )
    command = [sys.executable, "-c", slow + CHILD, "0", "scan", str(log), "--store", str(store), "--workers", "2"]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": SRC},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # whoever runs the tests in the background has interrupts ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signum, signal.SIG_DFL),
    )
    until = time.monotonic() + 60
    while (
        not any(s.files for s in layout.Store(store).inputs().values())
        and time.monotonic() < until
        and process.poll() is None
    ):
        time.sleep(0.02)
    process.send_signal(signum)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 5, said
    assert "stopped" in said and str(store) in said and "fix: run the same command again" in said
    saved = sum(s.kept for s in layout.Store(store).inputs().values())
    assert 0 < saved < len(traffic.lines)
    stores.read(store, log)
    same_store(store, whole)


def test_two_scans_do_not_write_to_one_store_at_a_time(traffic, stores, tmp_path):
    log = traffic.write(tmp_path / "a.jsonl", 0, 20)
    path = stores.new()
    with layout.Store(path).writing():
        process = run("scan", str(log), "--store", str(path))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2 and b"another scan is writing" in said and b"fix:" in said
    assert layout.Store(path).inputs() == {}
