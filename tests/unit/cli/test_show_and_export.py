"""What is printed cannot steer a terminal, and what is exported cannot run in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillwatch.cli import export, show
from stillwatch.errors import UsageError

TABLE = pa.table(
    {
        "account_id": ["=HYPERLINK(1)", "plain", None],
        "e_value": [float("inf"), 1.5, None],
        "at": [1_772_409_600_000_000, -5, 0],
        "targets": [["a,b", "=c"], [], None],
        "template": [b"\x00\xff", b"", None],
        "ok": [True, False, None],
    }
)


@given(st.text())
def test_no_text_from_outside_keeps_a_steering_character(text):
    shown = show.safe(text)
    assert shown.isprintable() or all(c.isprintable() or c.isspace() or ord(c) > 0x2FF for c in shown)
    assert not set(shown) & set("\x1b\x07\x08\r\n\t\x7f\x9b\u202e\u2066\u200b\ufeff\u2028")


@pytest.mark.parametrize(
    "text, want",
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("bell\x07 csi\x9b", "bell\\x07 csi\\x9b"),
        ("\U000e0041", "\\U000e0041"),
        ("日本語 é", "日本語 é"),
        ("x" * 201, "x" * 200 + "…"),
    ],
)
def test_steering_characters_are_spelled_out(text, want):
    assert show.safe(text) == want


def test_json_is_ascii_and_has_no_infinities():
    line = show.as_json({"a": float("nan"), "b": "\x1b\u202e", "c": b"\x01", 3: (1, 2)})
    assert line == '{"a":null,"b":"\\u001b\\u202e","c":"01","3":[1,2]}'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "  ="])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(start):
    assert export.guarded(start + "1+1") == "'" + start + "1+1"
    assert export.guarded("1" + start) == "1" + start


def test_csv_keeps_numbers_as_numbers_and_lists_as_json(tmp_path):
    export.write(TABLE, "csv", tmp_path / "t.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert [r["account_id"] for r in rows] == ["'=HYPERLINK(1)", "plain", ""]
    assert [r["at"] for r in rows] == ["1772409600000000", "-5", "0"]
    assert json.loads(rows[0]["targets"]) == ["a,b", "=c"]
    assert [r["template"] for r in rows] == ["00ff", "", ""]
    assert [r["ok"] for r in rows] == ["true", "false", ""]


def test_jsonl_gives_every_row_back(tmp_path):
    export.write(TABLE, "jsonl", tmp_path / "t.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert rows[1] == {
        "account_id": "plain", "e_value": 1.5, "at": -5, "targets": [], "template": "", "ok": False,
    }  # fmt: skip
    assert rows[0]["e_value"] is None


def test_parquet_gives_the_same_table_back(tmp_path):
    export.write(TABLE, "parquet", tmp_path / "t.parquet")
    assert pq.read_table(tmp_path / "t.parquet").equals(TABLE)


def test_a_file_that_cannot_be_written_is_a_usage_error_and_leaves_nothing(tmp_path):
    with pytest.raises(UsageError):
        export.write(TABLE, "csv", tmp_path / "none" / "t.csv")
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_stays_whole_if_writing_fails_half_way(tmp_path):
    (tmp_path / "t.csv").write_text("old")
    with pytest.raises(AttributeError):
        export.write(None, "csv", tmp_path / "t.csv")  # type: ignore[arg-type]
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("t.csv", "old")]
