"""Kernels of the compiled LiteLLM path for what callers write: request headers, ids and the secrets in them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from stillwatch.ingest.decode import copy_string
from stillwatch.ingest.json_bytes import TEXT_ESCAPED
from stillwatch.ingest.litellm_paths import SEED, SLOT_HASH, SLOT_NAMES, SLOT_OF
from stillwatch.ingest.spans import NON_ASCII, START, STOP, VALUE
from stillwatch.sketch.hashing import hash_span

_MAX_HEADERS: Final = 128
_MAX_VALUE: Final = 512  # as formats.headers cuts it
_PREFIXES: Final = tuple(
    np.frombuffer(prefix, np.uint8)
    for prefix in (b"x-stainless-", b"anthropic-", b"openai-", b"x-app-", b"x-client-", b"x-openai-")
)
_EXACT: Final = tuple(np.frombuffer(name, np.uint8) for name in (b"x-app", b"x-goog-api-client", b"x-amz-user-agent"))


class Patterns(NamedTuple):
    """Words to look for at once: bit b of `steps[c]` says that byte c may be the b-th byte of all words in a row."""

    steps: np.ndarray
    begins: np.uint64
    ends: np.uint64


def patterns(words: tuple[tuple[str, ...], ...]) -> Patterns:
    """Words as sequences of alternatives, ignoring ASCII case, 64 positions in all.

    Source: Baeza-Yates and Gonnet 1992, "A new approach to text searching" (shift-and).
    """
    steps = np.zeros(256, np.uint64)
    begins = ends = bit = 0
    for word in words:
        begins |= 1 << bit
        for step in word:
            for letter in {*step.lower(), *step.upper()}:
                steps[ord(letter)] |= np.uint64(1 << bit)
            bit += 1
        ends |= 1 << (bit - 1)
    assert bit <= 64
    return Patterns(steps, np.uint64(begins), np.uint64(ends))


def _plain(*words: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(word) for word in words)


# At least what secrets._HINT finds, and what formats.headers._CREDENTIAL finds in the name of a client's header.
HINTS: Final = patterns(
    (("s", "k", "-_"), ("pr", "k", "_"), ("g", "h", "pousr", "_"),
     *_plain("bearer", "basic", "akia", "asia", "aiza", "hf_", "github_pat", "xox", "xai-", "pplx-", "r8_", "eyj"))
)  # fmt: skip
CREDENTIALS: Final = patterns(_plain("auth", "cookie", "secret", "password", "credential", "key", "token"))
_ONE = np.uint64(1)


@njit(inline="always")
def _holds(data, start, stop, steps, begins, ends):  # type: ignore[no-untyped-def]
    """Whether one of the patterns occurs, or a letter that Python's regular expressions fold to `s` or `k`."""
    state = np.uint64(0)
    last = 0
    for i in range(start, stop):
        c = data[i]
        state = ((state << _ONE) | begins) & steps[c]
        if state & ends:
            return True
        if c >= 128:
            if (last == 0xC5 and c == 0xBF) or (last == 0x84 and c == 0xAA):  # long s; Kelvin sign
                return True
            last = c
    return False


@njit(cache=True, nogil=True)
def check_ids(data, offsets, valid, limit, edges, secrets, steps, begins, ends, ok):  # type: ignore[no-untyped-def]
    """Clear `ok` where a value is over `limit` bytes, may hold a raw key, or may have white space at its edges."""
    for row in range(ok.shape[0]):
        if not valid[row]:
            continue
        start = offsets[row]
        stop = offsets[row + 1]
        if (
            stop - start > limit
            or (edges and (data[start] <= 32 or data[start] >= 128 or data[stop - 1] <= 32 or data[stop - 1] >= 128))
            or (secrets and _holds(data, start, stop, steps, begins, ends))
        ):
            ok[row] = False


@njit(inline="always")
def _begins_with(data, start, stop, prefix):  # type: ignore[no-untyped-def]
    if stop - start < prefix.shape[0]:
        return False
    for i in range(prefix.shape[0]):  # noqa: SIM110, a generator does not compile
        if data[start + i] != prefix[i]:
            return False
    return True


