"""What came back: length, shape, refusal; hashes of reasoning blobs."""

from __future__ import annotations

import numpy as np
from numba import njit

from stillwatch.sketch.hashing import finish, hash_span, load64, siphash64
from stillwatch.sketch.rows import ASSISTANT

SHAPES = ("json", "code", "steps", "list", "reasoning_tags", "boxed", "short")
JSON, CODE, STEPS, LIST, TAGS, BOXED, SHORT = (1 << i for i in range(7))
_LOOKED_AT = 2048  # bytes

# Openings of a refusal, lower case. A refusal in other words is missed; the provider's own flag is used where logged.
REFUSALS = (
    "i can't help", "i can’t help", "i cannot help", "i'm sorry, but", "i’m sorry, but", "sorry, but i can",
    "i can't assist", "i can’t assist", "i cannot assist", "i'm not able to", "i’m not able to", "i won't",
    "i am unable to", "i must decline", "抱歉", "对不起", "很抱歉", "對不起", "申し訳", "すみません",
    "죄송합니다", "lo siento", "no puedo ayudar", "je suis désolé", "je ne peux pas", "es tut mir leid",
    "ich kann dir dabei nicht", "desculpe", "não posso ajudar", "извините", "к сожалению, я не могу",
    "आई एम सॉरी", "عذرا",
)  # fmt: skip


def refusal_table() -> tuple[np.ndarray, np.ndarray]:
    """The openings back to back, and their (openings + 1,) offsets."""
    raw = [r.encode() for r in REFUSALS]
    return np.frombuffer(b"".join(raw), np.uint8), np.cumsum([0, *map(len, raw)]).astype(np.int64)


_ONES, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_LINE_ENDS, _BACKTICKS, _OPENING_ANGLES, _BACKSLASHES = (np.uint64(int(_ONES) * c) for c in b"\n`<\\")


@njit(forceinline=True)
def _holds(w, byte):  # type: ignore[no-untyped-def]
    """Not 0 if one of the eight bytes of w is the byte that is repeated in `byte`."""
    x = w ^ byte
    return (x - _ONES) & ~x & _HIGH


@njit(cache=True, nogil=True)
def read_answers(  # type: ignore[no-untyped-def]
    data, offsets, valid, seed, k0, k1, openings, opening_off, chain, answer, given, size, lines, shape, refused
):  # fmt: skip
    """Hash (0 absent), bytes, lines, SHAPES bits and refusal (0, 1) of each answer, all (rows,).

    given is the chain of the messages (rows,) with the answer added: what the history of the next turn hashes to, in
    this account or another.
    """
    for row in range(answer.shape[0]):
        a = np.int64(offsets[row])
        b = np.int64(offsets[row + 1])
        if not valid[row] or b == a:
            continue
        h = hash_span(data, a, b, seed)
        answer[row] = siphash64(h, k0, k1)
        if chain[row] != np.uint64(0):
            given[row] = siphash64(finish(chain[row] * np.uint64(3) ^ h ^ np.uint64(ASSISTANT)), k0, k1)
        size[row] = b - a
        stop = min(b, a + _LOOKED_AT)
        found = 0
        count = 1
        numbered = 0
        bullets = 0
        i = a
        while i < stop and data[i] <= 32:
            i += 1
        begin = i
        if i < stop and (data[i] == 123 or data[i] == 91):
            found |= JSON
        while i < stop:
            while i + 8 <= stop:
                # eight bytes at a time past what is no line end, backtick, `<` or backslash
                w = load64(data, i)
                if (
                    _holds(w, _LINE_ENDS) | _holds(w, _BACKTICKS) | _holds(w, _OPENING_ANGLES) | _holds(w, _BACKSLASHES)
                ) != np.uint64(0):
                    break
                i += 8
            if i >= stop:
                break
            c = data[i]
            if c == 10 and i + 4 < stop:
                count += 1
                d = data[i + 1]
                if (48 <= d <= 57 and (data[i + 2] == 46 or data[i + 2] == 41 or data[i + 3] == 46)) or (
                    (d == 83 or d == 115) and data[i + 2] == 116 and data[i + 3] == 101 and data[i + 4] == 112
                ):
                    numbered += 1
                elif (d == 45 or d == 42) and data[i + 2] == 32:
                    bullets += 1
            elif c == 96 and i + 2 < stop and data[i + 1] == 96 and data[i + 2] == 96:
                found |= CODE
                i += 2
            elif c == 60 and i + 6 < stop:
                # <think>, <thinking>, <reason..., <scratch...
                d = data[i + 1]
                if (d == 116 and data[i + 2] == 104 and data[i + 3] == 105) or (
                    d == 114 and data[i + 2] == 101 and data[i + 3] == 97
                ):
                    found |= TAGS
            elif c == 92 and i + 6 < stop and data[i + 1] == 98 and data[i + 2] == 111 and data[i + 3] == 120:
                found |= BOXED
            i += 1
        if numbered >= 2:
            found |= STEPS
        if bullets >= 2:
            found |= LIST
        if b - a <= 24:
            found |= SHORT
        lines[row] = count
        shape[row] = found
        for r in range(opening_off.shape[0] - 1):
            n = opening_off[r + 1] - opening_off[r]
            if begin + n > b:
                continue
            same = True
            for k in range(n):
                c = data[begin + k]
                if 65 <= c <= 90:
                    c += 32
                if c != openings[opening_off[r] + k]:
                    same = False
                    break
            if same:
                refused[row] = 1
                break


@njit(cache=True, nogil=True)
def shape_of_json(data, offsets, valid, seed, k0, k1, out):  # type: ignore[no-untyped-def]
    """Keyed hash of the strings of a JSON text that are keys or short values, whatever its white space.

    Descriptions (over 64 bytes) and numbers do not count: two versions of one tool keep their shape.
    """
    for row in range(out.shape[0]):
        a = np.int64(offsets[row])
        b = np.int64(offsets[row + 1])
        if not valid[row] or b == a:
            continue
        h = seed
        i = a
        while i < b:
            if data[i] != 34:
                i += 1
                continue
            start = i + 1
            i = start
            while i < b and data[i] != 34:
                if data[i] == 92:
                    i += 1
                i += 1
            if i - start <= 64 and i <= b:
                h = h * np.uint64(3) ^ hash_span(data, start, min(i, b), seed)
            i += 1
        out[row] = siphash64(h, k0, k1)


@njit(cache=True, nogil=True)
def network_of(data, offsets, valid, seed, k0, k1, out):  # type: ignore[no-untyped-def]
    """Keyed hash of the /24 (IPv4) or the first three groups (IPv6) of each address."""
    for row in range(out.shape[0]):
        a = np.int64(offsets[row])
        b = np.int64(offsets[row + 1])
        if not valid[row] or b == a:
            continue
        stop = b
        colons = 0
        for i in range(a, b):
            if data[i] == 46:
                stop = np.int64(i)
            elif data[i] == 58:
                colons += 1
                if colons == 3:
                    stop = np.int64(i)
                    break
        out[row] = siphash64(hash_span(data, a, stop, seed), k0, k1)
