"""Spans to Arrow columns: unescape JSON strings and read numbers in compiled code."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit

from stillwatch.ingest.spans import FALSE, NON_ASCII, NULL, NUMBER, RAW, TEXT_ESCAPED, TEXT_PLAIN, TRUE
from stillwatch.sketch.hashing import load64, store64

_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_SLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)


@njit(inline="always")
def _hex4(data, i):  # type: ignore[no-untyped-def]
    value = 0
    for k in range(4):
        c = data[i + k]
        if 48 <= c <= 57:
            d = c - 48
        elif 97 <= c <= 102:
            d = c - 87
        elif 65 <= c <= 70:
            d = c - 55
        else:
            return -1
        value = value * 16 + d
    return value


@njit(inline="always")
def _put(out, o, cp):  # type: ignore[no-untyped-def]
    """Write a code point as UTF-8; the index behind it."""
    if cp < 0x80:
        out[o] = cp
        return o + 1
    if cp < 0x800:
        out[o] = 0xC0 | (cp >> 6)
        out[o + 1] = 0x80 | (cp & 0x3F)
        return o + 2
    if cp < 0x10000:
        out[o] = 0xE0 | (cp >> 12)
        out[o + 1] = 0x80 | ((cp >> 6) & 0x3F)
        out[o + 2] = 0x80 | (cp & 0x3F)
        return o + 3
    out[o] = 0xF0 | (cp >> 18)
    out[o + 1] = 0x80 | ((cp >> 12) & 0x3F)
    out[o + 2] = 0x80 | ((cp >> 6) & 0x3F)
    out[o + 3] = 0x80 | (cp & 0x3F)
    return o + 4


@njit(cache=True, nogil=True)
def valid_utf8(data, i, stop):  # type: ignore[no-untyped-def]
    """Is data[i:stop] well-formed UTF-8 (Unicode 15, table 3-7)?"""
    while i < stop:
        c = data[i]
        if c < 0x80:
            i += 1
            continue
        if 0xC2 <= c <= 0xDF:
            more = 1
        elif 0xE0 <= c <= 0xEF:
            more = 2
        elif 0xF0 <= c <= 0xF4:
            more = 3
        else:
            return False
        if i + more > stop - 1:
            return False
        d = data[i + 1]
        if d & 0xC0 != 0x80:
            return False
        if (c == 0xE0 and d < 0xA0) or (c == 0xED and d > 0x9F) or (c == 0xF0 and d < 0x90) or (c == 0xF4 and d > 0x8F):
            return False
        for k in range(2, more + 1):
            if data[i + k] & 0xC0 != 0x80:
                return False
        i += more + 1
    return True


@njit(cache=True, nogil=True)
def copy_string(data, i, stop, kind, out, o):  # type: ignore[no-untyped-def]
    """Write one JSON string body to out[o:]; the index behind it, or -1 if it is not valid text."""
    if kind & NON_ASCII and not valid_utf8(data, i, stop):
        return -1
    if kind & 7 != TEXT_ESCAPED:
        n = stop - i
        for k in range(n):
            out[o + k] = data[i + k]
        return o + n
    while i < stop:
        while i + 8 <= stop:
            w = load64(data, i)
            s = w ^ _SLASHES
            if (s - _ONES) & ~s & _HIGHS:
                break
            store64(out, o, w)
            i += 8
            o += 8
        if i >= stop:
            break
        c = data[i]
        if c != 92:
            out[o] = c
            o += 1
            i += 1
            continue
        e = data[i + 1]
        i += 2
        if e == 110:
            out[o] = 10
        elif e == 34 or e == 92 or e == 47:
            out[o] = e
        elif e == 116:
            out[o] = 9
        elif e == 114:
            out[o] = 13
        elif e == 98:
            out[o] = 8
        elif e == 102:
            out[o] = 12
        elif e == 117:
            if i + 4 > stop:
                return -1
            cp = _hex4(data, i)
            i += 4
            if cp < 0:
                return -1
            if 0xD800 <= cp < 0xDC00:
                if i + 6 > stop or data[i] != 92 or data[i + 1] != 117:
                    return -1
                low = _hex4(data, i + 2)
                if low < 0xDC00 or low > 0xDFFF:
                    return -1
                cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00)
                i += 6
            elif 0xDC00 <= cp < 0xE000:
                return -1
            o = _put(out, o, cp)
            continue
        else:
            return -1
        o += 1
    return o


@njit(cache=True, nogil=True)
def copy_strings(data, start, stop, kind, ok_row, out, offsets, valid):  # type: ignore[no-untyped-def]
    """One string column: row r is data[start[r]:stop[r]]; rows without text are null. Clears ok_row on bad text."""
    o = 0
    offsets[0] = 0
    for row in range(start.shape[0]):
        k = kind[row] & 15
        valid[row] = False
        if start[row] >= 0 and (k == TEXT_PLAIN or k == TEXT_ESCAPED or k == RAW or k == NUMBER):
            end = copy_string(data, start[row], stop[row], kind[row] if k <= TEXT_ESCAPED else TEXT_PLAIN, out, o)
            if end < 0:
                ok_row[row] = False
            else:
                valid[row] = True
                o = end
        elif start[row] >= 0 and k != NULL:
            ok_row[row] = False
        offsets[row + 1] = o
    return o


@njit(cache=True, nogil=True)
def read_int(data, start, stop, kind, ok_row, out, valid):  # type: ignore[no-untyped-def]
    """One integer column; true and false count as 1 and 0; text or a fraction clears ok_row."""
    for row in range(start.shape[0]):
        valid[row] = False
        out[row] = 0
        if start[row] < 0:
            continue
        k = kind[row] & 15
        if k == NULL:
            continue
        if k == TRUE or k == FALSE:
            out[row] = k == TRUE
            valid[row] = True
            continue
        if k != NUMBER or stop[row] - start[row] > 17:
            ok_row[row] = False
            continue
        i = start[row]
        negative = data[i] == 45
        if negative:
            i += 1
        value = np.int64(0)
        while i < stop[row] and 48 <= data[i] <= 57:
            value = value * 10 + (data[i] - 48)
            i += 1
        if i != stop[row]:
            ok_row[row] = False
            continue
        out[row] = -value if negative else value
        valid[row] = True


@njit(cache=True, nogil=True)
def read_decimal(data, start, stop, kind, scale_digits, ok_row, out, valid):  # type: ignore[no-untyped-def]
    """One column of decimal numbers times 10**scale_digits, rounded half up; exponents clear ok_row."""
    for row in range(start.shape[0]):
        valid[row] = False
        out[row] = 0
        if start[row] < 0:
            continue
        k = kind[row] & 15
        if k == NULL:
            continue
        if k != NUMBER:
            ok_row[row] = False
            continue
        i = start[row]
        negative = data[i] == 45
        if negative:
            i += 1
        value = np.int64(0)
        digits = 0
        while i < stop[row] and 48 <= data[i] <= 57:
            value = value * 10 + (data[i] - 48)
            i += 1
            digits += 1
        fraction = 0
        up = np.int64(0)
        if i < stop[row] and data[i] == 46:
            i += 1
            while i < stop[row] and 48 <= data[i] <= 57:
                if fraction < scale_digits:
                    value = value * 10 + (data[i] - 48)
                elif fraction == scale_digits:
                    up = np.int64(data[i] >= 53)
                fraction += 1
                i += 1
        if i != stop[row] or digits > 11:
            ok_row[row] = False
            continue
        while fraction < scale_digits:
            value *= 10
            fraction += 1
        value += up
        out[row] = -value if negative else value
        valid[row] = True


def bitmap(valid: np.ndarray) -> pa.Buffer | None:
    """Arrow validity bitmap of a (rows,) boolean array; None when all are valid."""
    if valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def string_array(out: np.ndarray, used: int, offsets: np.ndarray, valid: np.ndarray) -> pa.Array:
    """Arrow string column over `out[:used]` with (rows + 1,) int32 offsets."""
    rows = len(offsets) - 1
    return pa.Array.from_buffers(
        pa.string(), rows, [bitmap(valid), pa.py_buffer(offsets), pa.py_buffer(out[: used + 8])], int(rows - valid.sum())
    )


def number_array(values: np.ndarray, valid: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Arrow number column from values and validity, both (rows,)."""
    return pa.Array.from_buffers(
        kind, len(values), [bitmap(valid), pa.py_buffer(values)], int(len(values) - valid.sum())
    )

