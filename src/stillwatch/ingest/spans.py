"""Where the wanted values of JSON lines lie: one compiled pass that builds no objects.

`path_table` names the wanted paths. `scan` walks each line once, checks what nobody asked for and skips it, and notes
for every wanted value its line, path and byte span. Values are not decoded here. A line that is not plain JSON, that
has a shape which the table does not expect, or that repeats a wanted key, is marked and left to the record reader,
which has the last word on what is malformed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numba import njit

from stillwatch.ingest.json_bytes import (
    BEYOND_ASCII,
    DAMAGED,
    ESCAPED,
    NULL,
    PADDING,
    TEXT_ESCAPED,
    TEXT_PLAIN,
    container_end,
    scalar_end,
    skip_space,
    string_end,
)
from stillwatch.sketch.hashing import hash_span, load64

# Kinds of a wanted value beside those of scalars; a flag of texts.
RAW, KEY, OPEN, ENTER, NON_ASCII = 6, 7, 8, 9, 16
_MAX_DEPTH = 32  # of wanted paths; containers that nobody wants have their own limit
_MAX_CHILDREN = 64  # wanted keys of one object: one bit each
_SEED = np.uint64(0)
_ONE = np.uint64(1)


# Columns of the array of events, (events, 5) int32: wanted values in the order of the text.
LINE, LEAF, VALUE, START, STOP = range(5)
# Columns of the array of lines, (lines, 3) int32: byte span, and whether the line has been understood.
LINE_START, LINE_STOP, LINE_OK = range(3)
# Columns of PathTable.nodes and PathTable.slots.
_LEAF, _RAW, _KEYS, _OPENS, _ENTER, _ELEMENT, _FIRST_SLOT, _MASK = range(8)
_NODE, _BIT, _NAME, _SIZE = range(4)


class PathTable(NamedTuple):
    """Wanted paths as arrays that compiled code can walk. A node is a place in the document.

    nodes     (nodes, 8) int32, -1 for none: number of the wanted value; whether an object or array there is wanted
              whole; number under which the keys of an object are noted, each element of an array, the object or array
              itself; node of the elements of an array; first slot and number of slots less one of the object's keys
    slot_hash (slots,) uint64, a hash table of keys for each node, one behind the other
    slots     (slots, 4) int32: node of the key (-1: free slot), its bit, its place in `names`, its length in bytes
    names     bytes of the keys, each padded to whole words
    """

    nodes: np.ndarray
    slot_hash: np.ndarray
    slots: np.ndarray
    names: np.ndarray


def path_table(paths: Iterable[str]) -> PathTable:
    """Build the table from paths such as `metadata.user_id`, `messages[].role`.

    A trailing `!` wants an object or array whole as well as a scalar; `{}` notes keys and scalar values of an object;
    `[]` at the end notes each element of an array; `/` notes the object or array itself. The number of a path is its
    place in the list.
    """
    tree: list[dict[str, int]] = []
    nodes: list[list[int]] = []

    def add() -> int:
        tree.append({})
        nodes.append([-1, 0, -1, -1, -1, -1, -1, -1])
        return len(tree) - 1

    add()
    for number, path in enumerate(paths):
        node = parent = 0
        for part in path.rstrip("!/").removesuffix("{}").replace("[]", ".[]").split("."):
            parent = node
            if part == "[]":
                if nodes[node][_ELEMENT] < 0:
                    nodes[node][_ELEMENT] = add()
                node = nodes[node][_ELEMENT]
            else:
                if part not in tree[node]:
                    tree[node][part] = add()
                node = tree[node][part]
        if path.endswith("[]"):
            nodes[parent][_OPENS] = number
        else:
            column = {"{}": _KEYS, "/": _ENTER}.get(path[-2:] if path.endswith("{}") else path[-1], _LEAF)
            nodes[node][column] = number
            nodes[node][_RAW] |= int(path.endswith("!"))
    return _with_slots(tree, nodes)


def _with_slots(tree: list[dict[str, int]], nodes: list[list[int]]) -> PathTable:
    """The table, with the hash tables of all nodes, each at most half full."""
    hashes: list[int] = []
    slots: list[list[int]] = []
    names = b""
    for node, children in enumerate(tree):
        assert len(children) <= _MAX_CHILDREN
        if not children:
            continue
        size = 1 << (2 * len(children) - 1).bit_length()
        first = nodes[node][_FIRST_SLOT] = len(slots)
        nodes[node][_MASK] = size - 1
        hashes += [0] * size
        slots += [[-1, 0, 0, 0] for _ in range(size)]
        for bit, (name, child) in enumerate(children.items()):
            key = name.encode()
            h = int(hash_span(np.frombuffer(key + bytes(PADDING), np.uint8), 0, len(key), _SEED))
            at = h & (size - 1)
            while slots[first + at][_NODE] >= 0:
                at = (at + 1) & (size - 1)
            hashes[first + at], slots[first + at] = h, [child, bit, len(names), len(key)]
            names += key + bytes(-len(key) % 8)
    return PathTable(
        np.array(nodes, np.int32),
        np.array(hashes, np.uint64),
        np.array(slots, np.int32),
        np.frombuffer(names + bytes(8), np.uint8).copy(),
    )


@njit(inline="always")
def _note(events, e, line, leaf, value, start, stop):  # type: ignore[no-untyped-def]
    events[e, LINE] = line
    events[e, LEAF] = leaf
    events[e, VALUE] = value
    events[e, START] = start
    events[e, STOP] = stop
    return e + 1


@njit(inline="always")
def _slot(data, start, stop, first, mask, slot_hash, slots, names):  # type: ignore[no-untyped-def]
    """Slot of the key data[start:stop] in the hash table of a node, or -1."""
    h = hash_span(data, start, stop, _SEED)
    step = np.int64(h & np.uint64(mask))
    while slots[first + step, _NODE] >= 0:
        at = first + step
        if slot_hash[at] == h and slots[at, _SIZE] == stop - start:
            # The hash has no secret, so whoever chooses keys could make two of them collide: compare the bytes too.
            name = np.int64(slots[at, _NAME])
            i = start
            while i + 8 <= stop and load64(data, i) == load64(names, name):
                i += 8
                name += 8
            rest = np.uint64(8 * (stop - i))
            if i + 8 > stop and (load64(data, i) ^ load64(names, name)) & ((_ONE << rest) - _ONE) == np.uint64(0):
                return at
        step = (step + 1) & mask
    return -1


@njit(cache=True, nogil=True)
def _scan_line(  # type: ignore[no-untyped-def]
    data, i, line, nodes, slot_hash, slots, names, events, e, node_stack, is_array, seen
):
    """Walk the object at data[i]: (index behind it, or -1 if it is not understood, or -2 if the room is used up; e)."""
    if data[i] != 123:
        return -1, e
    node_stack[0], is_array[0], seen[0] = 0, False, np.uint64(0)
    depth = 1
    first = True
    i += 1
    while depth > 0:
        if events.shape[0] - e < 4:
            return -2, e
        i = skip_space(data, i)
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
                return -1, e
            i = skip_space(data, i + 1)
            c = data[i]
        first = False
        child = -1
        noted = -1  # the number under which keys and values of this object are noted
        if array:
            child = nodes[node, _ELEMENT]
            if nodes[node, _OPENS] >= 0:
                e = _note(events, e, line, nodes[node, _OPENS], OPEN, i, i)
        else:
            if c != 34:
                return -1, e
            start = i + 1
            i, flags = string_end(data, start)
            if flags & (DAMAGED | ESCAPED):
                return -1, e
            noted = nodes[node, _KEYS]
            if noted >= 0:
                e = _note(events, e, line, noted, KEY | (NON_ASCII if flags & BEYOND_ASCII else 0), start, i)
            mask = np.int64(nodes[node, _MASK])
            if mask >= 0:
                at = _slot(data, start, i, np.int64(nodes[node, _FIRST_SLOT]), mask, slot_hash, slots, names)
                if at >= 0:
                    child = slots[at, _NODE]
                    bit = _ONE << np.uint64(slots[at, _BIT])
                    if seen[depth - 1] & bit:
                        return -1, e
                    seen[depth - 1] |= bit
            i = skip_space(data, i + 1)
            if data[i] != 58:
                return -1, e
            i = skip_space(data, i + 1)
            c = data[i]
        want = nodes[child, _LEAF] if child >= 0 else noted
        # Whether values stand below this place; a scalar there is then none of the wanted ones.
        inner = child >= 0 and (nodes[child, _ELEMENT] >= 0 or nodes[child, _MASK] >= 0 or nodes[child, _KEYS] >= 0)
        if c == 34:
            start = i + 1
            i, flags = string_end(data, start)
            if flags & DAMAGED or (inner and want < 0):
                return -1, e
            if want >= 0:
                kind = TEXT_ESCAPED if flags & ESCAPED else TEXT_PLAIN
                e = _note(events, e, line, want, kind | (NON_ASCII if flags & BEYOND_ASCII else 0), start, i)
            i += 1
        elif c == 123 or c == 91:
            if inner and (nodes[child, _ELEMENT] >= 0) == (c == 91):
                if depth == _MAX_DEPTH:
                    return -1, e
                after = skip_space(data, i + 1)
                if nodes[child, _ENTER] >= 0:
                    stop = i if data[after] == c + 2 else i + 1  # a closing bracket is two above its opening one
                    e = _note(events, e, line, nodes[child, _ENTER], ENTER, i, stop)
                node_stack[depth], is_array[depth], seen[depth] = child, c == 91, np.uint64(0)
                depth += 1
                first = True
                i = after
                continue
            whole = child >= 0 and nodes[child, _RAW] > 0
            if (want >= 0 and not whole) or inner:
                return -1, e  # a scalar was expected, or the other kind of container
            start = i
            i = container_end(data, i)
            if i < 0:
                return -1, e
            if whole:
                e = _note(events, e, line, want, RAW, start, i)
        else:
            start = i
            i, kind = scalar_end(data, i)
            if kind < 0 or (inner and want < 0 and kind != NULL):
                return -1, e
            if want >= 0:
                e = _note(events, e, line, want, kind, start, i)
    return i, e


@njit(cache=True, nogil=True)
def scan(data, size, nodes, slot_hash, slots, names, lines, events):  # type: ignore[no-untyped-def]
    """Note the wanted values of each line of data[:size]; data[size] is a newline with `PADDING` - 1 bytes behind it.

    `lines` and `events` are output; only lines whose events all fit are written. The table comes as single arrays:
    a class in a kernel's signature would be named in numba's cache, which then breaks when the class is renamed.
    Returns (lines, events, bytes used): less than `size` is used if the output is too small.
    """
    line = 0
    e = 0
    at = 0
    node_stack = np.empty(_MAX_DEPTH, np.int32)
    is_array = np.empty(_MAX_DEPTH, np.bool_)
    seen = np.empty(_MAX_DEPTH, np.uint64)  # bits of the wanted keys that an open object has had
    while at < size and line < lines.shape[0]:
        mark = e
        i, e = _scan_line(
            data, skip_space(data, at), line, nodes, slot_hash, slots, names, events, e, node_stack, is_array, seen
        )
        if i == -2:
            return line, mark, at
        ok = i >= 0
        stop = at
        if ok:
            stop = skip_space(data, i)
            ok = data[stop] == 10
        if not ok:
            e = mark
            stop = at
            while data[stop] != 10:
                stop += 1
        lines[line, LINE_START], lines[line, LINE_STOP], lines[line, LINE_OK] = at, stop, ok
        line += 1
        at = stop + 1
    return line, e, min(at, size)
