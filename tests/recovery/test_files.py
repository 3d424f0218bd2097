"""Files that come twice, grow, move, shrink and get copied: each exchange counts once."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from stillwatch.store.layout import Store


def kept(reports):
    return [r.kept for r in reports]


def total(store: Path) -> int:
    return sum(pq.read_metadata(file).num_rows for file in Store(store).files("sketches"))


def packed(data: bytes, how: str) -> bytes:
    if how == "gz":
        return gzip.compress(data, mtime=0)
    return zstandard.ZstdCompressor().compress(data) if how == "zst" else data


@pytest.mark.parametrize("how", ["jsonl", "gz", "zst"])
def test_a_file_that_was_read_is_passed_over(how, traffic, stores, tmp_path):
    log = tmp_path / f"a.{how}"
    log.write_bytes(packed(b"".join(traffic.lines[:60]), how))
    store = stores.new()
    assert kept(stores.read(store, log)) == [60]
    [again] = stores.read(store, log)
    assert (again.kept, again.records, again.skipped) == (0, 0, "already in the store")
    os.utime(log, (1, 1))  # a backup was put back: another time, the same content
    [again] = stores.read(store, log)
    assert again.skipped == "already in the store" and total(store) == 60


def test_the_same_content_under_another_name_is_passed_over(traffic, stores, tmp_path):
    one, two = traffic.write(tmp_path / "a.jsonl", 0, 60), traffic.write(tmp_path / "b.jsonl", 0, 60)
    store = stores.new()
    reports = stores.read(store, one, two)
    assert kept(reports) == [60, 0] and reports[1].skipped == f"the same content as `{one}`"
    three = traffic.write(tmp_path / "c.jsonl", 0, 60)
    [report] = stores.read(store, three)
    assert "already in the store" in report.skipped and str(one) in report.skipped
    assert total(store) == 60 and Store(store).result("quarantine").num_rows == 0


def test_the_same_exchanges_in_another_wrapping_are_quarantined_with_file_and_line(traffic, stores, tmp_path):
    store = stores.new()
    stores.read(store, traffic.write(tmp_path / "a.jsonl", 0, 150))
    log = tmp_path / "b.jsonl.gz"
    log.write_bytes(packed(b"".join(traffic.lines[20:160]), "gz"))
    [report] = stores.read(store, log)
    assert (report.records, report.kept, report.rejected, report.reasons["duplicate"]) == (140, 10, 130, 130)
    rows = Store(store).result("quarantine").to_pylist()
    assert {r["file"] for r in rows} == {str(log)} and {r["field"] for r in rows} == {"exchange_id"}
    assert [r["line"] for r in rows[:3]] == [1, 2, 3]
    assert sum(r["records"] for r in rows) == 130 and len(rows) == 101  # a hundred one by one, the rest in one row
    assert total(store) == 160


@pytest.mark.parametrize("how", ["jsonl", "gz", "zst"])
def test_of_a_file_that_grew_only_the_new_lines_are_read(how, traffic, stores, tmp_path):
    log, store = tmp_path / f"a.{how}", stores.new()
    log.write_bytes(packed(b"".join(traffic.lines[:60]), how))
    stores.read(store, log)
    with log.open("ab") as file:
        file.write(packed(b"".join(traffic.lines[60:100]), how))
    [report] = stores.read(store, log)
    assert (report.records, report.kept, report.rejected) == (40, 40, 0)
    assert total(store) == 100
    lines = pa.concat_tables([pq.ParquetFile(f).read(["line"]) for f in Store(store).files("sketches")])
    assert sorted(lines.column("line").to_pylist()) == list(range(1, 101))
    [report] = stores.read(store, log)
    assert report.skipped == "already in the store"


def test_a_file_that_grew_from_nothing_is_read(traffic, stores, tmp_path):
    log, store = tmp_path / "a.jsonl", stores.new()
    log.write_bytes(b"")
    assert kept(stores.read(store, log)) == [0]
    traffic.write(log, 0, 30)
    assert kept(stores.read(store, log)) == [30]


def test_a_line_that_was_half_written_is_taken_when_it_is_whole(traffic, stores, tmp_path):
    log, store = tmp_path / "a.jsonl", stores.new()
    half = len(traffic.lines[30]) // 2
    log.write_bytes(b"".join(traffic.lines[:30]) + traffic.lines[30][:half])
    [report] = stores.read(store, log)
    assert (report.kept, report.rejected, report.reasons["truncated"]) == (30, 1, 1)
    with log.open("ab") as file:
        file.write(traffic.lines[30][half:] + b"".join(traffic.lines[31:40]))
    [report] = stores.read(store, log)
    assert (report.records, report.kept, report.rejected) == (10, 10, 0)
    assert total(store) == 40


def test_a_log_that_was_rotated_is_read_on_under_its_new_name(traffic, stores, tmp_path):
    log, store = traffic.write(tmp_path / "gateway.log", 0, 60), stores.new()
    stores.read(store, log)
    with log.open("ab") as file:
        file.write(b"".join(traffic.lines[60:80]))
    log.rename(tmp_path / "gateway.log.1")
    traffic.write(log, 80, 100)
    reports = stores.read(store, tmp_path / "gateway.log.1", log)
    assert {Path(r.path).name: (r.records, r.kept, r.rejected) for r in reports} == {
        "gateway.log": (20, 20, 0), "gateway.log.1": (20, 20, 0)
    }  # fmt: skip
    assert total(store) == 100 and Store(store).result("quarantine").num_rows == 0


@pytest.mark.parametrize("size", ["shorter", "equal", "longer"])
def test_a_file_that_was_replaced_under_its_name_is_read_whole(size, traffic, stores, tmp_path):
    log, store = traffic.write(tmp_path / "a.jsonl", 0, 60), stores.new()
    stores.read(store, log)
    first, last = traffic.lines[0], {"shorter": 30, "equal": 60, "longer": 90}[size]
    rest = b"".join(traffic.lines[100 : 100 + last])
    if size == "equal":  # to the byte, and with the same first 4,096 bytes: only the content tells
        old = log.read_bytes()
        head = b"".join(traffic.lines[:4])
        assert len(head) > 4096
        body = b"".join(traffic.lines[100:140])
        room = len(old) - len(head) - len(body)
        assert room > 1
        new = head + body + b" " * (room - 1) + b"\n"
        assert len(new) == len(old)
        log.write_bytes(new)
        fresh = 40
    elif size == "longer":
        head = b"".join(traffic.lines[:4])
        log.write_bytes(head + rest)
        fresh = 90
        assert log.stat().st_size > 0 and head.startswith(first)
    else:
        log.write_bytes(rest)
        fresh = 30
    os.utime(log, (2_000_000_000, 2_000_000_000))
    [report] = stores.read(store, log)
    assert report.kept == fresh and total(store) == 60 + fresh


def test_a_file_added_to_the_folder_is_read_and_the_others_are_not(traffic, stores, tmp_path):
    logs, store = tmp_path / "logs", stores.new()
    logs.mkdir()
    traffic.write(logs / "b.jsonl", 0, 50)
    stores.read(store, logs)
    traffic.write(logs / "a.jsonl", 50, 80)
    reports = stores.read(store, logs)
    assert [(Path(r.path).name, r.kept, r.skipped) for r in reports] == [
        ("a.jsonl", 30, ""), ("b.jsonl", 0, "already in the store")
    ]  # fmt: skip


def test_a_file_that_cannot_be_opened_is_named_and_the_others_are_read(traffic, stores, tmp_path, monkeypatch):
    logs, store = tmp_path / "logs", stores.new()
    logs.mkdir()
    traffic.write(logs / "a.jsonl", 0, 20)
    (logs / "b.jsonl").symlink_to(tmp_path / "nowhere")
    reports = stores.read(store, logs)
    assert kept(reports) == [20, 0]
    assert "cannot be read" in reports[1].skipped and reports[1].reasons["unreadable"] == 1


def test_order_of_files_order_of_lines_workers_and_block_sizes_change_nothing(
    traffic, stores, small_parts, tmp_path, monkeypatch, same_store
):
    one = stores.new()
    stores.read(one, traffic.write(tmp_path / "all.jsonl"))
    wanted = pq_rows(one)
    rng = random.Random(20260302)
    shuffled = traffic.lines[:]
    rng.shuffle(shuffled)
    pieces = tmp_path / "pieces"
    pieces.mkdir()
    cuts = sorted(rng.sample(range(len(shuffled)), 5))
    for name, (a, b) in zip("fedcba", zip([0, *cuts], [*cuts, len(shuffled)], strict=True), strict=True):
        (pieces / f"{name}.jsonl").write_bytes(b"".join(shuffled[a:b]))
    two = stores.new()
    stores.read(two, pieces, workers=2)
    assert pq_rows(two) == wanted
    small_parts(100, 50_000)
    three = stores.new()
    stores.read(three, *sorted(pieces.iterdir(), reverse=True), workers=3)
    assert pq_rows(three) == wanted
    four, five = stores.new(), stores.new()
    stores.read(four, pieces, workers=1)
    same_store(three, four)
    shutil.rmtree(five)
    Store(five)  # another secret: as many of everything
    stores.read(five, pieces)
    assert total(five) == total(one)


def pq_rows(store: Path) -> list[dict[str, object]]:
    rows = pa.concat_tables([pq.ParquetFile(f).read() for f in Store(store).files("sketches")])
    return rows.drop_columns(["line"]).sort_by("exchange_id").to_pylist()
