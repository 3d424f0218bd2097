"""The text of each exchange of a batch, read once in compiled code.

For each row: the instructions (system messages and the last user message) are normalised into one buffer, in which
the elicitation cues are looked for later; their words give template, signature, language and topic; the messages give
the chain of prefix hashes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stillwatch.sketch import normalise as N
from stillwatch.sketch.cues import prefilter
from stillwatch.sketch.hashing import finish, hash_span, set_word_at, siphash64, word_at
from stillwatch.sketch.normalise import decode_base64, normalise, undo_leet, undo_rot13
from stillwatch.sketch.words import (
    HEADS,
    LANGUAGE,
    LEET_WORDS,
    LONGEST,
    NUMBER,
    PREVIOUS,
    ROT13_VOTES,
    SCRIPTS_SEEN,
    SENTENCE,
    STATE,
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
def _end(start, stop, row, entries, again, at_text, plan, out, memo, work):  # type: ignore[no-untyped-def]
    """Close the row for the prefilter; `again`: its text was changed after the walk, so it is read anew."""
    state = work + 8 * STATE
    if again:
        set_word_at(state, 0, np.uint64(0))
        for lane in range(1, np.int64(word_at(plan, prefilter.LANES))):
            set_word_at(state, 2 * lane, np.uint64(0))
            set_word_at(state, 2 * lane + 1, np.uint64(0))
        set_word_at(np.int64(word_at(out, prefilter.COUNT)), 0, np.uint64(entries))
        set_word_at(np.int64(word_at(out, prefilter.MARKS)), row, np.uint64(0))
        prefilter.find_in_row(at_text, start, stop, row, plan, memo, state, out)
        return
    if word_at(state, 0) != np.uint64(0):
        prefilter.end_sentence(row, np.int64(word_at(work, SENTENCE)), stop, plan, state, out)
    set_word_at(np.int64(word_at(out, prefilter.SCRIPTS_OUT)), row, word_at(work, SCRIPTS_SEEN))
    prefilter.end_row(row, entries, plan, out)


@njit(cache=True, nogil=True)
def read(  # type: ignore[no-untyped-def]
    list_off, list_valid, role_data, role_off, text_data, text_off, text_valid, extra_data, extra_off, extra_valid,
    seed, k0, k1, table, at_text, dictionary, slots, bloom, rot13, plan, out, memo, memo_again, work,
    text, text_bounds, system, system_head, prompt, prompt_bytes, words, heads, lanes, cell, script, language,
    obfuscation, turns, chain_root, chain_parent, chain_self, chain_plain,
):  # fmt: skip
    """Fill the output columns, one entry a row; returns the bytes of `text` used, or -1 - row if it is too small.

    chain_self covers all messages but the system ones, chain_parent those up to the last answer in the history;
    chain_plain is chain_self before its second hash, to be carried on with the answer. Hashes are keyed; 0 means
    absent.
    text[text_bounds[r]:text_bounds[r + 1]] is the normalised text of row r; what the prefilter of the cues finds in it
    goes to `out`. at_text and the arguments from `dictionary` to `work` are addresses or numbers (see `words.walk`).
    """
    numbers = work + 8 * NUMBER
    counted = np.int64(word_at(out, prefilter.COUNT))
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
        set_word_at(work, SENTENCE, np.uint64(o))
        set_word_at(work, PREVIOUS, np.uint64(0))
        set_word_at(work, SCRIPTS_SEEN, np.uint64(0))
        entries = np.int64(word_at(counted, 0))
        # -- the chain of prefixes, system messages left out: relays add their own
        asked = -1
        asked_hash = seed
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
            text_hash = h
            if extra_valid[m]:
                h = finish(h ^ hash_span(extra_data, extra_off[m], extra_off[m + 1], seed))
            if role == SYSTEM:
                if text_off[m + 1] > text_off[m]:
                    has_system = True
                    system_hash = finish(system_hash * np.uint64(3) ^ h)
                    if o == text_bounds[row]:
                        a, b = text_off[m], text_off[m + 1]
                        o, f = _clip(text_data, a, b, SYSTEM_FRONT, SYSTEM_BACK, text, o, table, scripts)
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
                asked_hash = text_hash
        turns[row] = count
        if count > 0:
            chain_self[row] = siphash64(chain, k0, k1)
            chain_plain[row] = chain
        if answered != np.uint64(0):
            chain_parent[row] = siphash64(answered, k0, k1)
        if has_system:
            system[row] = siphash64(system_hash, k0, k1)
            walk(at_text, text_bounds[row], o, seed, dictionary, slots, bloom, rot13, row, plan, out, memo, work)
            head = word_at(work, HEADS + 1)
            system_head[row] = siphash64(head, k0, k1) if head else np.uint64(0)
            text[o] = 32
            o += 1
        if asked < 0:
            # some programs put everything into one system message, or send a list of texts
            for m in range(first, last):
                if text_off[m + 1] > text_off[m]:
                    asked = m
                    asked_hash = hash_span(text_data, text_off[m], text_off[m + 1], seed)
        if asked < 0:
            text_bounds[row + 1] = o
            _end(text_bounds[row], o, row, entries, False, at_text, plan, out, memo_again, work)
            continue
        a = text_off[asked]
        b = text_off[asked + 1]
        lone_system = has_system and _role(role_data, role_off[asked], role_off[asked + 1]) == SYSTEM
        if lone_system:
            o = text_bounds[row]
            system[row] = np.uint64(0)
            system_head[row] = np.uint64(0)
        prompt[row] = siphash64(asked_hash, k0, k1)
        prompt_bytes[row] = b - a
        begin = o
        o, f = _clip(text_data, a, b, PROMPT_FRONT, PROMPT_BACK, text, o, table, scripts)
        found |= f
        walk(at_text, begin, o, seed, dictionary, slots, bloom, rot13, row, plan, out, memo, work)
        again = False
        if word_at(numbers, LONGEST) >= 24:
            size = decode_base64(text_data, a, min(b, a + PROMPT_FRONT), plain)
            if size >= 16:
                text[o] = 32
                kind, scr, where, r_start, r_bytes, odd, lookalike = table
                o, f = normalise(
                    plain, 0, size, text, o + 1, kind, scr, where, r_start, r_bytes, odd, lookalike, scripts
                )
                found |= N.BASE64
                again = True
        votes = word_at(numbers, ROT13_VOTES)
        if votes >= 3 and votes > np.uint64(2) * word_at(numbers, STOP_VOTES):
            undo_rot13(text, begin, o)
            found |= N.ROT13
            again = True
        leet = word_at(numbers, LEET_WORDS)
        if leet >= 3 and leet * np.uint64(10) >= word_at(numbers, WORDS):
            undo_leet(text, begin, o)
            found |= N.LEET
            again = True
        if again:
            walk(at_text, begin, o, seed, dictionary, slots, bloom, rot13, row, plan, out, memo, work)
        _end(text_bounds[row], o, row, entries, again or lone_system, at_text, plan, out, memo_again, work)
        pack(work, lanes + 64 * row)
        for k in range(3):
            head = word_at(work, HEADS + k)
            heads[k, row] = siphash64(head, k0, k1) if head else np.uint64(0)
        words[row] = np.int64(word_at(numbers, WORDS))
        # five bits of topic, eleven of lexical neighbourhood
        near = np.int64(word_at(work, HEADS + 3) >> np.uint64(53))
        cell[row] = (np.int64(word_at(numbers, TOPIC)) << 11) | near
        best = 0
        for s in range(1, 12):
            if scripts[s] > scripts[best] or best == 0:
                best = s if scripts[s] > 0 else best
        if scripts[3] * 8 > scripts[2] and scripts[3] > 0 and best == 2:
            best = 3
        script[row] = best
        language[row] = np.int64(word_at(numbers, LANGUAGE)) if best <= 1 else 32 + best
        obfuscation[row] = found
        text_bounds[row + 1] = o
    return o
