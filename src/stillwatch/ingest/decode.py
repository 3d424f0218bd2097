"""Spans to Arrow columns: unescape JSON strings, read numbers and times, in compiled code.

A column kernel reads `which`, (rows,) the number of the event that holds the row's value or -1, and writes
`valid`. It clears `ok` where it cannot judge a value; what it has written for such a row is of no account.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit

from stillwatch.ingest.json_bytes import (
    HIGHS,
    NUMBER,
    ONES,
    PADDING,
    SLASHES,
    TEXT_ESCAPED,
    hex4,
    trailing_zeros,
)
from stillwatch.ingest.spans import START, STOP, VALUE
from stillwatch.sketch.hashing import load64, store64

_MAX_DIGITS = 17  # of a whole number: fits int64, and stays an integer for every JSON reader
_MAX_SECONDS = 11  # digits of a time in seconds; longer numbers are milliseconds
_MAX_FRACTION = 9  # digits behind the point for which seconds + fraction is the float that a JSON reader makes


@njit(inline="always")
def put_utf8(out, o, code):  # type: ignore[no-untyped-def]
    """Write a code point as UTF-8; the index behind it."""
    if code < 0x80:
        out[o] = code
        return o + 1
    if code < 0x800:
        out[o] = 0xC0 | (code >> 6)
        out[o + 1] = 0x80 | (code & 0x3F)
        return o + 2
    if code < 0x10000:
        out[o] = 0xE0 | (code >> 12)
        out[o + 1] = 0x80 | ((code >> 6) & 0x3F)
        out[o + 2] = 0x80 | (code & 0x3F)
        return o + 3
    out[o] = 0xF0 | (code >> 18)
    out[o + 1] = 0x80 | ((code >> 12) & 0x3F)
    out[o + 2] = 0x80 | ((code >> 6) & 0x3F)
    out[o + 3] = 0x80 | (code & 0x3F)
    return o + 4


@njit(inline="always")
def unescape(data, i):  # type: ignore[no-untyped-def]
    """(code point, index behind it) of the valid escape whose backslash is data[i]."""
    e = data[i + 1]
    if e == 117:
        code = hex4(data, i + 2)
        if 0xD800 <= code < 0xDC00:
            return 0x10000 + ((code - 0xD800) << 10) + (hex4(data, i + 8) - 0xDC00), i + 12
        return code, i + 6
    code = np.int64(e)
    if e == 110:
        code = 10
    elif e == 116:
        code = 9
    elif e == 114:
        code = 13
    elif e == 98:
        code = 8
    elif e == 102:
        code = 12
    return code, i + 2


@njit(cache=True, nogil=True)
def copy_string(data, i, stop, kind, out, o):  # type: ignore[no-untyped-def]
    """Write the body of a valid JSON string to out[o:]; the index behind it. Up to 8 bytes more are overwritten."""
    escaped = kind & 7 == TEXT_ESCAPED
    while i < stop:
        w = load64(data, i)
        store64(out, o, w)
        hit = np.uint64(0)
        if escaped:
            s = w ^ SLASHES
            hit = (s - ONES) & ~s & HIGHS
        step = 8 if hit == np.uint64(0) else trailing_zeros(hit) >> 3
        if i + step >= stop:
            return o + stop - i
        i += step
        o += step
        if step < 8:
            code, i = unescape(data, i)
            o = put_utf8(out, o, code)
    return o


@njit(cache=True, nogil=True)
def span_bytes(events, which):  # type: ignore[no-untyped-def]
    """Bytes that the values of a column take before they are unescaped, which never makes them longer."""
    total = 0
    for row in range(which.shape[0]):
        if which[row] >= 0:
            total += events[which[row], STOP] - events[which[row], START]
    return total


@njit(cache=True, nogil=True)
def copy_strings(data, events, which, out, offsets, valid):  # type: ignore[no-untyped-def]
    """One string column; rows without text, or with an empty one, are null. Returns the bytes used."""
    o = 0
    offsets[0] = 0
    for row in range(which.shape[0]):
        e = which[row]
        valid[row] = False
        if e >= 0 and events[e, VALUE] & 15 <= TEXT_ESCAPED and events[e, STOP] > events[e, START]:
            o = copy_string(data, events[e, START], events[e, STOP], events[e, VALUE], out, o)
            valid[row] = True
        offsets[row + 1] = o
    return o


@njit(cache=True, nogil=True)
def read_int(data, events, which, least, ok, out, valid):  # type: ignore[no-untyped-def]
    """One column of whole numbers, at least `least`; a fraction, an exponent or more than 17 digits clear `ok`."""
    for row in range(which.shape[0]):
        valid[row] = False
        out[row] = 0
        e = which[row]
        if e < 0 or events[e, VALUE] & 15 != NUMBER:
            continue
        i = events[e, START]
        stop = events[e, STOP]
        negative = data[i] == 45
        if negative:
            i += 1
        value = np.int64(0)
        digits = stop - i
        while i < stop and 48 <= data[i] <= 57:
            value = value * 10 + (data[i] - 48)
            i += 1
        value = -value if negative else value
        if i != stop or digits > _MAX_DIGITS or value < least:
            ok[row] = False
            continue
        out[row] = value
        valid[row] = True


@njit(inline="always")
def _decimal(data, i, stop):  # type: ignore[no-untyped-def]
    """(whole part, fraction, digits of the fraction) of a number; the whole part is -1 if there is more to it."""
    whole = np.int64(0)
    fraction = np.int64(0)
    first = i
    while i < stop and 48 <= data[i] <= 57 and i - first <= _MAX_SECONDS:
        whole = whole * 10 + (data[i] - 48)
        i += 1
    if i == first or i - first > _MAX_SECONDS:
        return np.int64(-1), fraction, 0
    digits = 0
    if i < stop and data[i] == 46:
        i += 1
        first = i
        while i < stop and 48 <= data[i] <= 57 and i - first < _MAX_FRACTION:
            fraction = fraction * 10 + (data[i] - 48)
            i += 1
        digits = i - first
    return whole if i == stop else np.int64(-1), fraction, digits


_POWERS = np.array([10.0**k for k in range(_MAX_FRACTION + 1)])


@njit(cache=True, nogil=True)
def read_float(data, events, which, ok, out, valid):  # type: ignore[no-untyped-def]
    """One column of floats, exact: both parts of the one division fit a float. Other than short decimals clear `ok`."""
    for row in range(which.shape[0]):
        valid[row] = False
        out[row] = 0.0
        e = which[row]
        if e < 0 or events[e, VALUE] & 15 != NUMBER:
            continue
        whole, fraction, digits = _decimal(data, events[e, START], events[e, STOP])
        if whole < 0 or whole > 999_999:
            ok[row] = False
            continue
        out[row] = (whole * _POWERS[digits] + fraction) / _POWERS[digits]
        valid[row] = True


@njit(cache=True, nogil=True)
def read_time(data, events, which, earliest_us, latest_us, ok, out, valid):  # type: ignore[no-untyped-def]
    """One column of epoch seconds as microseconds, rounded as the float that a JSON reader makes of them is rounded.

    The sum below is that float: for whole seconds of ten digits and up to nine digits behind the point, no decimal
    lies near enough to the middle between two floats for the rounding of the fraction to matter. Times outside
    earliest_us..latest_us and other ways to write them clear `ok`.
    """
    for row in range(which.shape[0]):
        valid[row] = False
        out[row] = 0
        e = which[row]
        if e < 0:
            continue
        if events[e, VALUE] & 15 != NUMBER:
            ok[row] = False
            continue
        whole, fraction, digits = _decimal(data, events[e, START], events[e, STOP])
        us = np.int64(np.rint((whole + fraction / _POWERS[digits]) * 1e6))
        if whole < 1_000_000_000 or us < earliest_us or us > latest_us:
            ok[row] = False
            continue
        out[row] = us
        valid[row] = True


def bitmap(valid: np.ndarray) -> pa.Buffer | None:
    """Arrow validity bitmap of a (rows,) boolean array; None when all are valid."""
    if valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def room_for(size: int) -> np.ndarray:
    """A byte array for `size` bytes of column data, and the few more that `copy_string` may touch.

    It comes from Arrow's pool, which keeps pages: fresh ones from the system cost more than the copying.
    """
    return np.frombuffer(pa.allocate_buffer(size + PADDING), np.uint8)


def string_array(out: np.ndarray, used: int, offsets: np.ndarray, valid: np.ndarray) -> pa.Array:
    """Arrow string column over `out[:used]` with (rows + 1,) int32 offsets."""
    rows = len(offsets) - 1
    buffers = [bitmap(valid), pa.py_buffer(offsets), pa.py_buffer(out[: used + 8])]
    return pa.Array.from_buffers(pa.string(), rows, buffers, int(rows - np.count_nonzero(valid)))


def number_array(values: np.ndarray, valid: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Arrow number column from values and validity, both (rows,)."""
    buffers = [bitmap(valid), pa.py_buffer(values)]
    return pa.Array.from_buffers(kind, len(values), buffers, int(len(values) - np.count_nonzero(valid)))
