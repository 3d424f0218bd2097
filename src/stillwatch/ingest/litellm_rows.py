"""Kernels of the compiled LiteLLM path: events sorted by what they mean, message texts, answers, ids and addresses."""

from __future__ import annotations

import numpy as np
from numba import njit

from stillwatch.ingest.decode import copy_string
from stillwatch.ingest.json_bytes import NULL, NUMBER, TEXT_ESCAPED, TEXT_PLAIN, TRUE
from stillwatch.ingest.litellm_paths import (
    ANSWER,
    ANSWER_FIELDS,
    CHOICE,
    CONTENT,
    EMPTY,
    FIRST_ODD,
    HEADERS,
    MESSAGE,
    OBJECT,
    PART,
    PART_TEXT,
    PART_TYPE,
    REDACTED,
    ROLE,
    RULES,
    SCALARS,
)
from stillwatch.ingest.spans import LEAF, LINE, NON_ASCII, RAW, START, STOP, VALUE

_RESPONSE = np.frombuffer(b"response", np.uint8)
_TEXT_TYPE = np.frombuffer(b"text", np.uint8)
_INPUT_TEXT = np.frombuffer(b"input_text", np.uint8)
_RENAMED = (
    np.frombuffer(b"model", np.uint8),
    np.frombuffer(b"human", np.uint8),
    np.frombuffer(b"ai", np.uint8),
)  # roles that the record reader translates


# Columns of the array of messages, (messages, 5) int32: line, event of the role, the events of its texts being
# parts[first:last], and how many types and texts are still missing from its parts.
_M_LINE, _M_ROLE, _M_FIRST, _M_LAST, _M_OPEN = range(5)
MESSAGE_COLUMNS = 5


@njit(inline="always")
def _equals(data, start, stop, word):  # type: ignore[no-untyped-def]
    if stop - start != word.shape[0]:
        return False
    for i in range(word.shape[0]):  # noqa: SIM110, a generator does not compile
        if data[start + i] != word[i]:
            return False
    return True


@njit(cache=True, nogil=True)
def gather(data, count, events, scalar, answer, choices, header, messages, parts, ok):  # type: ignore[no-untyped-def]
    """Sort the first `count` events by what they mean; clear `ok` of lines that only the record reader can judge.

    Shapes  output, event numbers, -1 where there is none: scalar (paths, lines), answer (7, lines), header (2, lines)
            the first and behind the last, messages as above, parts (texts,); choices (lines,) counts

    Returns (messages, header bytes, text bytes, role bytes), the bytes being upper bounds.
    """
    m = 0
    texts = 0
    header_bytes = 0
    text_bytes = 0
    role_bytes = 0
    for e in range(count):
        line = events[e, LINE]
        leaf = events[e, LEAF]
        k = events[e, VALUE] & 15
        span = events[e, STOP] - events[e, START]
        if not (RULES[leaf] >> k) & 1:
            later_choice = CHOICE < leaf < FIRST_ODD and choices[line] > 1
            nothing = RULES[leaf] & EMPTY and ((k == RAW and span == 2) or (k <= TEXT_ESCAPED and span == 0))
            if not (later_choice or nothing):
                ok[line] = False
            continue
        if leaf < SCALARS:
            scalar[leaf, line] = e
        elif leaf == HEADERS:
            if header[0, line] < 0:
                header[0, line] = e
            header[1, line] = e + 1
            header_bytes += span + 1
        elif leaf == MESSAGE:
            messages[m, _M_LINE] = line
            messages[m, _M_ROLE] = -1
            messages[m, _M_FIRST] = texts
            messages[m, _M_LAST] = texts
            messages[m, _M_OPEN] = 0
            m += 1
        elif leaf == ROLE:
            messages[m - 1, _M_ROLE] = e
            role_bytes += span
            if k != TEXT_PLAIN or span == 0:
                ok[line] = False
            for word in _RENAMED:
                if _equals(data, events[e, START], events[e, STOP], word):
                    ok[line] = False
        elif leaf in (CONTENT, PART_TEXT):
            if k <= TEXT_ESCAPED:
                parts[texts] = e
                texts += 1
                messages[m - 1, _M_LAST] = texts
                text_bytes += span + 1
                if leaf == PART_TEXT:
                    messages[m - 1, _M_OPEN] -= 1
        elif leaf == PART:
            messages[m - 1, _M_OPEN] += 2
        elif leaf == PART_TYPE:
            start, stop = events[e, START], events[e, STOP]
            if k == TEXT_PLAIN and (_equals(data, start, stop, _TEXT_TYPE) or _equals(data, start, stop, _INPUT_TEXT)):
                messages[m - 1, _M_OPEN] -= 1
        elif leaf == CHOICE:
            choices[line] += 1
        elif leaf < ANSWER + ANSWER_FIELDS:
            if leaf >= ANSWER and choices[line] == 1:
                answer[leaf - ANSWER, line] = e
        elif (
            leaf == OBJECT
            and k <= TEXT_ESCAPED
            and (k == TEXT_ESCAPED or _equals(data, events[e, START], events[e, STOP], _RESPONSE))
        ):
            ok[line] = False
    return m, header_bytes, text_bytes, role_bytes


