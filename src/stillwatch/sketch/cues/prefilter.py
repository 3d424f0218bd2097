"""Which sentences of a text can match which phrases, from their words alone: one pass, compiled, no false negatives.

The needs of all phrases (`anchors.needs`) become bits: 64 to a *lane*, a lane belongs to one language. A word or pair
of words that is somebody's anchor has a record of the bits it raises; a sentence is a candidate for the phrases whose
steps were met in order. The engine then reads the candidates and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from stillwatch.sketch.cues.anchors import NUMBER, Anchor, Need
from stillwatch.sketch.hashing import byte_at, finish, load64_at, rotl, set_word_at, word_at
from stillwatch.sketch.lexicon import word_hash, word_hash_at

LANE_BITS = 64
MEMO_SLOTS = 1 << 12
PADDING = 32  # readable bytes behind a text
_LONGEST_STEM = 16
_SPREAD = 0x9E3779B1  # multiplies four bytes into twelve bits (Knuth's multiplicative hash)
_ONLY, _FIRST, _LAST = range(3)  # step of a need, by which a record adds to a lane
_ROLES = ((_ONLY,), (_FIRST, _LAST))
_STARTS_PAIR, _ENDS_PAIR = 1, 2
# Places in `Tables.plan`: addresses; behind those of hash tables the mask of their places.
WORDS, STEMS, PAIRS = 0, 2, 4
CLASSES, OPENINGS, LONGER, BLOOM, RECORDS, ENTRIES, LANE_MARK, SCRIPT_OF, NUMBER_HASH, LANES = range(6, 16)
FOUND, COUNT, MARKS, SCRIPTS_OUT, ROOM = range(5)  # places in `Candidates.addresses`
# Languages of other scripts, and first bytes that their letters have in UTF-8
SCRIPTS = (
    ("cjk", bytes(range(0xE3, 0xEE))),  # kana, Han, Hangul
    ("ru", b"\xd0\xd1"),
    ("ar", b"\xd8\xd9\xda\xdb"),
    ("hi", b"\xe0"),
)


class Tables(NamedTuple):
    """What the walk looks up. Record 0 is the empty one, lane 0 is none, lane 1 holds the marks of languages."""

    classes: NDArray[np.uint8]  # (256,) 0 separator, 1 of a word, 2 end of a sentence
    words: NDArray[np.uint64]  # (slots * 2,) hash and record
    stems: NDArray[np.uint64]  # (slots * 2,) hash and record
    pairs: NDArray[np.uint64]  # (slots * 2,) hash and record
    openings: NDArray[np.uint64]  # (1024,) by the first two bytes: 4 or 8 for stems of two or three that begin so
    longer: NDArray[np.uint64]  # (1024,) by the hash of four bytes, in two bytes each: lengths of the stems, a bit each
    bloom: NDArray[np.uint64]  # (1024,) a bit of the hashes of pairs
    records: NDArray[np.uint64]  # (records,) first entry, entries << 32, flags << 56
    entries: NDArray[np.uint64]  # (entries * 4,) twice the lane, and the bits of three roles
    lane_mark: NDArray[np.uint64]  # (lanes,) bits of lane 1 of which the row must hold one; 0: no need
    script_of: NDArray[np.uint8]  # (256,) SCRIPTS bit that a byte above 0x7f stands for
    plan: NDArray[np.uint64]  # addresses of the arrays above, by the numbers below

    @classmethod
    def of(cls, *held: NDArray[Any]) -> Tables:
        """Tables of all the arrays but the last."""
        at = [array.ctypes.data for array in held]
        masks = [len(table) - 1 for table in held[1:4]]
        plan = [at[1], masks[0], at[2], masks[1], at[3], masks[2], at[0], *at[4:], hash_of(NUMBER), len(held[9])]
        return cls._make((*held, np.array(plan, np.uint64)))


def new_memo() -> NDArray[np.uint64]:
    """Words met before, (slots * 2,) hash and record: saves the search for stems. One for each thread."""
    return np.zeros(2 * MEMO_SLOTS, np.uint64)


class Candidates(NamedTuple):
    """Sentences that the engine has to read, in the order of the texts."""

    found: NDArray[np.int64]  # (room * 5,): row, start and stop of the sentence in the buffer, lane, bits
    used: NDArray[np.int64]  # (2,) entries; whether there were more than fitted
    marks: NDArray[np.uint64]  # (rows,) bits of lane 1
    scripts: NDArray[np.uint64]  # (rows,) bits of SCRIPTS

    @classmethod
    def new(cls, rows: int, room: int) -> Candidates:
        return cls(
            np.empty(room * 5, np.int64), np.zeros(2, np.int64), np.zeros(rows, np.uint64), np.zeros(rows, np.uint64)
        )

    def addresses(self, room: int) -> NDArray[np.int64]:
        """Where compiled code writes; the arrays must outlive it."""
        return np.array([*(array.ctypes.data for array in self), room], np.int64)


Record = dict[tuple[int, int], int]  # (lane, role) -> bits


def build(lanes: Mapping[int, Iterable[Need]], lane_mark: list[int]) -> Tables:
    """Make the tables.

    Args:
        lanes:     number of a lane, from 1 -> its needs, at most 64.
        lane_mark: for each lane number from 0, the bits of lane 1 of which a row must hold one.
    """
    words: dict[str, Record] = defaultdict(dict)
    stems: dict[str, Record] = defaultdict(dict)
    pairs: dict[tuple[str, str], Record] = defaultdict(dict)
    for number, lane in lanes.items():
        for bit, need in enumerate(lane):
            for role, step in zip(_ROLES[len(need.steps) - 1], need.steps, strict=True):
                for anchor in step:
                    record = _record_of(anchor, words, stems, pairs)
                    record[number, role] = record.get((number, role), 0) | 1 << bit
    halves = {half for pair in pairs for half in pair}
    for half in halves:
        words[half]  # a word that matters only inside a pair still needs a record
    # a word raises what its stems raise; the longest stem of a word that is nobody's anchor speaks for the shorter
    full_stems = {s: _union(_beginning(s, stems)) for s in stems}
    full_words = {w: _union([r, *_beginning(w, stems)]) for w, r in words.items()}
    raw: list[tuple[Record, int]] = [({}, 0)]
    firsts, seconds = {a for a, _ in pairs}, {b for _, b in pairs}
    word_ids = {}
    by_hash: dict[int, list[str]] = defaultdict(list)
    for word in full_words:
        by_hash[hash_of(word)].append(word)
    for hashed, same in by_hash.items():  # long words may share a hash: then each raises what all raise
        flags = (_STARTS_PAIR if firsts & set(same) else 0) | (_ENDS_PAIR if seconds & set(same) else 0)
        raw.append((_union(full_words[w] for w in same), flags))
        word_ids[hashed] = len(raw) - 1
    stem_ids = {}
    for stem, record in full_stems.items():
        raw.append((record, 0))
        stem_ids[hash_of(stem)] = len(raw) - 1
    pair_ids: dict[int, int] = {}
    for (a, b), record in pairs.items():
        key = int(_pair_hash(np.uint64(hash_of(a)), np.uint64(hash_of(b))))
        if key in pair_ids:
            record = _union([record, raw[pair_ids[key]][0]])
        raw.append((record, 0))
        pair_ids[key] = len(raw) - 1
    return _tables(raw, word_ids, stem_ids, pair_ids, stems, lane_mark)


def _record_of(
    anchor: Anchor,
    words: dict[str, Record],
    stems: dict[str, Record],
    pairs: dict[tuple[str, str], Record],
) -> Record:
    if len(anchor.words) == 2:
        return pairs[anchor.words[0], anchor.words[1]]
    return stems[anchor.words[0][:_LONGEST_STEM]] if anchor.open else words[anchor.words[0]]


def _beginning(word: str, stems: Mapping[str, Record]) -> list[Record]:
    return [stems[word[:n]] for n in range(1, len(word) + 1) if word[:n] in stems]


def _union(records: Iterable[Record]) -> Record:
    out: Record = {}
    for record in records:
        for key, bits in record.items():
            out[key] = out.get(key, 0) | bits
    return out


def _tables(
    raw: list[tuple[Record, int]],
    words: Mapping[int, int],
    stems: Mapping[int, int],
    pairs: Mapping[int, int],
    stem_words: Iterable[str],
    lane_mark: list[int],
) -> Tables:
    classes = np.zeros(256, np.uint8)
    classes[list(b"abcdefghijklmnopqrstuvwxyz0123456789")] = 1
    classes[list(b".?!\x00")] = 2
    entries: list[int] = []
    records = []
    for record, flags in raw:
        lanes = sorted({key[0] for key in record})
        records.append(len(entries) // 4 | len(lanes) << 32 | flags << 56)
        for number in lanes:
            entries += [2 * number, *(record.get((number, role), 0) for role in range(3))]
    openings, longer = np.zeros(1024, np.uint64), np.zeros(4 * 1024 + 4, np.uint16)
    for stem in stem_words:
        if len(stem) < 4:
            openings[(ord(stem[0]) << 5 ^ ord(stem[1])) & 1023] |= np.uint64(1 << len(stem))
        else:
            four = int.from_bytes(stem[:4].encode("latin-1"), "little")
            longer[(four * _SPREAD & 0xFFFFFFFF) >> 20] |= 1 << len(stem) - 4
    bloom = np.zeros(1024, np.uint64)
    for hashed in pairs:
        bloom[hashed >> 54] |= np.uint64(1 << (hashed >> 48 & 63))
    scripts = np.zeros(256, np.uint8)
    for number, (_, letters) in enumerate(SCRIPTS):
        scripts[list(letters)] |= 1 << number
    return Tables.of(
        classes, _open(words), _open(stems), _open(pairs), openings, longer.view(np.uint64), bloom,
        np.array(records, np.uint64), np.array(entries, np.uint64), np.array(lane_mark, np.uint64), scripts,
    )  # fmt: skip


def _open(ids: Mapping[int, int]) -> NDArray[np.uint64]:
    """Open-addressed table, at most half full."""
    slots = 16
    while slots < 2 * len(ids):
        slots *= 2
    table = np.zeros(2 * slots, np.uint64)
    for key, number in ids.items():
        slot = key & (slots - 1)
        while table[2 * slot]:
            slot = (slot + 1) & (slots - 1)
        table[2 * slot], table[2 * slot + 1] = key, number
    return table


@njit(cache=True)
def _hash_of(data, n):  # type: ignore[no-untyped-def]
    return word_hash(data, 0, n)


def hash_of(word: str) -> int:
    """Hash of a word, each of whose characters is a byte, as the walk computes it."""
    raw = word.encode("latin-1")
    return int(_hash_of(np.frombuffer(raw + bytes(PADDING), np.uint8), len(raw)))


@njit(forceinline=True)
def _mixed(a, b):  # type: ignore[no-untyped-def]
    return finish((a * np.uint64(3)) ^ rotl(b, 23))


@njit(cache=True)
def _pair_hash(a, b):  # type: ignore[no-untyped-def]
    return _mixed(a, b)


@njit(forceinline=True)
def _find(table, mask, h):  # type: ignore[no-untyped-def]
    """Record of a hash, 0 if the table at an address does not hold it."""
    i = np.int64(h << np.uint64(1)) & mask
    while True:
        key = word_at(table, i)
        if key == h:
            return word_at(table, i + 1)
        if key == np.uint64(0):
            return key
        i = (i + 2) & mask


@njit(cache=True, nogil=True)
def searched(text, begin, size, h, plan):  # type: ignore[no-untyped-def]
    """Record of a word that is not in the memo."""
    record = _find(np.int64(word_at(plan, WORDS)), np.int64(word_at(plan, WORDS + 1)), h)
    return record if record != np.uint64(0) else stem_record(text, begin, size, plan)


@njit(cache=True, nogil=True)
def stem_record(text, begin, size, plan):  # type: ignore[no-untyped-def]
    """Record of the longest stem that a word begins with."""
    record = np.uint64(0)
    if size >= 2:
        opening = ((np.int64(byte_at(text, begin)) << 5) ^ np.int64(byte_at(text, begin + 1))) & 1023
        lengths = word_at(np.int64(word_at(plan, OPENINGS)), opening)
        n = min(size, np.int64(3))
        if size >= 4:
            four = load64_at(text, begin) & np.uint64(0xFFFFFFFF)
            place = np.int64(((four * np.uint64(_SPREAD)) & np.uint64(0xFFFFFFFF)) >> np.uint64(20))
            beyond = load64_at(np.int64(word_at(plan, LONGER)), 2 * place) & np.uint64(0xFFFF)
            if beyond != np.uint64(0):
                lengths |= beyond << np.uint64(4)
                n = min(size, _LONGEST_STEM)
        while n >= 2 and lengths != np.uint64(0):
            if (lengths >> np.uint64(n)) & np.uint64(1):
                h = word_hash_at(text, begin, begin + n)
                record = _find(np.int64(word_at(plan, STEMS)), np.int64(word_at(plan, STEMS + 1)), h)
                if record != np.uint64(0):
                    break
            n -= 1
    return record


@njit(forceinline=True)
def record_of(text, begin, size, h, plan, memo):  # type: ignore[no-untyped-def]
    """Number of the record of a word, 0 if it is nobody's anchor."""
    slot = np.int64(h << np.uint64(1)) & (2 * MEMO_SLOTS - 1)
    if word_at(memo, slot) == h:
        return word_at(memo, slot + 1)
    number = searched(text, begin, size, h, plan)
    set_word_at(memo, slot, h)
    set_word_at(memo, slot + 1, number)
    return number


