"""JSON in bytes, in compiled code: where strings, numbers and containers end, and whether they are valid.

Every function reads up to `PADDING` bytes past the text; the caller provides them, the first being a newline, at
which every loop stops. What is accepted here is accepted by orjson. The reverse does not hold: long numbers, large
exponents, deep nesting and lone surrogates count as invalid here, and their lines go to the record reader.
Source: RFC 8259; Unicode 15, table 3-7 (well-formed UTF-8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from stillwatch.sketch.hashing import load64

WIDTH = 32  # bytes that are looked at in one step
PADDING = 64  # bytes that must be readable behind the text
ESCAPED, BEYOND_ASCII, DAMAGED = 1, 2, 4  # what `string_end` says about a string

# Kinds of a scalar; spans.py adds those of containers.
TEXT_PLAIN, TEXT_ESCAPED, NUMBER, TRUE, FALSE, NULL = 0, 1, 2, 3, 4, 5

_MAX_NUMBER = 48  # characters; with at most two digits of exponent no number gets near the largest float
_MAX_NESTING = 62

QUOTES = np.uint64(0x2222222222222222)
SLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
ONES = np.uint64(0x0101010101010101)
HIGHS = np.uint64(0x8080808080808080)
_ONE = np.uint64(1)
_TRUE_WORD = np.uint64(int.from_bytes(b"true", "little"))
_NULL_WORD = np.uint64(int.from_bytes(b"null", "little"))
_FALSE_WORD = np.uint64(int.from_bytes(b"false", "little"))
_FOUR_BYTES = np.uint64(0xFFFFFFFF)
_FIVE_BYTES = np.uint64(0xFFFFFFFFFF)


@intrinsic  # type: ignore[misc]
def trailing_zeros(typingctx: Any, word: Any) -> Any:
    """Number of zero bits below the lowest one of a uint64 that is not 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), codegen


@njit(cache=True, nogil=True)
def count_bytes(data):  # type: ignore[no-untyped-def]
    """(line ends, NUL bytes) of a text: one pass at the speed of memory."""
    ends = 0
    nuls = 0
    for i in range(data.shape[0]):
        ends += data[i] == 10
        nuls += data[i] == 0
    return ends, nuls


@njit(inline="always")
def skip_space(data, i):  # type: ignore[no-untyped-def]
    """Index of the next byte that is neither space, tab nor carriage return."""
    while data[i] == 32 or data[i] == 9 or data[i] == 13:
        i += 1
    return i


@njit(inline="always")
def hex4(data, i):  # type: ignore[no-untyped-def]
    """Value of the four hex digits at data[i], or -1."""
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


@njit(cache=True, nogil=True)
def escape_end(data, i):  # type: ignore[no-untyped-def]
    """Index behind the escape whose backslash is data[i] (both halves of a surrogate pair), or -1."""
    e = data[i + 1]
    if e == 110 or e == 34 or e == 92 or e == 47 or e == 116 or e == 114 or e == 98 or e == 102:
        return i + 2
    if e != 117:
        return -1
    code = hex4(data, i + 2)
    if code < 0 or 0xDC00 <= code < 0xE000:
        return -1
    if 0xD800 <= code < 0xDC00:
        if data[i + 6] != 92 or data[i + 7] != 117:
            return -1
        low = hex4(data, i + 8)
        return i + 12 if 0xDC00 <= low < 0xE000 else -1
    return i + 6


@njit(cache=True, nogil=True)
def valid_utf8(data, i, stop):  # type: ignore[no-untyped-def]
    """Is data[i:stop] well-formed UTF-8?"""
    while i < stop:
        while i + 8 <= stop and load64(data, i) & HIGHS == np.uint64(0):
            i += 8
        if i >= stop:
            break
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


def _vector(context: Any, builder: Any, signature: Any, args: Any) -> tuple[Any, Callable[[int], Any]]:
    """The WIDTH bytes at args[0][args[1]], and a function that repeats a byte as often."""
    data = context.make_array(signature.args[0])(context, builder, args[0]).data
    kind = ir.VectorType(ir.IntType(8), WIDTH)
    held = builder.load(builder.bitcast(builder.gep(data, [args[1]]), kind.as_pointer()))
    held.align = 1
    return held, lambda byte: ir.Constant(kind, [byte] * WIDTH)


@intrinsic  # type: ignore[misc]
def stops(typingctx: Any, array: Any, index: Any) -> Any:
    """A bit for each of WIDTH bytes from an index on: is it a quote, a backslash or a control byte?"""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        held, of = _vector(context, builder, signature, args)
        quotes, slashes = builder.icmp_unsigned("==", held, of(34)), builder.icmp_unsigned("==", held, of(92))
        found = builder.or_(builder.or_(quotes, slashes), builder.icmp_unsigned("<", held, of(32)))
        return builder.zext(builder.bitcast(found, ir.IntType(WIDTH)), ir.IntType(64))

    return types.uint64(array, types.int64), codegen