@njit(cache=True, nogil=True)
def first_of(events, scalar, fields, out):  # type: ignore[no-untyped-def]
    """For each line the first of these fields that is there, not null and not empty; -1 if none is."""
    for line in range(out.shape[0]):
        out[line] = -1
        for f in range(fields.shape[0]):
            e = scalar[fields[f], line]
            if e >= 0 and events[e, VALUE] & 15 != NULL and events[e, STOP] > events[e, START]:
                out[line] = e
                break


@njit(cache=True, nogil=True)
def messages_of(  # type: ignore[no-untyped-def]
    data,
    events,
    messages,
    count,
    parts,
    ok,
    roles,
    role_offsets,
    texts,
    text_offsets,
    text_valid,
    list_offsets,
    list_valid,
):
    """Roles and texts of the messages of the lines that are ok, one list for each of these.

    Shapes  output: bytes of roles and texts, with (messages + 1,) offsets; list_offsets (rows + 1,)

    A line whose texts are all redacted has no messages. Returns (messages kept, role bytes, text bytes).
    """
    kept = 0
    r = 0
    t = 0
    m = 0
    row = 0
    role_offsets[0] = 0
    text_offsets[0] = 0
    for line in range(ok.shape[0]):
        if not ok[line]:
            while m < count and messages[m, _M_LINE] == line:
                m += 1
            continue
        mark_kept, mark_r, mark_t = kept, r, t
        redacted = 0
        while m < count and messages[m, _M_LINE] == line:
            e = messages[m, _M_ROLE]
            r = copy_string(data, events[e, START], events[e, STOP], events[e, VALUE], roles, r)
            begin = t
            for p in range(messages[m, _M_FIRST], messages[m, _M_LAST]):
                if p > messages[m, _M_FIRST]:
                    texts[t] = 10
                    t += 1
                e = parts[p]
                t = copy_string(data, events[e, START], events[e, STOP], events[e, VALUE], texts, t)
            redacted += _equals(texts, begin, t, REDACTED)
            text_valid[kept] = messages[m, _M_LAST] > messages[m, _M_FIRST]
            kept += 1
            role_offsets[kept] = r
            text_offsets[kept] = t
            m += 1
        list_offsets[row] = mark_kept
        list_valid[row] = kept > mark_kept and redacted < kept - mark_kept
        if not list_valid[row]:
            kept, r, t = mark_kept, mark_r, mark_t
        row += 1
    list_offsets[row] = kept
    return kept, r, t


@njit(cache=True, nogil=True)
def check_messages(messages, count, ok):  # type: ignore[no-untyped-def]
    """Clear `ok` where a message has no role, or a part of it is more than a type and a text."""
    for m in range(count):
        if messages[m, _M_ROLE] < 0 or messages[m, _M_OPEN] != 0:
            ok[messages[m, _M_LINE]] = False


@njit(cache=True, nogil=True)
def answers(data, events, answer, ok, response, reasoning, calls):  # type: ignore[no-untyped-def]
    """Events of the first choice's text, reasoning and tool calls; -1 where there is none or it is redacted."""
    for line in range(ok.shape[0]):
        message = answer[0, line]
        content = answer[1, line]
        text = answer[4, line]
        if text >= 0 and events[text, VALUE] & 15 <= TEXT_ESCAPED:
            if message >= 0 and events[message, STOP] > events[message, START]:
                ok[line] = False  # a message beside a text: rare, and which counts depends on what is in it
            content = text
        called = answer[6, line]
        told = answer[2, line]
        if told < 0 or events[told, VALUE] & 15 > TEXT_ESCAPED or events[told, STOP] == events[told, START]:
            told = answer[3, line]
        if content >= 0 and _equals(data, events[content, START], events[content, STOP], REDACTED):
            content = -1
            told = -1
            called = -1
        if called >= 0 and events[called, VALUE] & 15 == RAW and data[events[called, START]] != 91:
            ok[line] = False  # calls that are no list
        response[line] = content
        reasoning[line] = told
        calls[line] = called


@njit(cache=True, nogil=True)
def choose(data, events, which, words, offsets, values, fold, default, out):  # type: ignore[no-untyped-def]
    """Look a plain text up in a table of short words: its value, or the default. `fold`: ignoring ASCII case."""
    for row in range(out.shape[0]):
        out[row] = default
        e = which[row]
        if e < 0:
            continue
        start = events[e, START]
        n = events[e, STOP] - start
        for w in range(values.shape[0]):
            if offsets[w + 1] - offsets[w] != n:
                continue
            same = True
            for i in range(n):
                c = data[start + i]
                if fold and 65 <= c <= 90:
                    c += 32
                if c != words[offsets[w] + i]:
                    same = False
                    break
            if same:
                out[row] = values[w]
                break


