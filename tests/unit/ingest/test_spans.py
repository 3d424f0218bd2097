"""What `scan` finds in lines, and which lines it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.ingest.json_bytes import PADDING, container_end, string_end, valid_utf8
from stillwatch.ingest.spans import ENTER, KEY, LEAF, LINE, LINE_OK, OPEN, RAW, START, STOP, VALUE, path_table, scan

PATHS = ("a", "b.c", "list[]", "list[].x", "h{}", "whole!", "box/", "box.y")


COMPILING = settings(deadline=None)  # the first example of all may wait for the compiler


def padded(data: bytes) -> np.ndarray:
    return np.frombuffer(bytearray(data + b"\n" + bytes(PADDING)), np.uint8)


def found(data: bytes, room: int = 1000) -> tuple[list[bool], list[tuple[int, str, int, bytes]], int]:
    """Which lines are understood; (line, path, kind, text) of their values; bytes used."""
    lines, events = np.zeros((100, 3), np.int32), np.zeros((room, 5), np.int32)
    count, number, used = scan(padded(data), len(data), *path_table(PATHS), lines, events)
    values = [(int(e[LINE]), PATHS[e[LEAF]], int(e[VALUE]) & 15, data[e[START] : e[STOP]]) for e in events[:number]]
    return [bool(ok) for ok in lines[:count, LINE_OK]], values, used


def understood(data: bytes) -> bool:
    return found(data)[0] == [True]


def test_wanted_values_are_found_with_their_spans_wherever_they_stand() -> None:
    data = (
        b'{"z":[1,{"a":2}], "b" : {"c":"x\\n"} ,"list":[{"x":1.5},{"x":null}],"h":{"K":"v"},"whole":{"p":[1]},"a":true}'
    )
    ok, values, used = found(data)
    assert ok == [True] and used == len(data)
    assert values == [
        (0, "b.c", 1, b"x\\n"),
        (0, "list[]", OPEN, b""),
        (0, "list[].x", 2, b"1.5"),
        (0, "list[]", OPEN, b""),
        (0, "list[].x", 5, b"null"),
        (0, "h{}", KEY, b"K"),
        (0, "h{}", 0, b"v"),
        (0, "whole!", RAW, b'{"p":[1]}'),
        (0, "a", 3, b"true"),
    ]


def test_a_container_that_is_entered_shows_whether_it_is_empty() -> None:
    assert found(b'{"box": { }}')[1] == [(0, "box/", ENTER, b"")]
    assert found(b'{"box": {"q":1}}')[1] == [(0, "box/", ENTER, b"{")]


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1,"a":2}',  # a wanted key twice
        b'{"a":{"deep":1}}',  # a container where a scalar is wanted
        b'{"b":"text"}',  # a scalar where a container is wanted
        b'{"b":[1]}',  # the other kind of container
        b'{"\\u0061":1}',  # an escaped key
        b"[1]",
        b'{"a":1} x',
    ],
)
def test_lines_of_another_shape_are_left(line: bytes) -> None:
    assert not understood(line)


def test_an_unwanted_key_may_occur_twice_and_null_may_stand_for_a_container() -> None:
    assert understood(b'{"q":1,"q":2,"b":null}')


def test_a_damaged_line_does_not_touch_its_neighbours() -> None:
    ok, values, _ = found(b'{"a":1}\n{"a":"\\\n{"a":2}\n\n{"z":{"y":\n{"a":3}')
    assert ok == [True, False, True, False, False, True]
    assert [(line, text) for line, _, _, text in values] == [(0, b"1"), (2, b"2"), (5, b"3")]


def test_scanning_stops_at_a_line_border_when_the_room_is_used_up() -> None:
    line = b'{"a":1,"whole":2}\n'
    ok, values, used = found(line * 10, room=9)
    assert len(values) == 2 * len(ok) and used == len(line) * len(ok) and 0 < len(ok) < 10


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.text()
    | st.decimals(-1000, 1000, places=3).map(float),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@COMPILING
@given(VALUES, st.booleans())
def test_every_value_that_json_writes_is_skipped_as_valid(value: Any, ascii_only: bool) -> None:
    text = json.dumps([value], ensure_ascii=ascii_only).encode()
    assert container_end(padded(text + b" tail"), 0) == len(text)


@COMPILING
@given(VALUES, st.data())
def test_nothing_is_skipped_as_valid_that_orjson_refuses(value: Any, data: st.DataObject) -> None:
    text = json.dumps([value], ensure_ascii=False).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    damage = data.draw(
        st.sampled_from([b"", b",", b'"', b"\\", b"]", b"}", b":", b"\x00", b"\xff", b"\xed\xa0\x80", b"e", b"0"])
    )
    text = text[:at] + damage + text[at + 1 :]
    if container_end(padded(text), 0) == len(text):
        orjson.loads(text)


@COMPILING
@given(st.binary(max_size=40))
def test_utf8_is_valid_exactly_where_python_can_decode_it(data: bytes) -> None:
    try:
        data.decode()
        valid = True
    except UnicodeDecodeError:
        valid = False
    assert valid_utf8(padded(data), 0, len(data)) == valid


@COMPILING
@given(st.text(max_size=60))
def test_the_end_of_a_string_is_its_first_quote_that_is_not_escaped(text: str) -> None:
    body = json.dumps(text, ensure_ascii=False).encode()[1:]
    end, flags = string_end(padded(body), 0)
    assert (end, flags & 4) == (len(body) - 1, 0)
    assert bool(flags & 1) == (b"\\" in body) and bool(flags & 2) == (not body.isascii())
