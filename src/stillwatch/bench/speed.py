"""CPU of the whole scan against DuckDB's bare parse of the same file, workers against each other, peak memory.

Every case runs in a process of its own, the cases in turn (A B C A B C), so that a machine whose speed drifts spoils
them alike. CPU is user plus system time of the process; the ratio is taken round by round and the median is quoted.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from stillwatch.config import Settings
from stillwatch.progress import Progress, Watcher, ignore

GOAL_CPU: Final = 3.0  # x DuckDB's bare parse
GOAL_WORKERS: Final = 1.7  # x one worker's speed
MEMORY_BASE: Final = 500 << 20
MEMORY_EACH: Final = 200  # bytes an exchange

# The columns of the generated LiteLLM records, so that DuckDB infers nothing; every one of them is touched.
_COLUMNS: Final = {
    "id": "VARCHAR", "litellm_call_id": "VARCHAR", "call_type": "VARCHAR", "stream": "BOOLEAN", "status": "VARCHAR",
    "startTime": "DOUBLE", "endTime": "DOUBLE", "model": "VARCHAR", "model_group": "VARCHAR", "end_user": "VARCHAR",
    "prompt_tokens": "BIGINT", "completion_tokens": "BIGINT", "requester_ip_address": "VARCHAR",
    "user_agent": "VARCHAR", "metadata": "JSON", "messages": "STRUCT(role VARCHAR, content VARCHAR)[]",
    "response": "STRUCT(choices STRUCT(finish_reason VARCHAR, "
                "message STRUCT(content VARCHAR, reasoning_content VARCHAR))[])",
    "model_parameters": "JSON",
}  # fmt: skip
_TOUCH: Final = (
    "count(id), count(litellm_call_id), count(call_type), count(stream), count(status), sum(startTime), sum(endTime), "
    "count(model), count(model_group), count(end_user), sum(prompt_tokens), sum(completion_tokens), "
    "count(requester_ip_address), count(user_agent), sum(length(metadata)), "
    "sum(list_sum(list_transform(messages, lambda m: length(m.content)))), "
    "sum(length(response.choices[1].message.content)), sum(length(model_parameters))"
)


# The baseline imports duckdb and nothing else: one thread, declared columns, every value touched.
_PARSE: Final = f"""
import json, os, re, sys, duckdb
columns = {_COLUMNS!r}
listed = ", ".join(f"'{{n}}': '{{k}}'" for n, k in columns.items())
name = sys.argv[1].replace("'", "''")
db = duckdb.connect(":memory:", config={{"threads": "1"}})
db.sql(
    f"SELECT {_TOUCH} FROM read_json('{{name}}', format = 'newline_delimited', columns = {{{{{{listed}}}}}})"
).fetchall()
status = open("/proc/self/status").read() if os.path.exists("/proc/self/status") else ""
peak = re.search("VmHWM:\\s+([0-9]+)", status)
print(json.dumps({{"cpu": os.times().user + os.times().system, "peak": int(peak[1]) << 10 if peak else 0}}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One process: CPU seconds, wall seconds, peak memory in bytes."""

    cpu: float
    wall: float
    peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedTable:
    """All rounds of all cases."""

    exchanges: int
    file_bytes: int
    cases: dict[str, list[Case]]
    machine: str

    def ratio(self, a: str, b: str, of: Callable[[Case], float]) -> list[float]:
        """Round by round, a over b."""
        return [of(x) / of(y) for x, y in zip(self.cases[a], self.cases[b], strict=True)]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        cpu = self.ratio("scan, 1 worker", "DuckDB parse", lambda c: c.cpu)
        out: dict[str, Any] = {
            "exchanges": self.exchanges, "bytes_per_exchange": self.file_bytes / self.exchanges,
            "machine": self.machine,
            "cases": {
                name: {"cpu_us": [round(c.cpu / self.exchanges * 1e6, 2) for c in cases],
                       "wall_s": [round(c.wall, 2) for c in cases], "peak_mib": [c.peak >> 20 for c in cases]}
                for name, cases in self.cases.items()
            },
            "cpu_ratio": {"min": min(cpu), "median": median(cpu), "max": max(cpu), "goal": GOAL_CPU},
            "peak_bytes": max(c.peak for c in self.cases["scan, 1 worker"]),
            "peak_goal_bytes": MEMORY_BASE + MEMORY_EACH * self.exchanges,
        }  # fmt: skip
        if "scan, 2 workers" in self.cases:
            gain = self.ratio("scan, 1 worker", "scan, 2 workers", lambda c: c.wall)
            out["two_workers"] = {"min": min(gain), "median": median(gain), "max": max(gain), "goal": GOAL_WORKERS}
            out["peak_bytes_two_workers"] = max(c.peak for c in self.cases["scan, 2 workers"])
        return out

    def text(self) -> str:
        """A Markdown table and three lines of judgement."""
        d = self.as_dict()
        lines = [
            f"{self.exchanges:,} exchanges of {d['bytes_per_exchange']:,.0f} bytes, LiteLLM format, generated; "
            f"{self.machine}",
            "",
            "| case | CPU, us an exchange (min / median / max) | wall, s (median) | peak, MiB |",
            "|---|---|---|---|",
        ]
        for name, case in d["cases"].items():
            cpu = case["cpu_us"]
            lines.append(
                f"| {name} | {min(cpu):.1f} / {median(cpu):.1f} / {max(cpu):.1f} "
                f"| {median(case['wall_s']):.1f} | {max(case['peak_mib'])} |"
            )
        r = d["cpu_ratio"]
        lines += [
            "",
            f"whole scan / DuckDB's bare parse, CPU: {r['median']:.2f} ({r['min']:.2f} to {r['max']:.2f}); "
            f"goal at most {GOAL_CPU}",
        ]
        if "two_workers" in d:
            g = d["two_workers"]
            lines.append(
                f"two workers against one, wall: {g['median']:.2f} x ({g['min']:.2f} to {g['max']:.2f}); "
                f"goal at least {GOAL_WORKERS}"
            )
        lines.append(
            f"peak memory: {d['peak_bytes'] / 2**20:,.0f} MiB with one worker; goal at most "
            f"{d['peak_goal_bytes'] / 2**20:,.0f} MiB (500 MiB and 200 bytes an exchange)"
        )
        return "\n".join(lines)


def run(exchanges: int, settings: Settings, *, progress: Watcher = ignore, rounds: int = 3) -> SpeedTable:
    """Generate `exchanges` and time every case `rounds` times."""
    from stillwatch.lab.traffic import write_speed

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speed.jsonl"
        progress(Progress(stage="make up", done=0, unit="steps"))
        write_speed(file, exchanges)
        _child("scan", file, Path(folder) / "warm", 1, limit=2000)  # compiles what is not compiled yet
        names = {"DuckDB parse": ("parse", 1), "scan, 1 worker": ("scan", 1), "scan, 2 workers": ("scan", 2)}
        cases: dict[str, list[Case]] = {name: [] for name in names}
        for number in range(rounds):
            for step, (name, (what, workers)) in enumerate(names.items()):
                progress(Progress(stage=name, done=number * len(names) + step, total=rounds * len(names), unit="steps"))
                cases[name].append(_child(what, file, Path(folder) / f"store-{number}-{step}", workers))
        return SpeedTable(exchanges=exchanges, file_bytes=file.stat().st_size, cases=cases, machine=_machine())


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f} at the end"
    )


def _child(what: str, file: Path, store: Path, workers: int, *, limit: int = 0) -> Case:
    if what == "parse":
        command = [sys.executable, "-c", _PARSE, str(file)]
    else:
        command = [sys.executable, "-m", "stillwatch.bench.speed", str(file), str(store), str(workers), str(limit)]
    began = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall = time.monotonic() - began
    told = json.loads(done.stdout.splitlines()[-1])
    return Case(cpu=told["cpu"], wall=wall, peak=told["peak"])


def peak_memory() -> int:
    """The process's own high-water mark, bytes; ru_maxrss would show that of the process that started it."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak << 10)


def _main(file: str, store: str, workers: int, limit: int) -> None:
    from stillwatch.startup import quick

    quick()
    from stillwatch import pipeline

    source = Path(file)
    if limit:
        source = Path(store).with_suffix(".jsonl")
        with open(file, "rb") as whole, source.open("wb") as part:
            for _, line in zip(range(limit), whole, strict=False):
                part.write(line)
    pipeline.scan([str(source)], Settings(store=Path(store), workers=workers, now_us=int(time.time() * 1e6)))
    times = os.times()
    print(json.dumps({"cpu": times.user + times.system, "peak": peak_memory()}))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