@njit(forceinline=True)
def step(number, h, previous, plan, state):  # type: ignore[no-untyped-def]
    """Take a word and its record; returns what the next call gets as `previous`."""
    following = np.uint64(0)
    if number != np.uint64(0):
        records = np.int64(word_at(plan, RECORDS))
        record = word_at(records, np.int64(number))
        number = np.uint64(0)
        if previous != np.uint64(0) and record >> np.uint64(57):
            both = _mixed(previous, h)
            bits = word_at(np.int64(word_at(plan, BLOOM)), np.int64(both >> np.uint64(54)))
            if (bits >> ((both >> np.uint64(48)) & np.uint64(63))) & np.uint64(1):
                number = _find(np.int64(word_at(plan, PAIRS)), np.int64(word_at(plan, PAIRS + 1)), both)
        if (record >> np.uint64(56)) & np.uint64(1):
            following = h
        entries = np.int64(word_at(plan, ENTRIES))
        while True:
            w = np.int64(record & np.uint64(0xFFFFFFFF)) * 4
            end = w + np.int64((record >> np.uint64(32)) & np.uint64(0xFFFFFF)) * 4
            if w < end:
                set_word_at(state, 0, np.uint64(1))
            while w < end:
                lane = np.int64(word_at(entries, w))
                met = word_at(state, lane + 1)
                raised = word_at(entries, w + 1) | (met & word_at(entries, w + 3))
                set_word_at(state, lane, word_at(state, lane) | raised)
                set_word_at(state, lane + 1, met | word_at(entries, w + 2))
                w += 4
            if number == np.uint64(0):
                break
            record = word_at(records, np.int64(number))
            number = np.uint64(0)
    return following


