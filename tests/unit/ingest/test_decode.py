"""Decoded columns against what Python's own JSON reader and float arithmetic give."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.ingest.compact import compact_strings
from stillwatch.ingest.decode import copy_string, copy_strings, read_float, read_int, read_time, room_for, string_array
from stillwatch.ingest.formats.base import time_us
from stillwatch.ingest.json_bytes import PADDING, TEXT_ESCAPED, TEXT_PLAIN, container_end, scalar_end
from stillwatch.ingest.litellm_headers import HINTS, check_ids
from stillwatch.ingest.secrets import _HINT
from stillwatch.ingest.spans import RAW

COMPILING = settings(deadline=None)  # the first example of all may wait for the compiler


def padded(data: bytes) -> np.ndarray:
    return np.frombuffer(bytearray(data + b"\n" + bytes(PADDING)), np.uint8)


def column(values: list[tuple[bytes, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Text, events and `which` of a column with one value a row."""
    events, at = [], 0
    for row, (text, kind) in enumerate(values):
        events.append([row, 0, kind, at, at + len(text)])
        at += len(text) + 1
    return padded(b" ".join(text for text, _ in values)), np.array(events, np.int32), np.arange(len(values))


def number(reader: Any, text: str, *bounds: int) -> Any:
    """What a reader makes of one number: its value, or "left" if it does not judge."""
    data, events, which = column([(text.encode(), scalar_end(padded(text.encode()), 0)[1])])
    out = np.zeros(1, np.float64 if reader is read_float else np.int64)
    ok, valid = np.ones(1, np.bool_), np.zeros(1, np.bool_)
    reader(data, events, which, *bounds, ok, out, valid)
    return "left" if not ok[0] else out[0].item() if valid[0] else None


@COMPILING
@given(st.text(max_size=80), st.booleans())
def test_strings_are_unescaped_as_pythons_reader_does(text: str, ascii_only: bool) -> None:
    body = json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode()
    out = np.zeros(len(body) + PADDING, np.uint8)
    end = copy_string(padded(body + b'"'), 0, len(body), TEXT_ESCAPED if b"\\" in body else TEXT_PLAIN, out, 0)
    assert bytes(out[:end]).decode() == text


def test_rows_of_a_column_do_not_run_into_each_other_and_empty_ones_are_null() -> None:
    data, events, which = column(
        [(b"a\\n\\u00e9", TEXT_ESCAPED), (b"", TEXT_PLAIN), (b"long enough to be nine", TEXT_PLAIN)]
    )
    out, offsets, valid = room_for(100), np.zeros(4, np.int32), np.zeros(3, np.bool_)
    used = copy_strings(data, events, which, out, offsets, valid)
    assert string_array(out, used, offsets, valid).to_pylist() == ["a\né", None, "long enough to be nine"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("42", 42), ("12345678901234567", 12345678901234567), ("-5", "left"), ("1.0", "left"), ("1e3", "left"),
     ("123456789012345678", "left"), ("null", None), ("true", None)],
)  # fmt: skip
def test_only_whole_numbers_of_a_sure_size_are_read_as_such(text: str, value: Any) -> None:
    assert number(read_int, text, 0) == value


@COMPILING
@given(st.decimals(0, 999_999, places=6))
def test_short_decimals_are_the_floats_that_python_reads(value: Any) -> None:
    assert number(read_float, f"{value:f}") == float(value)


@COMPILING
@given(st.integers(1_420_070_400, 1_999_999_999), st.integers(0, 10**9 - 1), st.integers(0, 9))
def test_times_are_rounded_as_the_record_reader_rounds_them(seconds: int, nanos: int, digits: int) -> None:
    text = f"{seconds}.{nanos:09d}"[: 10 + (digits + 1 if digits else 0)]
    assert number(read_time, text, 0, 1 << 62) == time_us(orjson.loads(text), "at")


@pytest.mark.parametrize("text", ["1772446272173", "1.7e9", "99", "-1772446272", '"x"'])
def test_times_in_other_units_are_left(text: str) -> None:
    assert number(read_time, text, 0, 1 << 62) == "left"


def compacted(text: bytes) -> str | None:
    """`text` as the kernel writes it, or None if it refuses."""
    data, events, which = column([(text, RAW)])
    out, offsets = np.zeros(len(text) + PADDING, np.uint8), np.zeros(2, np.int32)
    ok, valid = np.ones(1, np.bool_), np.zeros(1, np.bool_)
    used = compact_strings(data, events, which, ok, out, offsets, valid)
    return bytes(out[:used]).decode() if ok[0] else None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**16), 10**16) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False) | st.decimals(-1000, 1000, places=2).map(float),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@COMPILING
@given(st.lists(JSON, min_size=1), st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" , ", "\t:\r")]))
def test_compact_json_is_what_orjson_writes_or_is_refused(value: Any, ascii_only: bool, separators: Any) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=separators).encode()
    if container_end(padded(text), 0) < 0:
        return  # a number that the scan leaves
    assert compacted(text) in (None, orjson.dumps(orjson.loads(text)).decode())


@pytest.mark.parametrize(
    "text",
    [
        b'[{"a":1,"b":[true,null,-2]}, "x\\/y"]',
        b'{"n": [0.5, 1.0, 12.25, -3.75]}',
        '["\\u00e9\\u001B\\n\x7f", "é"]'.encode(),
    ],
)
def test_ordinary_json_is_not_refused(text: bytes) -> None:
    assert compacted(text) == orjson.dumps(orjson.loads(text)).decode()


@pytest.mark.parametrize(
    "text", [b'{"a":1,"\\u0061":2}', b"[1.50]", b"[-0]", b"[0.00001]", b"[1e5]", b"[0.12345678901234567]"]
)
def test_json_that_orjson_would_write_otherwise_is_refused(text: bytes) -> None:
    assert compacted(text) is None


@COMPILING
@given(st.text(st.sampled_from("skSK-_bearBEARicpghourftxi8ylzn. \u017f\u212aé"), min_size=1, max_size=14))
def test_no_id_that_may_hold_a_raw_key_passes(text: str) -> None:
    body = text.encode()
    ok, valid = np.ones(1, np.bool_), np.ones(1, np.bool_)
    check_ids(padded(body), np.array([0, len(body)], np.int32), valid, 512, False, True, *HINTS, ok)
    assert not (ok[0] and _HINT.search(text))


def test_rounding_of_a_decimal_is_exact_for_the_floats_that_clients_send() -> None:
    for hundredths in range(0, 201):
        text = f"{hundredths / 100}"
        assert number(read_float, text) == float(text) and not math.isnan(float(text))
