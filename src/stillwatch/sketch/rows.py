"""The text of each exchange of a batch, read once in compiled code.

For each row: the instructions (system messages and the last user message) are normalised into one buffer, in which
the elicitation cues are looked for later; their words give template, signature, language and topic; the messages give
the chain of prefix hashes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stillwatch.sketch import normalise as N
from stillwatch.sketch.hashing import finish, hash_span, siphash64
from stillwatch.sketch.normalise import decode_base64, normalise, undo_leet, undo_rot13
from stillwatch.sketch.words import (
    BINS,
    DIGITS,
    LANES,
    LANGUAGE,
    LEET_WORDS,
    LONGEST,
    NUMBERS,
    ROT13_VOTES,
    SECOND_TOPIC,
    STOP_VOTES,
    TOPIC,
    WORDS,
    pack,
    walk,
)  # fmt: skip

# Bytes of a long text that are read for template, signature and cues; hashes always cover the whole text.
PROMPT_FRONT, PROMPT_BACK = 4096, 1024
SYSTEM_FRONT, SYSTEM_BACK = 3072, 512
ROOM = N.GROWTH * (PROMPT_FRONT + PROMPT_BACK + SYSTEM_FRONT + SYSTEM_BACK) + 64

SYSTEM, USER, ASSISTANT, TOOL = range(4)


@njit(inline="always")
def _role(data, start, stop):  # type: ignore[no-untyped-def]
    if stop == start:
        return USER
    c = data[start]
    if c == 115 or c == 100:  # system, developer
        return SYSTEM
    if c == 97:  # assistant
        return ASSISTANT
    if c == 116 or c == 102:  # tool, function
        return TOOL
    return USER


@njit(inline="always")
def _cut(stop, i, data):  # type: ignore[no-untyped-def]
    """Move i back to the start of a UTF-8 character."""
    while i > 0 and i < stop and data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@njit(cache=True, nogil=True)
def _clip(data, start, stop, front, back, out, o, table, scripts):  # type: ignore[no-untyped-def]
    """Normalise the front and the back of data[start:stop]."""
    kind, script, where, r_start, r_bytes, odd, lookalike = table
    if stop - start <= front + back:
        return normalise(data, start, stop, out, o, kind, script, where, r_start, r_bytes, odd, lookalike, scripts)
    middle = _cut(stop, start + front, data)
    o, a = normalise(data, start, middle, out, o, kind, script, where, r_start, r_bytes, odd, lookalike, scripts)
    out[o] = 32
    o += 1
    late = _cut(stop, stop - back, data)
    o, b = normalise(data, late, stop, out, o, kind, script, where, r_start, r_bytes, odd, lookalike, scripts)
    return o, a | b


@njit(cache=True, nogil=True)
def read(  # type: ignore[no-untyped-def]
    list_off, list_valid, role_data, role_off, text_data, text_off, text_valid, extra_data, extra_off, extra_valid,
    endpoint_embedding, seed, k0, k1, table, classes, keys, values, rot13,
    text, text_bounds, system, system_head, prompt, prompt_bytes, words, heads, lanes, cell, script, language,
    obfuscation, turns, chain_root, chain_parent, chain_self, chain_plain,
):  # fmt: skip
    """Fill the output columns, one entry a row; returns the bytes of `text` used, or -1 - row if it is too small.

    chain_self covers all messages but the system ones, chain_parent those up to the last answer in the history;
    chain_plain is chain_self before its second hash, to be carried on with the answer. Hashes are keyed; 0 means absent. text[text_bounds[r]:text_bounds[r + 1]] is the normalised text of row r.
    """
    votes = np.zeros(32, np.int64)
    topics = np.zeros(32, np.int64)
    bins = np.empty(BINS, np.uint32)
    four = np.empty(4, np.uint64)
    numbers = np.empty(NUMBERS, np.int64)
    scripts = np.zeros(12, np.int64)
    plain = np.empty(8192, np.uint8)
    o = 0
    text_bounds[0] = 0
    for row in range(list_valid.shape[0]):
        first = list_off[row]
        last = list_off[row + 1]
        text_bounds[row + 1] = o
        if not list_valid[row] or last == first:
            continue
        if o + ROOM > text.shape[0]:
            return -1 - row
        # -- the chain of prefixes, system messages left out: relays add their own
        asked = -1
        chain = seed
        answered = np.uint64(0)
        count = 0
        has_system = False
        system_hash = seed
        scripts[:] = 0
        found = 0
        for m in range(first, last):
            role = _role(role_data, role_off[m], role_off[m + 1])
            h = hash_span(text_data, text_off[m], text_off[m + 1], seed) if text_valid[m] else seed
            if extra_valid[m]:
                h = finish(h ^ hash_span(extra_data, extra_off[m], extra_off[m + 1], seed))
            if role == SYSTEM:
                if text_off[m + 1] > text_off[m]:
                    has_system = True
                    system_hash = finish(system_hash * np.uint64(3) ^ h)
                    if o == text_bounds[row]:
                        o, f = _clip(text_data, text_off[m], text_off[m + 1], SYSTEM_FRONT, SYSTEM_BACK, text, o, table, scripts)
                        found |= f
                continue
            chain = finish(chain * np.uint64(3) ^ h ^ np.uint64(role))
            if role == ASSISTANT and count > 0 and text_off[m + 1] > text_off[m]:
                answered = chain
            if count == 0:
                chain_root[row] = siphash64(chain, k0, k1)
            count += 1
            if role == USER and text_off[m + 1] > text_off[m]:
                asked = m
        turns[row] = count
        if count > 0:
            chain_self[row] = siphash64(chain, k0, k1)
            chain_plain[row] = chain
        if answered != np.uint64(0):
            chain_parent[row] = siphash64(answered, k0, k1)
        if has_system:
            system[row] = siphash64(system_hash, k0, k1)
            walk(text, text_bounds[row], o, seed, classes, keys, values, rot13, votes, topics, bins, four, numbers)
            system_head[row] = siphash64(four[1], k0, k1) if four[1] else np.uint64(0)
            text[o] = 32
            o += 1
        if asked < 0:
            # some programs put everything into one system message, or send a list of texts
            for m in range(first, last):
                if text_off[m + 1] > text_off[m]:
                    asked = m
        if asked < 0:
            text_bounds[row + 1] = o
            continue
        a = text_off[asked]
        b = text_off[asked + 1]
        lone_system = has_system and _role(role_data, role_off[asked], role_off[asked + 1]) == SYSTEM
        if lone_system:
            o = text_bounds[row]
            system[row] = np.uint64(0)
            system_head[row] = np.uint64(0)
        prompt[row] = siphash64(hash_span(text_data, a, b, seed), k0, k1)
        prompt_bytes[row] = b - a
        begin = o
        o, f = _clip(text_data, a, b, PROMPT_FRONT, PROMPT_BACK, text, o, table, scripts)
        found |= f
        walk(text, begin, o, seed, classes, keys, values, rot13, votes, topics, bins, four, numbers)
        again = False
        if numbers[LONGEST] >= 24:
            size = decode_base64(text_data, a, min(b, a + PROMPT_FRONT), plain)
            if size >= 16:
                text[o] = 32
                kind, scr, where, r_start, r_bytes, odd, lookalike = table
                o, f = normalise(plain, 0, size, text, o + 1, kind, scr, where, r_start, r_bytes, odd, lookalike, scripts)
                found |= N.BASE64
                again = True
        if numbers[ROT13_VOTES] >= 3 and numbers[ROT13_VOTES] > 2 * numbers[STOP_VOTES]:
            undo_rot13(text, begin, o)
            found |= N.ROT13
            again = True
        if numbers[LEET_WORDS] >= 3 and numbers[LEET_WORDS] * 10 >= numbers[WORDS]:
            undo_leet(text, begin, o)
            found |= N.LEET
            again = True
        if again:
            walk(text, begin, o, seed, classes, keys, values, rot13, votes, topics, bins, four, numbers)
        pack(bins, lanes[row])
        for k in range(3):
            heads[k, row] = siphash64(four[k], k0, k1) if four[k] else np.uint64(0)
        words[row] = numbers[WORDS]
        # five bits of topic, eleven of lexical neighbourhood
        cell[row] = (np.int64(numbers[TOPIC]) << 11) | np.int64(four[3] >> np.uint64(53))
        best = 0
        for s in range(1, 12):
            if scripts[s] > scripts[best] or best == 0:
                best = s if scripts[s] > 0 else best
        if scripts[3] * 8 > scripts[2] and scripts[3] > 0 and best == 2:
            best = 3
        script[row] = best
        language[row] = numbers[LANGUAGE] if best <= 1 else 32 + best
        obfuscation[row] = found
        text_bounds[row + 1] = o
    return o


__all__ = ["DIGITS", "LANES", "ROOM", "SECOND_TOPIC", "read"]
