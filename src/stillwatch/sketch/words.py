"""One walk over the words of a normalised text: template, near-duplicate signature, language, topic.

Numbers count as one and the same word, so that two fillings of a template agree. A Chinese, Japanese or Korean
character is a word of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from stillwatch.sketch.cues import prefilter
from stillwatch.sketch.hashing import byte_at, finish, load64_at, rotl, set_word_at, trailing_zeros, word_at
from stillwatch.sketch.lexicon import Lexicon, look_up_at, word_hash_at

BINS = 32  # one-permutation MinHash bins (Li, Owen, Zhang 2012, "One Permutation Hashing")
LANES = 8  # 64-bit words that hold the bins, four 16-bit minima each
HEAD, HEAD_LONG, TAIL = 5, 12, 6  # words in a template's short head, long head and tail
_NUMBER = np.uint64(0x6E756D6265720001)

# What `walk` writes to its `numbers` array.
WORDS, DIGITS, LONGEST, LEET_WORDS, LANGUAGE, TOPIC, ROT13_VOTES, STOP_VOTES, SECOND_TOPIC = range(9)
NUMBERS = 9


# Scratch of one thread, in 64-bit words, and where its parts are.
_VOTES, _TOPICS, BIN, HEADS, NUMBER, _TAIL, _CODE, STATE = 0, 32, 64, 96, 100, 112, 128, 256
_CODES = STATE - _CODE - 1  # that wait to be counted
SENTENCE, PREVIOUS, SCRIPTS_SEEN = 120, 121, 122  # where the prefilter stands in the row


def scratch(lanes: int) -> np.ndarray:
    """Memory that `walk` works in: results at BIN (BINS), HEADS (4) and NUMBER (NUMBERS); its state from STATE."""
    return np.zeros(STATE + 2 * lanes, np.uint64)


def new_memo() -> np.ndarray:
    """Words met before, (2 * MEMO_SLOTS,): hash, then lexicon code and prefilter record << 32. One for each thread."""
    return np.zeros(2 * prefilter.MEMO_SLOTS, np.uint64)


class Dictionary(NamedTuple):
    """Words of the lexicon and of the prefilter in one open-addressed table."""

    table: np.ndarray  # (2 * slots,) uint64: hash, then lexicon code and prefilter record << 32
    bloom: np.ndarray  # (1024,) uint64: a bit of each hash; most words of a text are in neither

    @classmethod
    def of(cls, lexicon: Lexicon, tables: prefilter.Tables) -> Dictionary:
        """Unite the two."""
        entries = {int(k): int(v) for k, v in zip(lexicon.keys, lexicon.values, strict=True) if k}
        for k, v in zip(tables.words[0::2].tolist(), tables.words[1::2].tolist(), strict=True):
            if k:
                entries[k] = entries.get(k, 0) | v << 32
        slots = 16
        while slots < 2 * len(entries):
            slots *= 2
        table, bloom = np.zeros(2 * slots, np.uint64), np.zeros(1024, np.uint64)
        for key, value in entries.items():
            slot = key & (slots - 1)
            while table[2 * slot]:
                slot = (slot + 1) & (slots - 1)
            table[2 * slot], table[2 * slot + 1] = key, value
            bloom[key >> 54] |= np.uint64(1 << (key >> 48 & 63))
        return cls(table, bloom)


@njit(forceinline=True)
def _in_dictionary(table, slots, bloom, h):  # type: ignore[no-untyped-def]
    bits = word_at(bloom, np.int64(h >> np.uint64(54)))
    if (bits >> ((h >> np.uint64(48)) & np.uint64(63))) & np.uint64(1):
        return look_up_at(table, slots, h)
    return np.uint64(0)


@njit(cache=True, nogil=True)
def _looked_up(text, begin, size, h, table, slots, bloom, plan):  # type: ignore[no-untyped-def]
    """Lexicon code and prefilter record of a word that is not in the memo."""
    both = _in_dictionary(table, slots, bloom, h)
    if both >> np.uint64(32) == np.uint64(0):
        both |= prefilter.stem_record(text, begin, size, plan) << np.uint64(32)
    return both


@njit(forceinline=True)
def _letters(w):  # type: ignore[no-untyped-def]
    """High bit of each byte that is one of a-z."""
    y = w & np.uint64(0x7F7F7F7F7F7F7F7F)
    from_a = y + np.uint64(0x1F1F1F1F1F1F1F1F)
    past_z = y + np.uint64(0x0505050505050505)
    return from_a & ~past_z & ~w & np.uint64(0x8080808080808080)


@njit(cache=True, nogil=True)
def _count(codes, held, votes, topics):  # type: ignore[no-untyped-def]
    """Count the languages and topics of lexicon codes."""
    for k in range(held):
        code = word_at(codes, k)
        topic = np.int64(code >> np.uint64(16))
        set_word_at(topics, topic, word_at(topics, topic) + np.uint64(topic > 0))
        code &= np.uint64(0x7FFF)
        while code != np.uint64(0):
            a = np.int64(code & np.uint64(31))
            set_word_at(votes, a, word_at(votes, a) + np.uint64(1))
            code >>= np.uint64(5)


@njit(cache=True, nogil=True)
def _in_pieces(text, begin, stop, previous, plan, memo, state):  # type: ignore[no-untyped-def]
    """The prefilter over a word with letters of two bytes, which separate words for it; returns `previous`."""
    i = begin
    while i < stop:
        c = byte_at(text, i)
        if not (97 <= c <= 122 or 48 <= c <= 57):
            i += 1
            continue
        a = i
        digits = True
        while i < stop:
            c = byte_at(text, i)
            if 97 <= c <= 122:
                digits = False
            elif not 48 <= c <= 57:
                break
            i += 1
        h = word_at(plan, prefilter.NUMBER_HASH) if digits else word_hash_at(text, a, i)
        # not from the memo: the record of a word that is looked up here is the same, but its code is not at hand
        previous = prefilter.step(prefilter.searched(text, a, i - a, h, plan), h, previous, plan, state)
    return previous


@njit(cache=True, nogil=True)
def walk(text, start, stop, seed, table, slots, bloom, rot13, row, plan, out, memo, work):  # type: ignore[no-untyped-def]
    """Read the words of bytes start to stop at the address `text`.

    Writes to `work`: BINS minima, four seeded hashes [head, long head, tail, lexical cell], NUMBERS counts; and takes
    the prefilter on from where it stands in the row. All but numbers are addresses (`hashing.word_at` says why);
    `text` is readable 16 bytes past `stop`.
    """
    votes = work + 8 * _VOTES
    topics = work + 8 * _TOPICS
    bins = work + 8 * BIN
    heads = work + 8 * HEADS
    tail = work + 8 * _TAIL
    state = work + 8 * STATE
    codes = work + 8 * _CODE
    held = 0
    zero = np.uint64(0)
    for k in range(32):
        set_word_at(votes, k, zero)
        set_word_at(topics, k, zero)
        set_word_at(bins, k, np.uint64(0xFFFFFFFF))
    script_of = np.int64(word_at(plan, prefilter.SCRIPT_OF))
    previous = word_at(work, PREVIOUS)
    scripts = word_at(work, SCRIPTS_SEEN)
    words = 0
    digit_words = 0
    longest = 0
    leet = 0
    ring = 0
    h1 = seed
    h2 = seed
    head = seed
    cell = np.uint64(0xFFFFFFFFFFFFFFFF)
    i = start
    while i < stop:
        c = byte_at(text, i)
        if c < 128 and not (97 <= c <= 122 or 48 <= c <= 57):
            if c == 46 or c == 63 or c == 33 or c == 0:
                if word_at(state, 0) != zero:
                    prefilter.end_sentence(row, np.int64(word_at(work, SENTENCE)), i, plan, state, out)
                previous = zero
                set_word_at(work, SENTENCE, np.uint64(i + 1))
            i += 1
            continue
        begin = i
        if c >= 0xE2:
            # a character of three or four bytes stands for itself
            scripts |= np.uint64(byte_at(script_of, np.int64(c)))
            n = 3 if c < 0xF0 else 4
            i = min(i + n, stop)
            h = word_hash_at(text, begin, i)
            content = True
            if i + n <= stop and byte_at(text, i) >= 0xE2:
                code = _in_dictionary(table, slots, bloom, word_hash_at(text, begin, i + n))
                topic = np.int64((code >> np.uint64(16)) & np.uint64(31))
                if topic:
                    set_word_at(topics, topic, word_at(topics, topic) + np.uint64(1))
        else:
            w = load64_at(text, i)
            other = ~_letters(w) & np.uint64(0x8080808080808080)
            while other == zero and i < stop:
                i += 8
                w = load64_at(text, i)
                other = ~_letters(w) & np.uint64(0x8080808080808080)
            i = min(i + (trailing_zeros(other) >> 3), stop)
            c = byte_at(text, i) if i < stop else np.uint8(32)
            number = False
            if not (48 <= c <= 57 or 128 <= c < 0xE2):
                n = i - begin
                high = False
            else:
                # digits, or letters of two bytes: one by one
                i = begin
                digits = 0
                letters = 0
                mixed = False
                high = False
                while i < stop:
                    c = byte_at(text, i)
                    if 97 <= c <= 122:
                        if digits > 0 and letters > 0:
                            mixed = True
                        letters += 1
                    elif 48 <= c <= 57:
                        digits += 1
                    elif 128 <= c < 0xE2:
                        letters += 1
                        high = True
                        scripts |= np.uint64(byte_at(script_of, np.int64(c)))
                    else:
                        break
                    i += 1
                n = i - begin
                if mixed and n < 24:
                    leet += 1
                number = digits > 0 and letters * 2 < n
            if n > longest:
                longest = n
            if number:
                digit_words += 1
                h = _NUMBER
                content = False
                if high or letters > 0:
                    previous = _in_pieces(text, begin, i, previous, plan, memo, state)
                else:
                    same = word_at(plan, prefilter.NUMBER_HASH)
                    record = prefilter.searched(text, begin, n, same, plan)
                    previous = prefilter.step(record, same, previous, plan, state)
            else:
                h = word_hash_at(text, begin, i)
                slot = np.int64(h << np.uint64(1)) & (2 * prefilter.MEMO_SLOTS - 1)
                if word_at(memo, slot) == h:
                    both = word_at(memo, slot + 1)
                else:
                    both = _looked_up(text, begin, n, h, table, slots, bloom, plan)
                    set_word_at(memo, slot, h)
                    set_word_at(memo, slot + 1, both)
                code = both & np.uint64(0xFFFFFFFF)
                content = n >= 4 and code & np.uint64(0x7FFF) == zero
                # counted later, in one go: a branch for each word would be guessed wrong too often
                set_word_at(codes, held, code)
                held += 1 if code != zero else 0
                if held == _CODES:
                    _count(codes, held, votes, topics)
                    held = 0
                if high:
                    previous = _in_pieces(text, begin, i, previous, plan, memo, state)
                else:
                    previous = prefilter.step(both >> np.uint64(32), h, previous, plan, state)
        words += 1
        s = finish((h1 * np.uint64(3)) ^ rotl(h2, 23) ^ h ^ seed)
        b = np.int64(s >> np.uint64(59))
        v = (s >> np.uint64(32)) & np.uint64(0xFFFF)
        set_word_at(bins, b, min(v, word_at(bins, b)))  # without a branch: it would be guessed wrong too often
        h1 = h2
        h2 = h
        near = finish(h ^ seed)
        cell = min(cell, near if content else cell)
        if words <= HEAD_LONG:
            head = finish(rotl(head, 7) ^ h)
            if words <= HEAD:
                set_word_at(heads, 0, head)
            set_word_at(heads, 1, head)
        set_word_at(tail, ring, h)
        ring = ring + 1 if ring + 1 < TAIL else 0
    _count(codes, held, votes, topics)
    set_word_at(work, PREVIOUS, previous)
    set_word_at(work, SCRIPTS_SEEN, scripts)
    if words == 0:
        for k in range(4):
            set_word_at(heads, k, zero)
    else:
        last = seed ^ np.uint64(TAIL)
        for _ in range(min(words, TAIL)):
            ring = ring - 1 if ring > 0 else TAIL - 1
            last = finish(rotl(last, 7) ^ word_at(tail, ring))
        set_word_at(heads, 2, last)
        set_word_at(heads, 3, cell)
    best = 0
    for a in range(1, 32):
        if a != rot13 and word_at(votes, a) > word_at(votes, best):
            best = a
    top = 0
    second = 0
    for t in range(1, 32):
        here = word_at(topics, t)
        if here > zero and (top == 0 or here > word_at(topics, top)):
            second = top
            top = t
        elif here > zero and (second == 0 or here > word_at(topics, second)):
            second = t
    numbers = work + 8 * NUMBER
    set_word_at(numbers, WORDS, np.uint64(words))
    set_word_at(numbers, DIGITS, np.uint64(digit_words))
    set_word_at(numbers, LONGEST, np.uint64(longest))
    set_word_at(numbers, LEET_WORDS, np.uint64(leet))
    set_word_at(numbers, LANGUAGE, np.uint64(best))
    set_word_at(numbers, STOP_VOTES, word_at(votes, best) if best > 0 else zero)
    set_word_at(numbers, ROT13_VOTES, word_at(votes, rot13) if rot13 > 0 else zero)
    set_word_at(numbers, TOPIC, np.uint64(top))
    set_word_at(numbers, SECOND_TOPIC, np.uint64(second))


@njit(cache=True, nogil=True)
def pack(work, out):  # type: ignore[no-untyped-def]
    """Fill empty bins from their right-hand neighbours (Shrivastava and Li 2014); pack them to LANES words at `out`."""
    empty = np.uint64(0xFFFFFFFF)
    filled = False
    for b in range(BINS):
        if word_at(work, BIN + b) != empty:
            filled = True
    for lane in range(LANES):
        word = np.uint64(0)
        if filled:
            for part in range(4):
                at = lane * 4 + part
                step = 0
                while word_at(work, BIN + at) == empty:
                    step += 1
                    at = at + 1 if at + 1 < BINS else 0
                v = (word_at(work, BIN + at) + np.uint64(step * 0x1F35)) & np.uint64(0xFFFF)
                word |= v << np.uint64(16 * part)
        set_word_at(out, lane, word)


@njit(cache=True, nogil=True)
def similarity(a, b):  # type: ignore[no-untyped-def]
    """Share of equal minima of two packed signatures (LANES,): the estimate of their Jaccard similarity, 0 to 1.

    Standard error sqrt(J (1 - J) / 32); 16-bit minima agree by chance once in 65,536.
    """
    same = 0
    for lane in range(LANES):
        x = a[lane] ^ b[lane]
        for part in range(4):
            if (x >> np.uint64(16 * part)) & np.uint64(0xFFFF) == np.uint64(0):
                same += 1
    return same / BINS