@njit(cache=True, nogil=True)
def end_sentence(row, sentence, stop, plan, state, out):  # type: ignore[no-untyped-def]
    """Write what the sentence text[sentence:stop] is a candidate for, and forget it."""
    set_word_at(state, 0, np.uint64(0))
    found = np.int64(word_at(out, FOUND))
    count = np.int64(word_at(out, COUNT))
    n = np.int64(word_at(count, 0))
    for lane in range(1, np.int64(word_at(plan, LANES))):
        bits = word_at(state, 2 * lane)
        set_word_at(state, 2 * lane, np.uint64(0))
        set_word_at(state, 2 * lane + 1, np.uint64(0))
        if bits != np.uint64(0):
            if lane == 1:
                marks = np.int64(word_at(out, MARKS))
                set_word_at(marks, row, word_at(marks, row) | bits)
            elif n < np.int64(word_at(out, ROOM)):
                set_word_at(found, 5 * n, np.uint64(row))
                set_word_at(found, 5 * n + 1, np.uint64(sentence))
                set_word_at(found, 5 * n + 2, np.uint64(stop))
                set_word_at(found, 5 * n + 3, np.uint64(lane))
                set_word_at(found, 5 * n + 4, bits)
                n += 1
            else:
                set_word_at(count, 1, np.uint64(1))
    set_word_at(count, 0, np.uint64(n))


