"""JSON text as `orjson.dumps(orjson.loads(text))` writes it, in compiled code.

White space goes, escapes become plain characters where JSON allows, numbers and literals stay. What would need more
than that (numbers in other than their shortest form, a key twice in one object, deep nesting) is refused.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stillwatch.ingest.decode import copy_string, put_utf8, unescape
from stillwatch.ingest.json_bytes import NULL, skip_space
from stillwatch.ingest.spans import RAW, START, STOP, VALUE
from stillwatch.sketch.hashing import hash_span

_MAX_DEPTH = 32
_MAX_KEYS = 2048  # held at once: of all objects that are open
_MAX_WHOLE = 17  # digits of a whole number that stays one
_MAX_SIGNIFICANT = 15  # digits of a decimal that is the shortest form of its float
_SEED = np.uint64(0)
_SHORT = np.zeros(32, np.uint8)  # letter of the short escape of a control character
for _code, _letter in ((8, "b"), (9, "t"), (10, "n"), (12, "f"), (13, "r")):
    _SHORT[_code] = ord(_letter)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


@njit(inline="always")
def _put_escaped(out, o, code):  # type: ignore[no-untyped-def]
    """Write a code point as the body of a JSON string."""
    if code == 34 or code == 92:
        out[o] = 92
        out[o + 1] = code
        return o + 2
    if code >= 32:
        return put_utf8(out, o, code)
    out[o] = 92
    if _SHORT[code]:
        out[o + 1] = _SHORT[code]
        return o + 2
    out[o + 1] = 117
    out[o + 2] = 48
    out[o + 3] = 48
    out[o + 4] = _HEX[code >> 4]
    out[o + 5] = _HEX[code & 15]
    return o + 6


@njit(cache=True, nogil=True)
def _string(data, i, out, o):  # type: ignore[no-untyped-def]
    """Copy the string whose opening quote is data[i]: (index behind it, index behind its copy)."""
    out[o] = 34
    o += 1
    i += 1
    while data[i] != 34:
        if data[i] == 92:
            code, i = unescape(data, i)
            o = _put_escaped(out, o, code)
        else:
            out[o] = data[i]
            o += 1
            i += 1
    out[o] = 34
    return i + 1, o + 1


@njit(cache=True, nogil=True)
def _scalar(data, i, out, o):  # type: ignore[no-untyped-def]
    """Copy a number or literal: (index behind it, index behind its copy, or -1 if it may be written otherwise)."""
    first = i
    number = data[i] == 45 or 48 <= data[i] <= 57
    point = -1
    while data[i] > 32 and data[i] != 44 and data[i] != 93 and data[i] != 125:
        c = data[i]
        if number:
            if c == 46:
                point = i
            elif c == 101 or c == 69:
                return i, -1
        out[o] = c
        o += 1
        i += 1
    if number:
        begin = first + 1 if data[first] == 45 else first
        if point < 0:
            if i - begin > _MAX_WHOLE or (begin > first and data[begin] == 48):
                return i, -1
        else:
            small = data[begin] == 48 and point == begin + 1
            if i - begin > _MAX_SIGNIFICANT + 1:
                return i, -1
            if data[i - 1] == 48 and (i - 1 != point + 1 or small):  # 1.0 stays; 1.50 and 0.0 are left
                return i, -1
            if small and (data[point + 1] == 48 and i - point > 2 and data[point + 2] == 48):
                return i, -1  # below 0.01: floats turn to exponents somewhere down there
    return i, o


@njit(cache=True, nogil=True)
def compact(data, i, out, o):  # type: ignore[no-untyped-def]
    """Write the valid array or object at data[i] to out[o:]; the index behind it, or -1 if it is refused."""
    closing = np.empty(_MAX_DEPTH, np.uint8)
    first_key = np.empty(_MAX_DEPTH, np.int64)
    keys = np.empty(_MAX_KEYS, np.uint64)
    known = 0
    depth = 0
    key_next = False
    while True:
        i = skip_space(data, i)
        c = data[i]
        if c == 123 or c == 91:
            if depth == _MAX_DEPTH:
                return -1
            closing[depth] = c + 2
            first_key[depth] = known
            depth += 1
            key_next = c == 123
            out[o] = c
            o += 1
            i += 1
        elif c == 125 or c == 93:
            depth -= 1
            known = first_key[depth]
            key_next = False
            out[o] = c
            o += 1
            i += 1
            if depth == 0:
                return o
        elif c == 44:
            key_next = closing[depth - 1] == 125
            out[o] = c
            o += 1
            i += 1
        elif c == 34:
            begin = o
            i, o = _string(data, i, out, o)
            if key_next:
                # Equal keys have equal hashes; two others that collide only send the line to the record reader.
                h = hash_span(out, begin, o, _SEED)
                for k in range(first_key[depth - 1], known):
                    if keys[k] == h:
                        return -1
                if known == _MAX_KEYS:
                    return -1
                keys[known] = h
                known += 1
                key_next = False
                i = skip_space(data, i)
                out[o] = 58
                o += 1
                i += 1
        else:
            i, o = _scalar(data, i, out, o)
            if o < 0:
                return -1


@njit(cache=True, nogil=True)
def compact_strings(data, events, which, ok, out, offsets, valid):  # type: ignore[no-untyped-def]
    """One column of texts and of compacted JSON, empty ones being null; clears `ok` of rows that are refused."""
    o = 0
    offsets[0] = 0
    for row in range(which.shape[0]):
        e = which[row]
        valid[row] = False
        if e >= 0 and events[e, VALUE] & 15 != NULL:
            end = o
            if events[e, VALUE] & 15 != RAW:
                end = copy_string(data, events[e, START], events[e, STOP], events[e, VALUE], out, o)
            elif ok[row]:
                end = compact(data, events[e, START], out, o)
                if end < 0:
                    ok[row] = False
                    end = o
                elif end == o + 2:  # [] or {}
                    end = o
            valid[row] = end > o
            o = end
        offsets[row + 1] = o
    return o