@njit(cache=True, nogil=True)
def _names_client(data, start, stop):  # type: ignore[no-untyped-def]
    if data[start] != 120 and data[start] != 97 and data[start] != 111:  # x, a, o
        return False
    for prefix in _PREFIXES:
        if _begins_with(data, start, stop, prefix):
            return True
    for name in _EXACT:  # noqa: SIM110, a generator does not compile
        if stop - start == name.shape[0] and _begins_with(data, start, stop, name):
            return True
    return False


@njit(cache=True, nogil=True)
def _slot(data, start, stop, h):  # type: ignore[no-untyped-def]
    """Slot of a lower-case header name with hash h, or -1."""
    slot = SLOT_OF[np.int64(h & np.uint64(SLOT_OF.shape[0] - 1))]
    if slot < 0 or SLOT_HASH[slot] != h or stop - start >= SLOT_NAMES.shape[1] or SLOT_NAMES[slot, stop - start]:
        return -1
    for i in range(stop - start):
        if data[start + i] != SLOT_NAMES[slot, i]:
            return -1
    return slot


@njit(cache=True, nogil=True)
def headers_of(  # type: ignore[no-untyped-def]
    data, events, header, ok, limit, names, name_offsets, client, client_offsets, slots, steps, begins, ends
):
    """Header names joined by commas in order of arrival, and "name=value" lines of the headers that name a client.

    Clears `ok` where a name occurs twice, holds a comma or more than ASCII, or where a value would have to be cut.
    Shapes  output: bytes and (lines + 1,) offsets of both columns, slots (slots, lines) events of values
    Returns the bytes used of both.
    """
    n = 0
    c = 0
    hashes = np.empty(_MAX_HEADERS, np.uint64)
    name_offsets[0] = 0
    client_offsets[0] = 0
    for line in range(ok.shape[0]):
        known = 0
        e = header[0, line]
        last = header[1, line] if e >= 0 and ok[line] else e
        while e < last:
            start, stop = events[e, START], events[e, STOP]
            value = e + 1
            e += 2
            if (
                stop == start
                or stop - start > _MAX_VALUE
                or events[value - 1, VALUE] & NON_ASCII
                or known == _MAX_HEADERS
            ):
                ok[line] = False
                break
            if known:
                names[n] = 44
                n += 1
            begin = n
            for i in range(start, stop):
                b = data[i]
                if b == 44:
                    ok[line] = False
                names[n] = b + 32 if 65 <= b <= 90 else b
                n += 1
            h = hash_span(names, begin, n, SEED)
            for k in range(known):
                if hashes[k] == h:
                    ok[line] = False
            hashes[known] = h
            known += 1
            if events[value, VALUE] & 15 > TEXT_ESCAPED:
                continue
            slot = _slot(names, begin, n, h)
            if slot >= 0:
                slots[slot, line] = value
            if _names_client(names, begin, n):
                if _holds(names, begin, n, steps, begins, ends):
                    ok[line] = False
                if c > client_offsets[line]:
                    client[c] = 10
                    c += 1
                for i in range(begin, n):
                    client[c] = names[i]
                    c += 1
                client[c] = 61
                c += 1
                first = c
                c = copy_string(data, events[value, START], events[value, STOP], events[value, VALUE], client, c)
                if c - first > _MAX_VALUE:
                    ok[line] = False
                if events[value, VALUE] & 15 == TEXT_ESCAPED:
                    for i in range(first, c):
                        if client[i] == 10 or client[i] == 13:
                            ok[line] = False
        if n - name_offsets[line] > limit:
            ok[line] = False
        name_offsets[line + 1] = n
        client_offsets[line + 1] = c
    return n, c


@njit(cache=True, nogil=True)
def network_numbers(data, events, which, ok, out, valid):  # type: ignore[no-untyped-def]
    """Numbers of autonomous systems, written with or without `AS`; anything else clears `ok`."""
    for row in range(ok.shape[0]):
        valid[row] = False
        out[row] = 0
        e = which[row]
        if e < 0:
            continue
        i, stop = events[e, START], events[e, STOP]
        if stop - i > 2 and (data[i] == 65 or data[i] == 97) and (data[i + 1] == 83 or data[i + 1] == 115):
            i += 2
        if stop - i > 10:
            ok[row] = False
        value = np.int64(0)
        while i < stop and 48 <= data[i] <= 57:
            value = value * 10 + (data[i] - 48)
            i += 1
        if i < stop:
            ok[row] = False
        out[row] = value
        valid[row] = True