@njit(cache=True, nogil=True)
def end_row(row, first, plan, out):  # type: ignore[no-untyped-def]
    """Drop the row's entries, from `first` on, of languages of which it has no mark."""
    found = np.int64(word_at(out, FOUND))
    count = np.int64(word_at(out, COUNT))
    held = word_at(np.int64(word_at(out, MARKS)), row)
    n = first
    for k in range(first, np.int64(word_at(count, 0))):
        need = word_at(np.int64(word_at(plan, LANE_MARK)), np.int64(word_at(found, 5 * k + 3)))
        if need == np.uint64(0) or held & need:
            for part in range(5):
                set_word_at(found, 5 * n + part, word_at(found, 5 * k + part))
            n += 1
    set_word_at(count, 0, np.uint64(n))


@njit(cache=True, nogil=True)
def find_in_row(text, i, stop, row, plan, memo, state, out):  # type: ignore[no-untyped-def]
    """Add the candidates of one text, bytes i to `stop` at the address `text`."""
    classes = np.int64(word_at(plan, CLASSES))
    first = np.int64(word_at(np.int64(word_at(out, COUNT)), 0))
    sentence = i
    previous = np.uint64(0)
    scripts = np.uint64(0)
    while i < stop:
        c = byte_at(text, i)
        kind = byte_at(classes, np.int64(c))
        if kind == 0:
            if c >= 128:
                scripts |= np.uint64(byte_at(np.int64(word_at(plan, SCRIPT_OF)), np.int64(c)))
            i += 1
        elif kind == 2:
            if word_at(state, 0) != np.uint64(0):
                end_sentence(row, sentence, i, plan, state, out)
            previous = np.uint64(0)
            i += 1
            sentence = i
        else:
            begin = i
            i += 1
            digits = c <= 57
            while i < stop:
                c = byte_at(text, i)
                if byte_at(classes, np.int64(c)) != 1:
                    break
                digits = digits and c <= 57
                i += 1
            h = word_at(plan, NUMBER_HASH) if digits else word_hash_at(text, begin, i)
            previous = step(record_of(text, begin, i - begin, h, plan, memo), h, previous, plan, state)
    if word_at(state, 0) != np.uint64(0):
        end_sentence(row, sentence, stop, plan, state, out)
    if scripts != np.uint64(0):
        set_word_at(np.int64(word_at(out, SCRIPTS_OUT)), row, scripts)
    end_row(row, first, plan, out)


@njit(cache=True, nogil=True)
def _find_in_rows(text, bounds, plan, memo, state, out):  # type: ignore[no-untyped-def]
    for row in range(bounds.shape[0] - 1):
        find_in_row(text, bounds[row], bounds[row + 1], row, plan, memo, state, out)


def find_candidates(
    text: NDArray[np.uint8], bounds: NDArray[np.int64], tables: Tables, memo: NDArray[np.uint64], room: int = 0
) -> Candidates:
    """Walk the texts text[bounds[r]:bounds[r + 1]]; `text` is readable PADDING bytes past the last."""
    rows = len(bounds) - 1
    room = room or 4 * rows + 64
    state = np.zeros(2 * len(tables.lane_mark), np.uint64)
    while True:
        out = Candidates.new(rows, room)
        where = out.addresses(room)
        _find_in_rows(
            text.ctypes.data, bounds, tables.plan.ctypes.data, memo.ctypes.data, state.ctypes.data, where.ctypes.data
        )
        if not out.used[1]:
            return out
        room *= 4
