"""Journals: what counts after a torn write, a taken-back read, and damage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stillwatch.errors import InputError, UsageError
from stillwatch.store.journal import InputState, append, read_journal
from stillwatch.store.layout import Store, write_bytes


@pytest.fixture
def started(tmp_path) -> tuple[Store, InputState]:
    store = Store(tmp_path / "store")
    state = InputState(input_id="a1", path="/logs/a.jsonl", head_bytes=4, head_digest="abcd")
    store.start_input(state)
    return store, state


def test_a_state_is_the_same_in_memory_and_from_its_journal(started):
    store, state = started
    store.commit(state, ["sketches/x"], offset=100, line=3, parts=1, records=2, kept=2, reasons={"clock": 1})
    store.commit(state, ["sketches/y"], offset=200, line=5, parts=2, records=4, kept=4)
    store.commit(state, [], complete=True, size=200, digest="d")
    [read] = store.inputs().values()
    assert read == state
    assert read.files == ["sketches/x", "sketches/y"] and read.reasons == {"clock": 1}


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_line_that_was_cut_anywhere_does_not_count_and_the_next_one_does(started, cut):
    store, state = started
    journal = store.path / "inputs" / "a1.jsonl"
    before = journal.read_bytes()
    line = json.dumps({"files": ["sketches/lost"], "offset": 100}).encode()
    assert cut < len(line)
    journal.write_bytes(before + line[:cut])
    assert store.inputs()["a1"] == state
    store.commit(state, ["sketches/kept"], offset=70)
    assert store.inputs()["a1"].files == ["sketches/kept"]
    assert store.inputs()["a1"].offset == 70


def test_a_journal_whose_first_line_was_cut_is_begun_again(tmp_path):
    store = Store(tmp_path / "store")
    (store.path / "inputs" / "a1.jsonl").write_bytes(b'{"input_id": "a1", "pa')
    assert store.inputs() == {}
    state = InputState(input_id="a1", path="/logs/a.jsonl", head_bytes=4, head_digest="abcd")
    store.start_input(state)
    assert store.inputs() == {"a1": state}


def test_what_is_taken_back_goes_to_where_the_last_whole_read_ended(started):
    store, state = started
    store.commit(state, ["one"], offset=100, parts=1, kept=5)
    store.commit(state, [], complete=True, size=100)
    store.commit(state, ["two"], complete=False, offset=150, parts=2, kept=8, held=True)
    store.take_back(state)
    for found in (state, store.inputs()["a1"]):
        assert (found.files, found.offset, found.kept, found.complete, found.held) == (["one"], 100, 5, True, False)
        assert found.parts == 2  # names of files are not used twice


def test_a_line_that_is_none_of_ours_is_an_error_that_names_it(tmp_path):
    journal = tmp_path / "a.jsonl"
    append(journal, {"input_id": "a1", "path": "p", "head_bytes": 0, "head_digest": ""})
    journal.write_bytes(journal.read_bytes() + b'{"unknown": 1}\n')
    with pytest.raises(InputError) as bad:
        read_journal(journal)
    assert bad.value.at is not None and bad.value.at.line == 2


def test_files_that_no_journal_names_are_swept_and_others_are_not(started):
    store, state = started
    for name in ("sketches/day=2026-03-02/x.parquet", "names/y.parquet", "names/z.parquet", "results/r.parquet"):
        write_bytes(_folder(store.path / name), b"")
    for name in ("report.html.partial", "results/r.parquet.partial", "duckdb_temp_storage-0.tmp"):
        (store.path / name).write_bytes(b"")
    store.commit(state, ["names/y.parquet"])
    assert store.sweep() == 5
    left = {str(f.relative_to(store.path)) for f in store.path.rglob("*") if f.is_file()}
    assert left == {"store.json", "secret.key", "inputs/a1.jsonl", "names/y.parquet", "results/r.parquet"}


def _folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_folder_with_other_things_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("")
    with pytest.raises(UsageError, match="other things"):
        Store(tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "file, data, message",
    [
        ("secret.key", b"0123456789abcdef", "not the one"),
        ("secret.key", b"short", "cannot be read"),
        ("store.json", b"[]", "cannot be read"),
        ("store.json", b'{"format": 99}', "another version"),
        ("store.json", b"\xff", "cannot be read"),
    ],
)
def test_a_damaged_store_is_an_error_that_names_the_file(tmp_path, file, data, message):
    Store(tmp_path / "store")
    (tmp_path / "store" / file).write_bytes(data)
    with pytest.raises(InputError, match=message) as bad:
        Store(tmp_path / "store")
    assert bad.value.at is not None and str(tmp_path / "store") in bad.value.at.path


def test_a_secret_is_never_readable_by_others_not_even_where_a_file_was_left_behind(tmp_path):
    left = tmp_path / "secret.key.partial"
    left.write_bytes(b"old")
    left.chmod(0o644)
    write_bytes(tmp_path / "secret.key", b"new", mode=0o600)
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert not left.exists()
