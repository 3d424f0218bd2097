"""A folder with rubbish in it: nothing crashes, every record is kept or accounted for, and hostile text stays text."""

from __future__ import annotations

import csv
import gzip
import io
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
import zstandard

import stillwatch
from stillwatch.cli import main
from stillwatch.store.layout import Store

SRC = str(Path(stillwatch.__file__).parents[1])
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+1+cmd|' /C calc'!A0",
    "@SUM(1)",
    "-2+3",
    "\x1b[2J\x1b]0;owned\x07",
    "'; DROP TABLE sketches; --",
    "\u202egnp.exe",
    "{{7*7}}${7*7}%s%n",
    "../../etc/passwd",
    "a\tb\rc\nd",
)  # fmt: skip


# Elements that the page has only where a campaign was found; the clean traffic may hold none.
OF_A_CAMPAIGN = frozenset({"article", "blockquote", "h3", "h4", "i", "polygon"})


def rubbish(folder: Path, lines: list[bytes]) -> dict[str, int]:
    """Files that no scan may stumble over; file name -> good exchanges in it."""
    folder.mkdir()
    good: dict[str, int] = {}

    def put(name: str, data: bytes, kept: int = 0) -> None:
        (folder / name).write_bytes(data)
        good[name] = kept

    def broken(change: dict[str, object], line: bytes) -> bytes:
        return orjson.dumps(orjson.loads(line) | change) + b"\n"

    put("good.jsonl", b"".join(lines[:100]), 100)
    put("binary.jsonl", bytes(range(256)) * 64)
    put("picture.png", b"\x89PNG\r\n\x1a\n" + os.urandom(2000))
    packed = gzip.compress(b"".join(lines[100:160]), mtime=0)
    put("cut.jsonl.gz", packed[: len(packed) * 2 // 3], -1)
    packed = zstandard.ZstdCompressor().compress(b"".join(lines[300:400]))
    put("cut.jsonl.zst", packed[: len(packed) * 9 // 10], -1)
    put("utf16.jsonl", b"".join(lines[220:223]).decode().encode("utf-16"), -1)
    put("latin1.jsonl", lines[223].replace(b'"messages":[{"role":"', b'"title":"caf\xe9","messages":[{"role":"'), -1)
    put("clock.jsonl", broken({"startTime": 0.0, "endTime": 1.0}, lines[224])
        + broken({"startTime": 2_147_483_647.0, "endTime": 2_147_483_648.0}, lines[225])
        + broken({"startTime": "yesterday"}, lines[226])
        + broken({"startTime": 1e300}, lines[227]))  # fmt: skip
    nulls = dict.fromkeys(orjson.loads(lines[228]))
    put("nulls.jsonl", orjson.dumps(nulls) + b"\n" + b'null\n[]\n{}\n0\n"x"\n\n \n')
    put("twice.jsonl", b"".join(lines[230:235]) + b"".join(lines[230:235]), 5)
    put("cut-line.jsonl", lines[240][:-200])
    put("empty.jsonl", b"")
    put(".hidden.jsonl", lines[241])
    return good


def test_a_folder_of_rubbish_is_read_to_its_end_and_every_record_is_accounted_for(traffic, stores, tmp_path):
    folder, store = tmp_path / "logs", stores.new()
    good = rubbish(folder, traffic.lines)
    reports = {Path(r.path).name: r for r in stores.read(store, folder)}
    assert reports.keys() == good.keys()
    for name, report in reports.items():
        assert report.records == report.kept + report.rejected, name
        if good[name] >= 0:
            assert report.kept == good[name], name
    assert 0 < reports["cut.jsonl.gz"].kept < 60 and 0 < reports["cut.jsonl.zst"].kept < 100
    assert reports["clock.jsonl"].rejected == 4 and reports["twice.jsonl"].reasons["duplicate"] == 5
    rows = Store(store).result("quarantine").to_pylist()
    counted: dict[str, int] = {}
    for row in rows:
        counted[Path(row["file"]).name] = counted.get(Path(row["file"]).name, 0) + row["records"]
        assert row["reason"] and row["detail"] and (row["line"] is None or row["line"] >= 1)
    assert {n: k for n, k in counted.items() if k} == {n: r.rejected for n, r in reports.items() if r.rejected}
    clock = [(r["line"], r["field"]) for r in rows if r["file"].endswith("/clock.jsonl")]
    assert sorted(clock)[:2] == [(1, "at"), (2, "at")] and [line for line, _ in sorted(clock)] == [1, 2, 3, 4]
    again = stores.read(store, folder)
    assert sum(r.kept for r in again) == 0
    assert Store(store).result("quarantine").num_rows == len(rows)  # nothing is quarantined twice


@pytest.mark.parametrize("max_bad, code", [("100%", 0), ("5", 3)])
def test_the_exit_code_of_a_scan_of_rubbish_is_what_max_bad_says(max_bad, code, traffic, stores, tmp_path, capsys):
    rubbish(tmp_path / "logs", traffic.lines)
    store = stores.new()
    found = main(["scan", str(tmp_path / "logs"), "--store", str(store), "--max-bad", max_bad])
    out, err = capsys.readouterr()
    assert found == code, err
    assert (store / "report.html").exists() and Store(store).result("verdicts").num_rows > 10
    if code == 3:
        assert "records went to quarantine" in err and "fix:" in err
    else:
        assert "accounts:" in out


class Tags(HTMLParser):
    """Which tags and handlers a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.handlers += [k for k, v in attrs if k.startswith("on") or (v or "").startswith("javascript:")]


def test_hostile_text_in_every_field_stays_text_in_store_report_and_exports(traffic, stores, tmp_path, capfdbinary):
    folder, store = tmp_path / "logs", stores.new()
    folder.mkdir()
    records = [orjson.loads(line) for line in traffic.lines[:240]]
    for i, record in enumerate(records):
        nasty = HOSTILE[i % len(HOSTILE)]
        record["model"] = record["model_group"] = nasty
        record["end_user"] = record["user_agent"] = nasty
        record["metadata"] |= {"user_api_key_user_id": f"{nasty}{i % 24}", "user_api_key_alias": nasty,
                               "user_api_key_team_id": nasty, "user_agent": nasty}  # fmt: skip
        record["requester_ip_address"] = record["metadata"]["requester_ip_address"] = nasty
        if i % 2:
            record["metadata"]["requester_metadata"] = {
                "headers": {nasty: nasty, "user-agent": nasty, "x-title": nasty}
            }
        record["litellm_call_id"] = record["id"] = f"{i}{nasty}"
        if i % 3 == 0:
            record["messages"] = [{"role": nasty, "content": nasty}]
    data = b"".join(orjson.dumps(r) + b"\n" for r in records)
    names = [
        os.fsencode(folder) + b"/" + n for n in (b"<b>\x1b[31m.jsonl", b"=1+1.jsonl", b"\xff\xfe.jsonl", b"a b\n.jsonl")
    ]
    for k, name in enumerate(names):
        with open(name, "wb") as file:
            file.write(b"".join(data.splitlines(keepends=True)[k * 60 : k * 60 + 60]) + b"{broken\n")
    assert main(["scan", str(folder), "--store", str(store), "--max-bad", "100%"]) == 0
    out, err = capfdbinary.readouterr()
    assert b"\x1b" not in out + err
    assert Store(store).result("quarantine").num_rows == 4
    verdicts = Store(store).result("verdicts")
    assert verdicts.num_rows == 24
    page = (store / "report.html").read_text(encoding="utf-8")
    tags, bare = Tags(), Tags()
    tags.feed(page)
    clean = stores.new()
    stores.scan(clean, traffic.write(tmp_path / "clean.jsonl", 0, 240))
    bare.feed((clean / "report.html").read_text(encoding="utf-8"))
    assert tags.seen <= bare.seen | OF_A_CAMPAIGN and tags.handlers == bare.handlers
    assert "\x1b" not in page and "\u202e" not in page
    for command in ("verdicts", "readings", "links", "pools", "campaigns"):
        assert main([command, "--store", str(store), "--format", "csv"]) == 0
        table = capfdbinary.readouterr()[0].decode()
        for row in list(csv.reader(io.StringIO(table)))[1:]:
            for cell in row:
                number = cell.replace(".", "", 1).replace("-", "", 2).replace("+", "", 1).replace("e", "", 1).isdigit()
                assert number or cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), cell


MEMORY = """
import sys
from pathlib import Path
from stillwatch.bench.speed import peak_memory
from stillwatch.config import Settings
from stillwatch import pipeline
settings = Settings(store=Path(sys.argv[1]), workers=2, max_bad=1.0, now_us=1_773_800_000_000_000)
result = pipeline.scan(sys.argv[2:], settings)
print(peak_memory() >> 20, sum(i.kept for i in result.inputs))
"""


def peak_mib(store: Path, *sources: Path) -> tuple[int, int]:
    """High-water mark of memory of a scan in a process of its own, and exchanges kept."""
    command = [sys.executable, "-c", MEMORY, str(store), *map(str, sources)]
    environ = {**os.environ, "PYTHONPATH": SRC}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=240, check=True)
    mib, kept = done.stdout.split()
    return int(mib), int(kept)


def test_one_line_of_a_hundred_megabytes_is_left_out_in_bounded_memory(traffic, stores, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    with (folder / "long.jsonl").open("wb") as file:
        file.write(b"".join(traffic.lines[:10]) + b'{"messages":"')
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + b"".join(traffic.lines[10:20]))
    (tmp_path / "short.jsonl").write_bytes(b"".join(traffic.lines[:10]))
    peak_mib(stores.new(), tmp_path / "short.jsonl")  # compiles what no cache holds yet: that takes memory of its own
    store = stores.new()
    mib, kept = peak_mib(store, folder)
    assert kept == 20
    assert mib < 700
    [row] = Store(store).result("quarantine").to_pylist()
    assert (row["line"], row["reason"], row["records"]) == (11, "too_long", 1)


def test_the_clock_may_jump_about_over_years(traffic, stores, tmp_path):
    records = [orjson.loads(line) for line in traffic.lines[:200]]
    for i, record in enumerate(records):
        record["startTime"] = 1_600_000_000.0 + i * 800_000 * (-1 if i % 2 else 1)
        record["endTime"] = record["startTime"] + 1
    log = tmp_path / "a.jsonl"
    log.write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in records))
    store = stores.new()
    [report] = stores.read(store, log)
    assert report.kept == 200 and report.reasons["out_of_order (kept)"] > 0
    assert len(Store(store).files("sketches")) <= 62
    assert sum(pq.read_metadata(f).num_rows for f in Store(store).files("sketches")) == 200
