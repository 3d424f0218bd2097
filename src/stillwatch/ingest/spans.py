"""Where the wanted values of JSON lines lie: one compiled pass that builds no objects.

A `PathTable` names the wanted paths. `scan` walks each line once, skips what nobody asked for, and notes for every
wanted value its line, path and byte span. Values are not decoded here. A line that is not plain JSON, or that has a
shape which the table does not expect, is marked and left to the record-by-record reader, which has the last word on
what is malformed. Damage inside a value that nobody asked for is not looked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numba import njit

from stillwatch.sketch.hashing import hash_span, load64

# Kinds of a wanted value.
TEXT_PLAIN, TEXT_ESCAPED, NUMBER, TRUE, FALSE, NULL, RAW, KEY, OPEN, NON_ASCII = 0, 1, 2, 3, 4, 5, 6, 7, 8, 16
PADDING = 16  # bytes that must be readable behind the block
_MAX_DEPTH = 64
_SEED = np.uint64(0)

_QUOTES = np.uint64(0x2222222222222222)
_SLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_SPACES = np.uint64(0x2020202020202020)


@dataclass(frozen=True, slots=True)
class PathTable:
    """Wanted paths as arrays that compiled code can walk.

    Node n is a place in the document: `leaf[n]` is the number of the wanted value (or -1), `raw[n]` says that an
    object or array there is wanted whole, `keys[n]` is the number under which the keys of an object are noted, and
    `opens[n]` the number under which each element of an array is noted.
    """

    leaf: np.ndarray
    raw: np.ndarray
    keys: np.ndarray
    opens: np.ndarray
    element: np.ndarray
    first_child: np.ndarray
    last_child: np.ndarray
    child_hash: np.ndarray
    child_node: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def compile(cls, paths: Iterable[str]) -> PathTable:
        """Build the table from paths such as `metadata.user_id`, `messages[].role`.

        A trailing `!` wants an object or array whole as well as a scalar; `{}` notes keys and scalar values of an
        object; `[]` at the end notes each element of an array. The number of a path is its place in the list.
        """
        names = tuple(paths)
        tree: list[dict[str, int]] = [{}]
        leaf, raw, keys, opens, element = [-1], [False], [-1], [-1], [-1]

        def add() -> int:
            tree.append({})
            for column, value in ((leaf, -1), (raw, False), (keys, -1), (opens, -1), (element, -1)):
                column.append(value)  # type: ignore[arg-type]
            return len(tree) - 1

        for number, path in enumerate(names):
            whole, want_keys, want_open = path.endswith("!"), path.endswith("{}"), path.endswith("[]")
            node = 0
            for part in path.removesuffix("!").removesuffix("{}").replace("[]", ".[]").split("."):
                if part == "[]":
                    if element[node] < 0:
                        element[node] = add()
                    parent, node = node, element[node]
                else:
                    if part not in tree[node]:
                        tree[node][part] = add()
                    parent, node = node, tree[node][part]
            if want_keys:
                keys[node] = number
            elif want_open:
                opens[parent] = number
            else:
                leaf[node], raw[node] = number, whole
        first, last, hashes, nodes = [], [], [], []
        for children in tree:
            first.append(len(hashes))
            for name, node in children.items():
                data = np.frombuffer(name.encode() + bytes(PADDING), dtype=np.uint8)
                hashes.append(hash_span(data, 0, len(name.encode()), _SEED))
                nodes.append(node)
            last.append(len(hashes))
        return cls(
            np.array(leaf, np.int32),
            np.array(raw, np.bool_),
            np.array(keys, np.int32),
            np.array(opens, np.int32),
            np.array(element, np.int32),
            np.array(first, np.int32),
            np.array(last, np.int32),
            np.array(hashes, np.uint64),
            np.array(nodes, np.int32),
            names,
        )


@njit(inline="always")
def _string_end(data, i):  # type: ignore[no-untyped-def]
    """From the first byte inside a string: (index of the closing quote, flags); flags 4 means a control byte."""
    flags = 0
    while True:
        w = load64(data, i)
        q = w ^ _QUOTES
        s = w ^ _SLASHES
        hit = ((q - _ONES) & ~q) | ((s - _ONES) & ~s) | (w - _SPACES) & ~w
        hit &= _HIGHS
        if hit == np.uint64(0):
            if w & _HIGHS:
                flags |= 2
            i += 8
            continue
        stop = i + 8
        while i < stop:
            c = data[i]
            if c == 34:
                return i, flags
            if c == 92:
                flags |= 1
                i += 2
                if i >= stop:
                    break
                continue
            if c < 32:
                return i, flags | 4
            if c >= 128:
                flags |= 2
            i += 1


@njit(inline="always")
def _skip_space(data, i):  # type: ignore[no-untyped-def]
    while data[i] == 32 or data[i] == 9 or data[i] == 13:
        i += 1
    return i


@njit(inline="always")
def _skip_container(data, i, stop):  # type: ignore[no-untyped-def]
    """From an opening bracket: index behind its closing one, or -1."""
    depth = 0
    while i < stop:
        c = data[i]
        if c == 34:
            i, flags = _string_end(data, i + 1)
            if flags & 4 or i >= stop:
                return -1
        elif c == 123 or c == 91:
            depth += 1
        elif c == 125 or c == 93:
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    return -1


@njit(cache=True, nogil=True)
def scan(  # type: ignore[no-untyped-def]
    data,
    size,
    leaf,
    raw,
    keys,
    opens,
    element,
    first_child,
    last_child,
    child_hash,
    child_node,
    line_start,
    line_stop,
    line_ok,
    event_line,
    event_leaf,
    event_kind,
    event_start,
    event_stop,
):
    """Note the spans of the wanted values of each line of data[:size].

    Shapes  line_* (lines,) and event_* (events,) are output; the lines and events that fit are written.
    Returns (lines, events, bytes used). Stops early, at a line border, when the outputs are nearly full.
    """
    node_stack = np.empty(_MAX_DEPTH, np.int32)
    is_array = np.empty(_MAX_DEPTH, np.bool_)
    lines = 0
    events = 0
    at = 0
    room = event_line.shape[0]
    while at < size and lines < line_start.shape[0]:
        stop = at
        ok = True
        event_mark = events
        i = _skip_space(data, at)
        depth = 0
        if data[i] != 123:
            ok = False
        else:
            node_stack[0] = 0
            is_array[0] = False
            depth = 1
            i += 1
        first = True
        while ok and depth > 0:
            if room - events < 4:
                return lines, event_mark, at
            i = _skip_space(data, i)
            c = data[i]
            node = node_stack[depth - 1]
            array = is_array[depth - 1]
            if c == (93 if array else 125):
                depth -= 1
                first = False
                i += 1
                continue
            if not first:
                if c != 44:
                    ok = False
                    break
                i = _skip_space(data, i + 1)
                c = data[i]
            first = False
            child = -1
            if array:
                child = element[node]
                if opens[node] >= 0:
                    event_line[events] = lines
                    event_leaf[events] = opens[node]
                    event_kind[events] = OPEN
                    event_start[events] = i
                    event_stop[events] = i
                    events += 1
            else:
                if c != 34:
                    ok = False
                    break
                start = i + 1
                i, flags = _string_end(data, start)
                if flags & 5 or i >= size:
                    ok = False
                    break
                if keys[node] >= 0:
                    event_line[events] = lines
                    event_leaf[events] = keys[node]
                    event_kind[events] = KEY | (NON_ASCII if flags & 2 else 0)
                    event_start[events] = start
                    event_stop[events] = i
                    events += 1
                a = first_child[node]
                b = last_child[node]
                if a < b:
                    h = hash_span(data, start, i, _SEED)
                    while a < b:
                        if child_hash[a] == h:
                            child = child_node[a]
                            break
                        a += 1
                i = _skip_space(data, i + 1)
                if data[i] != 58:
                    ok = False
                    break
                i = _skip_space(data, i + 1)
                c = data[i]
            want = leaf[child] if child >= 0 else (-1 if array else keys[node])
            if c == 34:
                start = i + 1
                i, flags = _string_end(data, start)
                if flags & 4 or i >= size:
                    ok = False
                    break
                if want >= 0:
                    event_line[events] = lines
                    event_leaf[events] = want
                    event_kind[events] = (TEXT_ESCAPED if flags & 1 else TEXT_PLAIN) | (NON_ASCII if flags & 2 else 0)
                    event_start[events] = start
                    event_stop[events] = i
                    events += 1
                i += 1
            elif c == 123 or c == 91:
                walk = False
                if child >= 0:
                    if raw[child]:
                        start = i
                        i = _skip_container(data, i, size)
                        if i < 0:
                            ok = False
                            break
                        event_line[events] = lines
                        event_leaf[events] = want
                        event_kind[events] = RAW
                        event_start[events] = start
                        event_stop[events] = i
                        events += 1
                        continue
                    if c == 91:
                        walk = element[child] >= 0
                    else:
                        walk = first_child[child] < last_child[child] or keys[child] >= 0
                    if not walk and (want >= 0 or element[child] >= 0 or first_child[child] < last_child[child]):
                        ok = False  # a scalar was expected, or the other kind of container
                        break
                if walk:
                    if depth >= _MAX_DEPTH:
                        ok = False
                        break
                    node_stack[depth] = child
                    is_array[depth] = c == 91
                    depth += 1
                    first = True
                    i += 1
                else:
                    i = _skip_container(data, i, size)
                    if i < 0:
                        ok = False
                        break
            else:
                start = i
                while data[i] != 44 and data[i] != 125 and data[i] != 93 and data[i] > 32:
                    i += 1
                kind = -1
                if (c >= 48 and c <= 57) or c == 45:
                    kind = NUMBER
                elif c == 116 and i - start == 4:
                    kind = TRUE
                elif c == 102 and i - start == 5:
                    kind = FALSE
                elif c == 110 and i - start == 4:
                    kind = NULL
                if kind < 0 or i == start or i >= size:
                    ok = False
                    break
                if want >= 0:
                    event_line[events] = lines
                    event_leaf[events] = want
                    event_kind[events] = kind
                    event_start[events] = start
                    event_stop[events] = i
                    events += 1
        if ok:
            stop = _skip_space(data, i)
            if stop < size and data[stop] != 10:
                ok = False
        if not ok:
            events = event_mark
            stop = at
            while stop < size and data[stop] != 10:
                stop += 1
        line_start[lines] = at
        line_stop[lines] = min(stop, size)
        line_ok[lines] = ok
        lines += 1
        at = stop + 1
    return lines, events, min(at, size)