@intrinsic  # type: ignore[misc]
def beyond_ascii(typingctx: Any, array: Any, index: Any) -> Any:
    """A bit for each of WIDTH bytes from an index on: is it above 127?"""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        held, of = _vector(context, builder, signature, args)
        found = builder.icmp_signed("<", held, of(0))
        return builder.zext(builder.bitcast(found, ir.IntType(WIDTH)), ir.IntType(64))

    return types.uint64(array, types.int64), codegen


@njit(forceinline=True)
def string_end(data, start):  # type: ignore[no-untyped-def]
    """From the first byte inside a string: (index of its closing quote, flags). DAMAGED: it is no valid string."""
    i = start
    flags = 0
    seen = np.uint64(0)
    while True:
        hit = stops(data, i)
        if hit == np.uint64(0):
            seen |= beyond_ascii(data, i)
            i += WIDTH
            continue
        at = trailing_zeros(hit)
        seen |= beyond_ascii(data, i) & ((_ONE << np.uint64(at)) - _ONE)
        i += at
        c = data[i]
        if c == 34:
            break
        if c != 92:
            return i, DAMAGED
        flags |= ESCAPED
        i = escape_end(data, i)
        if i < 0:
            return start, DAMAGED
    if seen:
        flags |= BEYOND_ASCII
        if not valid_utf8(data, start, i):
            flags |= DAMAGED
    return i, flags


@njit(cache=True, nogil=True)
def scalar_end(data, start):  # type: ignore[no-untyped-def]
    """(index behind the number or literal at data[start], its kind), the kind being -1 if it is neither."""
    i = start
    c = data[i]
    if c == 116 or c == 110 or c == 102:
        w = load64(data, i)
        if w & _FOUR_BYTES == _TRUE_WORD:
            return i + 4, TRUE
        if w & _FOUR_BYTES == _NULL_WORD:
            return i + 4, NULL
        if w & _FIVE_BYTES == _FALSE_WORD:
            return i + 5, FALSE
        return i, -1
    if c == 45:
        i += 1
    if data[i] == 48:
        i += 1
    else:
        first = i
        while 48 <= data[i] <= 57:
            i += 1
        if i == first:
            return i, -1
    if data[i] == 46:
        i += 1
        first = i
        while 48 <= data[i] <= 57:
            i += 1
        if i == first:
            return i, -1
    if data[i] == 101 or data[i] == 69:
        i += 1
        if data[i] == 43 or data[i] == 45:
            i += 1
        first = i
        while 48 <= data[i] <= 57:
            i += 1
        if i == first or i - first > 2:
            return i, -1
    return i, NUMBER if i - start <= _MAX_NUMBER else -1


@njit(cache=True, nogil=True)
def key_end(data, i):  # type: ignore[no-untyped-def]
    """From a key's opening quote: index of the value behind it, or -1."""
    if data[i] != 34:
        return -1
    i, flags = string_end(data, i + 1)
    if flags & DAMAGED:
        return -1
    i = skip_space(data, i + 1)
    if data[i] != 58:
        return -1
    return skip_space(data, i + 1)


@njit(cache=True, nogil=True)
def container_end(data, i):  # type: ignore[no-untyped-def]
    """From an opening bracket: index behind its closing one, or -1 where what is between them is not valid JSON."""
    arrays = np.uint64(0)  # bit 0: whether the innermost open container is an array
    depth = 0
    while True:
        c = data[i]
        if c == 123 or c == 91:
            if depth == _MAX_NESTING:
                return -1
            array = c == 91
            arrays = (arrays << _ONE) | np.uint64(array)
            depth += 1
            i = skip_space(data, i + 1)
            if data[i] != (93 if array else 125):
                if not array:
                    i = key_end(data, i)
                    if i < 0:
                        return -1
                continue
        elif c == 34:
            i, flags = string_end(data, i + 1)
            if flags & DAMAGED:
                return -1
            i = skip_space(data, i + 1)
        else:
            i, kind = scalar_end(data, i)
            if kind < 0:
                return -1
            i = skip_space(data, i)
        while data[i] == (93 if arrays & _ONE else 125):
            arrays >>= _ONE
            depth -= 1
            if depth == 0:
                return i + 1
            i = skip_space(data, i + 1)
        if data[i] != 44:
            return -1
        i = skip_space(data, i + 1)
        if not arrays & _ONE:
            i = key_end(data, i)
            if i < 0:
                return -1
