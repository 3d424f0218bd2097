"""The command line as a program: exit codes, errors, interruption, start-up time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pyarrow as pa
import pytest

import stillwatch
from stillwatch import cli
from stillwatch.errors import InputError, Place
from stillwatch.intake import InputReport

SRC = str(Path(stillwatch.__file__).parents[1])
COMMANDS = (
    "demo sources scan verdicts campaigns pools links readings quarantine explain doctor calibrate lab bench".split()
)  # DESIGN, commands


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": SRC}
    command = [sys.executable, "-m", "stillwatch", *args]
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def pipeline(monkeypatch, tmp_path):
    """A pipeline whose functions the test sets, in place of the real one."""
    fake = types.ModuleType("stillwatch.pipeline")
    monkeypatch.setitem(sys.modules, "stillwatch.pipeline", fake)
    monkeypatch.setattr(stillwatch, "pipeline", fake, raising=False)
    monkeypatch.chdir(tmp_path)
    return fake


class Scanned:
    report_path = Path("store/report.html")

    def __init__(self, *verdicts: str) -> None:
        self.verdicts = pa.table({"account_id": [f"a{i}" for i in range(len(verdicts))], "verdict": list(verdicts)})
        self.campaigns = pa.table({"campaign_id": ["C-\x1b[2J1"], "accounts": [["a", "b"]], "exchanges": [1234],
                                   "targets": [["reasoning"]], "kinds": [["direct"]], "probability": [0.99],
                                   "exchanges_at_flag": [40]})  # fmt: skip
        self.inputs = [InputReport(path="x\x1b[2J.jsonl", records=3, kept=3)]
        self.not_seen = [{"signal": "SG402", "missing": ["ip"]}]

    def as_dict(self) -> dict[str, object]:
        return {"verdicts": self.verdicts.to_pylist(), "e_value": float("inf")}


def test_help_lists_every_command_and_needs_no_heavy_library(tmp_path):
    done = run("--help", cwd=tmp_path)
    assert done.returncode == 0
    listed = [line.split()[0] for line in done.stdout.split("Commands:")[1].splitlines() if line.strip()]
    assert listed == COMMANDS
    heavy = (
        "import sys, stillwatch.cli.app; print(sorted({'duckdb','pyarrow','numpy','numba','ibis'} & {*sys.modules}))"
    )
    found = subprocess.run([sys.executable, "-c", heavy], env={**os.environ, "PYTHONPATH": SRC},
                           capture_output=True, text=True, check=True)  # fmt: skip
    assert found.stdout.strip() == "[]"


def test_help_takes_less_than_a_third_of_a_second(tmp_path):
    best = 9.0
    for _ in range(5):
        before = os.times()
        run("--help", cwd=tmp_path)
        after = os.times()  # processor time, not wall clock: other programs on the machine do not count
        best = min(best, after.children_user + after.children_system - before.children_user - before.children_system)
    assert best < 0.3


@pytest.mark.parametrize("command", [*COMMANDS, "bench speed", "bench captures", "bench corpora", "lab traffic"])
def test_every_command_teaches_by_example(tmp_path, capsys, command):
    assert cli.main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert "Example" in text and f"stillwatch {command}" in text


def test_usage_errors_exit_with_2_and_say_where_to_look(capsys):
    assert cli.main(["scan"]) == 2
    assert "fix: see stillwatch scan --help" in capsys.readouterr().err


def test_with_json_an_error_is_one_json_object_on_stderr(pipeline, capsys):
    def scan(*args, **kwargs):
        raise InputError("`ended_at` is early", at=Place(path="a.jsonl", line=3, field="ended_at"), fix="set a clock")

    pipeline.scan = scan
    assert cli.main(["scan", "x", "--json"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["error"] == {
        "kind": "InputError",
        "message": "`ended_at` is early",
        "at": {"path": "a.jsonl", "line": 3, "field": "ended_at"},
        "fix": "set a clock",
        "exit_code": 3,
    }


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(pipeline, capsys):
    def scan(sources, settings, *, progress):
        from stillwatch.progress import Progress

        progress(Progress(stage="sketch", done=10))
        raise KeyboardInterrupt

    pipeline.scan = scan
    assert cli.main(["scan", "x", "--store", "kept"]) == 5
    err = capsys.readouterr().err
    assert "during `sketch`" in err and "`kept`" in err and "run the same command again" in err


@pytest.mark.parametrize(
    "fail_on, verdicts, code",
    [
        (None, ["distilling"], 0),
        ("distilling", ["clear", "reseller", "watch"], 0),
        ("distilling", ["clear", "distilling"], 1),
        ("reseller", ["distilling"], 1),
        ("watch", ["clear", "not_observable"], 0),
        ("watch", [], 0),
    ],
)
def test_fail_on_exits_with_1_for_that_verdict_and_graver_ones(pipeline, fail_on, verdicts, code):
    pipeline.scan = lambda *a, **k: Scanned(*verdicts)
    assert cli.main(["scan", "x", "--quiet", *(["--fail-on", fail_on] if fail_on else [])]) == code


def test_the_summary_escapes_what_comes_from_logs(pipeline, capsys):
    pipeline.scan = lambda *a, **k: Scanned("clear", "clear", "distilling")
    assert cli.main(["scan", "x"]) == 0
    out = capsys.readouterr().out
    assert "3 accounts: 2 clear, 1 distilling" in out and "2 accounts, 1,234 exchanges; direct; for reasoning" in out
    assert "read 3 exchanges from 1 input" in out and "the log has no ip" in out
    assert "\x1b" not in out and "C-\\x1b[2J1" in out


def test_json_of_a_scan_is_one_object_without_infinities(pipeline, capsys):
    pipeline.scan = lambda *a, **k: Scanned("clear")
    assert cli.main(["scan", "x", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "verdicts": [{"account_id": "a0", "verdict": "clear"}],
        "e_value": None,
    }


def test_options_reach_the_settings_and_win_over_the_file(pipeline, tmp_path):
    (tmp_path / "stillwatch.toml").write_text('workers = 1\nno_text = true\n[policy]\nip = "hash"\n')
    seen = []
    pipeline.scan = lambda sources, settings, **k: seen.append((sources, settings)) or Scanned()
    args = "scan a b --workers 3 --until 2026-03-02 --max-bad 2% --policy user_agent=drop --quiet".split()
    assert cli.main(args) == 0
    [(sources, settings)] = seen
    assert sources == ["a", "b"]
    assert (settings.workers, settings.no_text, settings.max_bad) == (3, True, 0.02)
    assert settings.until_us == 1_772_409_600_000_000  # date -u -d 2026-03-02 +%s
    assert dict(settings.policy) == {"ip": "hash", "user_agent": "drop"}


@pytest.mark.parametrize(
    "option", ["--until soon", "--max-bad lots", "--policy ip", "--policy ipp=hash", "--config no"]
)
def test_a_wrong_option_is_refused_with_a_fix(pipeline, capsys, option):
    assert cli.main(["scan", "x", *option.split()]) in (2, 3)
    assert "fix:" in capsys.readouterr().err


def test_a_full_disk_is_resumable_and_a_missing_package_is_named(pipeline, capsys):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    def missing(*args, **kwargs):
        raise ModuleNotFoundError("No module named 'chdb'", name="chdb")

    pipeline.scan = full
    assert cli.main(["scan", "x"]) == 5
    pipeline.scan = missing
    assert cli.main(["scan", "x"]) == 4
    assert "pip install chdb" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error(tmp_path):
    environ = {**os.environ, "PYTHONPATH": SRC}
    writer = subprocess.Popen([sys.executable, "-m", "stillwatch", "scan", "--help"], env=environ, cwd=tmp_path,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert writer.stdout is not None and writer.stderr is not None
    writer.stdout.close()
    assert writer.stderr.read() == b""
    writer.stderr.close()
    assert writer.wait(timeout=30) == 0
