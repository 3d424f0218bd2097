"""One walk over the words of a normalised text: template, near-duplicate signature, language, topic.

Numbers count as one and the same word, so that two fillings of a template agree. A Chinese, Japanese or Korean
character is a word of its own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stillwatch.sketch.hashing import finish, load64, rotl
from stillwatch.sketch.lexicon import look_up, word_hash

BINS = 32  # one-permutation MinHash bins (Li, Owen, Zhang 2012, "One Permutation Hashing")
LANES = 8  # 64-bit words that hold the bins, four 16-bit minima each
HEAD, HEAD_LONG, TAIL = 5, 12, 6  # words in a template's short head, long head and tail
_NUMBER = np.uint64(0x6E756D6265720001)

# What `walk` writes to its `numbers` array.
WORDS, DIGITS, LONGEST, LEET_WORDS, LANGUAGE, TOPIC, ROT13_VOTES, STOP_VOTES, SECOND_TOPIC = range(9)
NUMBERS = 9


@njit(cache=True, nogil=True)
def character_classes():  # type: ignore[no-untyped-def]
    """(256,) uint8: 1 letter, 2 digit, 3 byte of a multi-byte character, 0 anything else."""
    table = np.zeros(256, np.uint8)
    for c in range(97, 123):
        table[c] = 1
    for c in range(48, 58):
        table[c] = 2
    table[128:] = 3
    return table


@njit(cache=True, nogil=True)
def walk(text, start, stop, seed, classes, keys, values, rot13, votes, topics, bins, heads, numbers):  # type: ignore[no-untyped-def]
    """Read the words of text[start:stop].

    Writes: bins (BINS,) uint32 minima, heads (4,) uint64 seeded hashes [head, long head, tail, lexical cell],
    numbers (NUMBERS,) int64. votes (32,) and topics (32,) are scratch. `text` is readable 16 bytes past `stop`.
    """
    votes[:] = 0
    topics[:] = 0
    bins[:] = 0xFFFFFFFF
    numbers[:] = 0
    words = 0
    h1 = seed
    h2 = seed
    head = seed
    tail = np.zeros(TAIL, np.uint64)
    cell = np.uint64(0xFFFFFFFFFFFFFFFF)
    i = start
    while i < stop:
        k = classes[text[i]]
        if k == 0:
            i += 1
            continue
        begin = i
        digits = 0
        letters = 0
        mixed = False
        if k == 3 and text[i] >= 0xE2:
            # a character of three or four bytes stands for itself
            n = 3 if text[i] < 0xF0 else 4
            i = min(i + n, stop)
            h = word_hash(text, begin, i)
            content = True
            if i + n <= stop and text[i] >= 0xE2:
                code = look_up(keys, values, word_hash(text, begin, i + n))
                if code >> np.uint32(16):
                    topics[code >> np.uint32(16)] += 1
        else:
            while i < stop:
                k = classes[text[i]]
                if k == 1:
                    if digits > 0 and letters > 0:
                        mixed = True
                    letters += 1
                elif k == 2:
                    digits += 1
                elif k == 3:
                    if text[i] >= 0xE2:
                        break
                    letters += 1
                else:
                    break
                i += 1
            n = i - begin
            if n > numbers[LONGEST]:
                numbers[LONGEST] = n
            if mixed and n < 24:
                numbers[LEET_WORDS] += 1
            if digits > 0 and letters * 2 < n:
                numbers[DIGITS] += 1
                h = _NUMBER
                content = False
            else:
                h = word_hash(text, begin, i)
                code = look_up(keys, values, h)
                content = n >= 4
                if code != np.uint32(0):
                    topic = code >> np.uint32(16)
                    if topic:
                        topics[topic] += 1
                    a = code & np.uint32(31)
                    if a:
                        content = False
                        votes[a] += 1
                        a = (code >> np.uint32(5)) & np.uint32(31)
                        if a:
                            votes[a] += 1
                            a = (code >> np.uint32(10)) & np.uint32(31)
                            if a:
                                votes[a] += 1
        words += 1
        s = finish((h1 * np.uint64(3)) ^ rotl(h2, 23) ^ h ^ seed)
        b = s >> np.uint64(59)
        v = np.uint32((s >> np.uint64(32)) & np.uint64(0xFFFF))
        if v < bins[b]:
            bins[b] = v
        h1 = h2
        h2 = h
        if content:
            c = finish(h ^ seed)
            if c < cell:
                cell = c
        if words <= HEAD_LONG:
            head = finish(rotl(head, 7) ^ h)
            if words <= HEAD:
                heads[0] = head
            heads[1] = head
        tail[words % TAIL] = h
    if words == 0:
        heads[0] = np.uint64(0)
        heads[1] = np.uint64(0)
        heads[2] = np.uint64(0)
        heads[3] = np.uint64(0)
    else:
        last = seed ^ np.uint64(TAIL)
        for back in range(min(words, TAIL)):
            last = finish(rotl(last, 7) ^ tail[(words - back) % TAIL])
        heads[2] = last
        heads[3] = cell
    best = 0
    for a in range(1, 32):
        if a != rot13 and votes[a] > votes[best]:
            best = a
    numbers[WORDS] = words
    numbers[LANGUAGE] = best
    numbers[STOP_VOTES] = votes[best] if best > 0 else 0
    numbers[ROT13_VOTES] = votes[rot13] if rot13 > 0 else 0
    top = 0
    second = 0
    for t in range(1, 32):
        if topics[t] > 0 and (top == 0 or topics[t] > topics[top]):
            second = top
            top = t
        elif topics[t] > 0 and (second == 0 or topics[t] > topics[second]):
            second = t
    numbers[TOPIC] = top
    numbers[SECOND_TOPIC] = second


@njit(cache=True, nogil=True)
def pack(bins, out):  # type: ignore[no-untyped-def]
    """Fill empty bins from their right-hand neighbours (Shrivastava and Li 2014) and pack them into LANES words."""
    filled = False
    for b in range(BINS):
        if bins[b] != 0xFFFFFFFF:
            filled = True
    if not filled:
        out[:] = np.uint64(0)
        return
    for lane in range(LANES):
        word = np.uint64(0)
        for part in range(4):
            b = lane * 4 + part
            step = 0
            while bins[(b + step) % BINS] == 0xFFFFFFFF:
                step += 1
            v = np.uint64((bins[(b + step) % BINS] + np.uint32(step * 0x1F35)) & np.uint32(0xFFFF))
            word |= v << np.uint64(16 * part)
        out[lane] = word


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


__all__ = ["BINS", "HEAD", "HEAD_LONG", "LANES", "NUMBERS", "TAIL", "character_classes", "load64", "pack", "similarity", "walk"]
