"""The form of what is asked for and of what came back, apart from its words.

`asked` looks at the schema or the format block that a request prescribes, and at how its prompt ends: a list of
examples whose last block is left open asks for a new example (or, if only the block's last part is open, for its
completion).
`given` looks at what an answer is made of: questions with answers, turns of a conversation, scores, candidate pairs.
Both know labels (`labels.py`) and repetition, no phrases.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from stillwatch.sketch.hashing import load64, trailing_zeros
from stillwatch.sketch.labels import ANSWER, ASSISTANT, FRESH, NUMBER, PARTS, QUESTION, REASONING, USER, label_at
from stillwatch.sketch.rows import ASSISTANT as ASSISTANT_ROLE
from stillwatch.sketch.rows import SYSTEM, _role

# Bits of `asked_form` and `answer_form`; the lower ones are `labels.PARTS`.
_BASE: Final = len(PARTS)
ASKED: Final = (*PARTS, "schema", "open_part", "open_block", "open_question", "open_fresh", "open_reasoning",
                "open_user", "open_answer", "open_list")  # fmt: skip
GIVEN: Final = (*PARTS, "pairs", "talk", "questions", "is_question", "many")
SCHEMA, OPEN_PART, OPEN_BLOCK, OPEN_QUESTION, OPEN_FRESH, OPEN_REASONING, OPEN_USER, OPEN_ANSWER, OPEN_LIST = (
    1 << i for i in range(_BASE, _BASE + 9)
)
PAIRS, TALK, QUESTIONS, IS_QUESTION, MANY = (1 << i for i in range(_BASE, _BASE + 5))

FRONT, BACK = 6144, 2048  # bytes of a prompt that are read
ANSWER_BYTES = 4096  # of an answer
_HELD = 64  # labels that are remembered
_SHORT = 600  # bytes of an answer that may be one question

_ONES, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_LINE_ENDS, _QUOTES, _TAGS = (np.uint64(int(_ONES) * c) for c in b'\n"<')


@njit(forceinline=True)
def _holds(w, byte):  # type: ignore[no-untyped-def]
    x = w ^ byte
    return (x - _ONES) & ~x & _HIGH


@njit(forceinline=True)
def _next(data, i, stop):  # type: ignore[no-untyped-def]
    """Eight bytes at a time to the next line end, quotation mark or `<`."""
    while i + 8 <= stop:
        w = load64(data, i)
        hit = _holds(w, _LINE_ENDS) | _holds(w, _QUOTES) | _holds(w, _TAGS)
        if hit != np.uint64(0):
            return i + (trailing_zeros(hit) >> 3)
        i += 8
    while i < stop and data[i] != 10 and data[i] != 34 and data[i] != 60:
        i += 1
    return i


@njit(forceinline=True)
def _opens(data, i, stop):  # type: ignore[no-untyped-def]
    """Does the quotation mark or `<` at data[i] stand before a word? Half of all quotation marks close something."""
    if i + 1 >= stop or (data[i] != 34 and data[i] != 60):
        return False
    c = data[i + 1]
    return 97 <= c <= 122 or 65 <= c <= 90 or c == 95 or c >= 128


@njit(cache=True, nogil=True)
def _placeholder(data, i, stop):  # type: ignore[no-untyped-def]
    """Is data[i:] the mark of something to be filled in: empty, `...`, `<...>`, `[...]`, `{...}`, a type, `the ...`?"""
    while i < stop and (data[i] <= 32 or data[i] == 34 or data[i] == 39):
        if data[i] == 34 and i + 1 < stop and data[i + 1] == 34:
            return True
        i += 1
    if i + 2 >= stop:
        return False
    c, d, e = data[i], data[i + 1], data[i + 2]
    if c == 60 or c == 91 or c == 123 or (c == 46 and d == 46) or (c == 0xE2 and d == 0x80 and e == 0xA6):
        return True
    rest = np.int64(c) << 16 | np.int64(d) << 8 | np.int64(e)
    # str(ing), int(eger), tex(t), lis(t), "the ", "you(r ", "a ", <float>
    return rest in (0x737472, 0x696E74, 0x746578, 0x6C6973, 0x746865, 0x796F75, 0x666C6F) or (c == 97 and d == 32)


@njit(cache=True, nogil=True)
def _labels_in(data, a, stop, at_start, keys, parts, held, count):  # type: ignore[no-untyped-def]
    """Line labels of data[a:stop] go to `held`; (labels, end and parts of the last one, PARTS prescribed by format)."""
    asked = 0
    end, last = np.int64(-1), 0
    i = np.int64(a)
    line = at_start
    while i < stop:
        if line:
            after, h, found = label_at(data, i, stop, keys, parts)
            if after != -1:
                held[min(count, _HELD - 1)] = h
                count += 1
                end, last = np.int64(after), found
        line = False
        i = _next(data, i, stop)
        if i >= stop:
            break
        c = data[i]
        if c == 10:
            line = True
        elif _opens(data, i, stop):
            after, h, found = label_at(data, i, stop, keys, parts)
            if found and _placeholder(data, after, stop):
                asked |= found
        i += 1
    return count, end, last, asked


@njit(cache=True, nogil=True)
def _slot(held, count):  # type: ignore[no-untyped-def]
    """The last label is left open: OPEN_BLOCK if it begins a block that was there twice before, OPEN_PART if not."""
    n = min(count, _HELD)
    mine = held[n - 1]
    first = n - 1
    times = 0
    for k in range(n):
        if held[k] == mine:
            times += 1
            first = min(first, k)
    if times < 3:
        return 0
    if mine == NUMBER:
        return OPEN_LIST
    for k in range(first):
        again = 0
        for j in range(k, n):
            again += held[j] == held[k]
        if again >= 2 and held[k] != NUMBER:
            return OPEN_PART
    return OPEN_BLOCK


@njit(cache=True, nogil=True)
def _read(data, a, b, keys, parts, held):  # type: ignore[no-untyped-def]
    """ASKED bits of one prompt."""
    front = min(b, a + FRONT)
    count, end, last, asked = _labels_in(data, a, front, True, keys, parts, held, 0)
    if b > front:
        late = max(front, b - BACK)
        count, tail_end, tail, more = _labels_in(data, late, b, False, keys, parts, held, count)
        asked |= more
        if tail_end >= 0:
            end, last = tail_end, tail
        else:
            end = np.int64(-1)
    if end < 0:
        return asked
    i = end
    while i < b and (data[i] <= 32 or data[i] in (34, 35, 39, 42, 46, 58, 60, 62, 91, 96, 123)):
        i += 1
    if i < b:
        return asked
    asked |= _slot(held, count)
    if last & QUESTION:
        asked |= OPEN_QUESTION
    if last & FRESH:
        asked |= OPEN_FRESH
    if last & REASONING:
        asked |= OPEN_REASONING
    if last & USER:
        asked |= OPEN_USER
    if last & ANSWER:
        asked |= OPEN_ANSWER
    return asked


@njit(cache=True, nogil=True)
def read_asked(  # type: ignore[no-untyped-def]
    list_off, list_valid, role_data, role_off, text_data, text_off, keys, parts, asked
):  # fmt: skip
    """ASKED bits of the last user message of each row, and of its system messages' format blocks, added to (rows,)."""
    held = np.zeros(_HELD, np.uint64)
    for row in range(list_valid.shape[0]):
        if not list_valid[row]:
            continue
        found = 0
        last = -1
        alone = -1
        for m in range(list_off[row], list_off[row + 1]):
            if text_off[m + 1] == text_off[m]:
                continue
            role = _role(role_data, role_off[m], role_off[m + 1])
            if role == SYSTEM:
                alone = m
                a = np.int64(text_off[m])
                stop = min(np.int64(text_off[m + 1]), a + FRONT)
                found |= _labels_in(text_data, a, stop, True, keys, parts, held, 0)[3]
            elif role != ASSISTANT_ROLE:
                last = m
        if last < 0:
            last = alone
        if last >= 0:
            found |= _read(text_data, np.int64(text_off[last]), np.int64(text_off[last + 1]), keys, parts, held)
        asked[row] |= found