@njit(cache=True, nogil=True)
def check_calls(data, events, which, endpoint, other, ok):  # type: ignore[no-untyped-def]
    """Clear `ok` where there is no call type, or an unknown one that may name a batch (that has a `b` in it)."""
    for row in range(ok.shape[0]):
        e = which[row]
        if e < 0:
            ok[row] = False
        elif endpoint[row] == other:
            for i in range(events[e, START], events[e, STOP]):
                if data[i] == 98:
                    ok[row] = False
                    break


@njit(cache=True, nogil=True)
def statuses(data, events, status, code, ok, out):  # type: ignore[no-untyped-def]
    """HTTP status of lines that are no success: their error code if it is one, else 500."""
    for row in range(ok.shape[0]):
        if out[row] == 200:
            continue
        if status[row] < 0:
            ok[row] = False
            continue
        out[row] = 500
        e = code[row]
        if e < 0:
            continue
        k = events[e, VALUE] & 15
        n = events[e, STOP] - events[e, START]
        value = 0
        for i in range(events[e, START], events[e, STOP]):
            if data[i] < 48 or data[i] > 57 or n > 9:
                ok[row] = False
                break
            value = value * 10 + (data[i] - 48)
        if k != TEXT_PLAIN and k != NUMBER:
            ok[row] = False
        if 100 <= value <= 599:
            out[row] = value


@njit(cache=True, nogil=True)
def logprobs(data, events, params, asked, top, top_valid, ok, out, valid):  # type: ignore[no-untyped-def]
    """Alternatives asked for: 0 if none are, at least 1 if any are, null where parameters were not logged.

    `out` and `valid` hold `logprobs` where it was a number, `top` the number of alternatives.
    """
    for row in range(ok.shape[0]):
        e = asked[row]
        alternatives = top[row] if top_valid[row] else 0
        if valid[row]:
            out[row] = max(out[row], 0)
        elif e >= 0 and events[e, VALUE] & 15 == TRUE:
            out[row] = max(1, alternatives)
        elif e < 0 and alternatives > 0:
            out[row] = alternatives
        else:
            out[row] = 0
        valid[row] = params[row] >= 0


@njit(cache=True, nogil=True)
def trim_addresses(data, events, which, ok):  # type: ignore[no-untyped-def]
    """Narrow the spans of client addresses: the first of an X-Forwarded-For list, without spaces and port."""
    for row in range(ok.shape[0]):
        e = which[row]
        if e < 0:
            continue
        start, stop = events[e, START], events[e, STOP]
        colons = 0
        colon = stop
        i = start
        while i < stop and data[i] != 44:
            if data[i] == 58:
                colons += 1
                colon = i
            i += 1
        stop = i
        while start < stop and data[start] == 32:
            start += 1
        while stop > start and data[stop - 1] == 32:
            stop -= 1
        if colons == 1:
            stop = colon
        if start >= stop or data[start] == 91 or events[e, VALUE] & NON_ASCII:
            ok[row] = False
            continue
        # Bounds of events are nobody else's; a field is read into one column.
        events[e, START] = start
        events[e, STOP] = stop


@njit(cache=True, nogil=True)
def choose_usage(events, scalar, usages, tops, ok):  # type: ignore[no-untyped-def]
    """Blank the fields of a second usage object, which counts only where the first is empty.

    usages: (usages, 1 + fields) numbers of the object and of its fields, the first of these being the prompt tokens.
    Clears `ok` where prompt tokens would have to be put together from other counts.
    """
    for line in range(ok.shape[0]):
        first = scalar[usages[0, 0], line]
        second = scalar[usages[1, 0], line]
        here = -1
        if first >= 0 and events[first, STOP] > events[first, START]:
            here = 0
            if second >= 0:
                for f in range(1, usages.shape[1]):
                    scalar[usages[1, f], line] = -1
        elif second >= 0 and events[second, STOP] > events[second, START]:
            here = 1
        else:
            answer = scalar[usages[2, 0], line]
            if answer >= 0 and events[answer, STOP] > events[answer, START]:
                here = 2
        top = scalar[tops, line]
        if here >= 0 and (top < 0 or events[top, VALUE] & 15 != NUMBER):
            prompt = scalar[usages[here, 1], line]
            if prompt < 0 or events[prompt, VALUE] & 15 != NUMBER:
                ok[line] = False


@njit(cache=True, nogil=True)
def check_finish(events, which, ok):  # type: ignore[no-untyped-def]
    """Clear `ok` where a reason to finish is not ASCII: letters of other scripts may fold to ASCII ones."""
    for line in range(ok.shape[0]):
        e = which[line]
        if e >= 0 and events[e, VALUE] & NON_ASCII:
            ok[line] = False