@njit(cache=True, nogil=True)
def read_schema(data, offsets, valid, keys, parts, one_tool, asked):  # type: ignore[no-untyped-def]
    """PARTS that a JSON schema has among its keys, and SCHEMA if any, added to `asked` (rows,).

    With `one_tool`, only a list of a single tool counts: a form to fill in. Several tools are things to be done.
    """
    for row in range(asked.shape[0]):
        a, b = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if not valid[row] or b == a:
            continue
        found = 0
        tools = 0
        i = a
        while i < b:
            if data[i] != 34:
                i += 1
                continue
            j = i + 1
            while j < b and data[j] != 34:
                j += 2 if data[j] == 92 else 1
            key = j + 1 < b and data[j + 1] == 58
            if key and j - i == 9 and data[i + 1] == 102 and data[i + 2] == 117:  # "function"
                tools += 1
            after, _, label = label_at(data, i, b, keys, parts) if j - i < 48 else (np.int64(-1), np.uint64(0), 0)
            if label:
                while after < b and data[after] <= 32:
                    after += 1
                if after < b and (data[after] == 123 or data[after] == 91):
                    found |= label
            i = j + 1
        if found and not (one_tool and tools > 1):
            asked[row] |= found | SCHEMA


@njit(cache=True, nogil=True)
def read_given(data, offsets, valid, keys, parts, given):  # type: ignore[no-untyped-def]
    """GIVEN bits of each answer, written to (rows,)."""
    for row in range(given.shape[0]):
        a, b = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if not valid[row] or b == a:
            continue
        stop = min(b, a + ANSWER_BYTES)
        i = a
        while i < stop and data[i] <= 32:
            i += 1
        form = i < stop and (data[i] == 123 or data[i] == 91 or data[i] == 96)  # { [ `
        found = 0
        asked = answered = users = helpers = questions = lines = 0
        line = True
        while i < stop:
            if data[i] == 10:
                questions += _ends_a_question(data, a, i)
                i += 1
                line = True
                continue
            if line:
                lines += 1
            if line or ((form or data[i] == 60) and _opens(data, i, stop)):
                _, _, label = label_at(data, i, stop, keys, parts)
                if label:
                    found |= label
                    asked += (label & QUESTION) != 0
                    answered += (label & ANSWER) != 0
                    users += (label & USER) != 0
                    helpers += (label & ASSISTANT) != 0
            line = False
            i = _next(data, i + 1, stop)
            if form and i < stop and data[i] == 34:
                questions += _ends_a_question(data, a, i)
        last = _ends_a_question(data, a, b)
        questions += last and b == stop
        if asked >= 2 and answered >= 2:
            found |= PAIRS
        if users >= 2 and helpers >= 2:
            found |= TALK
        if questions >= 3:
            found |= QUESTIONS
        if last and b - a <= _SHORT and lines <= 3:
            found |= IS_QUESTION
        if asked >= 3:
            found |= MANY
        given[row] = found


@njit(cache=True, nogil=True)
def _ends_a_question(data, a, i):  # type: ignore[no-untyped-def]
    """Does the text before data[i] end with a question mark?"""
    i -= 1
    while i > a and (data[i] <= 32 or data[i] == 34 or data[i] == 42):
        i -= 1
    if i < a:
        return False
    if data[i] == 63:
        return True
    return i >= a + 2 and (
        (data[i] == 0x9F and data[i - 1] == 0xBC and data[i - 2] == 0xEF) or (data[i] == 0x9F and data[i - 1] == 0xD8)
    )
