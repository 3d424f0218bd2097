"""The compiled path for LiteLLM callback payloads: a block of lines to a batch of exchanges, no objects per row.

Lines with anything out of the ordinary (message parts that are not text, tool calls, thinking blocks, damaged JSON)
are handed back one by one to the record reader, so both paths give the same rows. `tests/oracle` compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from stillwatch import tables
from stillwatch.ingest import spans
from stillwatch.ingest.decode import bitmap, copy_string, copy_strings, number_array, read_decimal, read_int, string_array
from stillwatch.ingest.records import Batch, Block, Reject
from stillwatch.ingest.spans import FALSE, KEY, NON_ASCII, NULL, OPEN, PADDING, RAW, TEXT_ESCAPED, TEXT_PLAIN, TRUE

_PATHS = (
    "litellm_call_id",
    "id",
    "startTime",
    "endTime",
    "model_group",
    "model",
    "call_type",
    "stream",
    "status",
    "end_user",
    "requester_ip_address",
    "user_agent",
    "prompt_tokens",
    "completion_tokens",
    "session_id",
    "trace_id",
    "metadata.user_api_key_user_id",
    "metadata.user_api_key_team_id",
    "metadata.user_api_key_hash",
    "metadata.user_api_key_org_id",
    "metadata.requester_ip_address",
    "metadata.user_agent",
    "metadata.usage_object.completion_tokens_details.reasoning_tokens",
    "metadata.usage_object.prompt_tokens_details.cached_tokens",
    "metadata.usage_object.cache_read_input_tokens",
    "model_parameters.temperature",
    "model_parameters.max_tokens",
    "model_parameters.max_completion_tokens",
    "model_parameters.n",
    "model_parameters.logprobs",
    "model_parameters.top_logprobs",
    "model_parameters.reasoning_effort",
    "model_parameters.response_format!",
    "model_parameters.tools!",
    "error_information.error_code",
    "response",
    "messages",
    "response.choices",
    "metadata.requester_metadata.headers{}",
    "messages[]",
    "messages[].role",
    "messages[].content",
    "messages[].content[]",
    "messages[].content[].type",
    "messages[].content[].text",
    "response.choices[]",
    "response.choices[].message.content",
    "response.choices[].message.reasoning_content",
    "response.choices[].text",
    "response.choices[].finish_reason",
    # Present and not null in any of these: the record reader takes the line.
    "messages[].tool_calls!",
    "messages[].function_call!",
    "messages[].tool_call_id",
    "messages[].thinking_blocks!",
    "messages[].reasoning_content!",
    "messages[].reasoning_details!",
    "messages[].signature",
    "response.choices[].message.tool_calls!",
    "response.choices[].message.function_call!",
    "response.choices[].message.thinking_blocks!",
    "response.choices[].message.reasoning_details!",
    "response.choices[].message.refusal",
    "response.output!",
    "response.content!",
)
_TABLE = spans.PathTable.compile(_PATHS)
_AT = {name: number for number, name in enumerate(_PATHS)}
_SCALARS = _AT["metadata.requester_metadata.headers{}"]  # paths before this one are single values of a line
_HEADERS = _AT["metadata.requester_metadata.headers{}"]
_MESSAGE = _AT["messages[]"]
_ROLE = _AT["messages[].role"]
_CONTENT = _AT["messages[].content"]
_PART = _AT["messages[].content[]"]
_PART_TYPE = _AT["messages[].content[].type"]
_PART_TEXT = _AT["messages[].content[].text"]
_CHOICE = _AT["response.choices[]"]
_ANSWER = _AT["response.choices[].message.content"]
_REASONING = _AT["response.choices[].message.reasoning_content"]
_ANSWER_TEXT = _AT["response.choices[].text"]
_FINISH = _AT["response.choices[].finish_reason"]
_ODD = _AT["messages[].tool_calls!"]


class Compiled(NamedTuple):
    """Rows taken by the compiled path, and the lines that it leaves to the record reader."""

    exchanges: pa.RecordBatch
    left: list[tuple[int, bytes]]  # (line number, line)
    lines: int


@njit(cache=True, nogil=True)
def _gather(events, e_line, e_leaf, e_kind, e_start, e_stop, ok, start, stop, kind, m_line, m_role, m_first, m_last, p_event, answer, choices):  # type: ignore[no-untyped-def]
    """Sort events into scalar spans (paths, lines), messages, and answers (4, lines) of the first choice.

    Returns (messages, parts). A message's text is events p_event[m_first:m_last].
    """
    messages = 0
    parts = 0
    for e in range(events):
        line = e_line[e]
        leaf = e_leaf[e]
        k = e_kind[e] & 15
        if leaf < _SCALARS:
            start[leaf, line] = e_start[e]
            stop[leaf, line] = e_stop[e]
            kind[leaf, line] = e_kind[e]
        elif leaf == _MESSAGE:
            m_line[messages] = line
            m_role[messages] = -1
            m_first[messages] = parts
            m_last[messages] = parts
            messages += 1
        elif leaf == _ROLE:
            m_role[messages - 1] = e
            if k > TEXT_ESCAPED:
                ok[line] = False
        elif leaf == _CONTENT or leaf == _PART_TEXT:
            if k <= TEXT_ESCAPED:
                p_event[parts] = e
                parts += 1
                m_last[messages - 1] = parts
            elif k != NULL:
                ok[line] = False
        elif leaf == _PART:
            pass
        elif leaf == _PART_TYPE:
            # "text" and "input_text" end alike; every other part needs the record reader
            n = e_stop[e] - e_start[e]
            if k != TEXT_PLAIN or not (n == 4 or n == 10):
                ok[line] = False
        elif leaf == _CHOICE:
            choices[line] += 1
        elif leaf >= _ANSWER and leaf <= _FINISH:
            if choices[line] == 1 and answer[leaf - _ANSWER, line] < 0 and k <= TEXT_ESCAPED:
                answer[leaf - _ANSWER, line] = e
            elif k > TEXT_ESCAPED and k != NULL:
                ok[line] = False
        elif leaf >= _ODD and k != NULL:
            ok[line] = False
    return messages, parts


@njit(inline="always")
def _lower(c):  # type: ignore[no-untyped-def]
    return c + 32 if 65 <= c <= 90 else c


@njit(inline="always")
def _starts(data, i, stop, prefix):  # type: ignore[no-untyped-def]
    if stop - i < len(prefix):
        return False
    for k in range(len(prefix)):
        if _lower(data[i + k]) != prefix[k]:
            return False
    return True


_CREDENTIALS = (b"authorization", b"proxy-authorization", b"x-api-key", b"api-key", b"cookie")
_CLIENT = (b"x-stainless-", b"anthropic-", b"openai-", b"x-app")


@njit(cache=True, nogil=True)
def _headers(data, events, e_line, e_leaf, e_kind, e_start, e_stop, ok, lines, names, n_off, client, c_off):  # type: ignore[no-untyped-def]
    """Header names joined by commas in order of arrival, and "name=value" lines of the SDK's own headers."""
    n = 0
    c = 0
    line = 0
    n_off[0] = 0
    c_off[0] = 0
    for e in range(events + 1):
        here = e_line[e] if e < events else lines
        while line < here:
            line += 1
            n_off[line] = n
            c_off[line] = c
        if e == events or e_leaf[e] != _HEADERS or e_kind[e] & 15 != KEY:
            continue
        start = e_start[e]
        stop = e_stop[e]
        if n > n_off[line]:
            names[n] = 44
            n += 1
        for i in range(start, stop):
            names[n] = _lower(data[i])
            n += 1
        if e + 1 < events and e_leaf[e + 1] == _HEADERS and e_line[e + 1] == line and e_kind[e + 1] & 15 <= TEXT_ESCAPED:
            if (
                _starts(data, start, stop, b"x-stainless-")
                or _starts(data, start, stop, b"anthropic-")
                or _starts(data, start, stop, b"openai-")
                or _starts(data, start, stop, b"x-app")
            ):
                if c > c_off[line]:
                    client[c] = 10
                    c += 1
                for i in range(start, stop):
                    client[c] = _lower(data[i])
                    c += 1
                client[c] = 61
                c += 1
                end = copy_string(data, e_start[e + 1], e_stop[e + 1], e_kind[e + 1], client, c)
                if end < 0:
                    ok[line] = False
                else:
                    c = end
    return n, c


@njit(cache=True, nogil=True)
def _header_value(data, events, e_line, e_leaf, e_kind, e_start, e_stop, name, start, stop, kind):  # type: ignore[no-untyped-def]
    """Span of the value of one header for each line."""
    for e in range(events - 1):
        if e_leaf[e] == _HEADERS and e_kind[e] & 15 == KEY and e_stop[e] - e_start[e] == len(name):
            if e_leaf[e + 1] == _HEADERS and e_kind[e + 1] & 15 != KEY and _starts(data, e_start[e], e_stop[e], name):
                line = e_line[e]
                start[line] = e_start[e + 1]
                stop[line] = e_stop[e + 1]
                kind[line] = e_kind[e + 1]


@njit(cache=True, nogil=True)
def _message_text(data, messages, m_line, m_role, m_first, m_last, p_event, e_kind, e_start, e_stop, ok, roles, r_off, text, t_off, t_valid, list_off, list_valid):  # type: ignore[no-untyped-def]
    """Roles and texts of the messages of the lines that are still ok, and the list offsets of each line."""
    kept = 0
    r = 0
    t = 0
    r_off[0] = 0
    t_off[0] = 0
    m = 0
    for line in range(ok.shape[0]):
        list_off[line] = kept
        first = m
        while m < messages and m_line[m] == line:
            if m_role[m] < 0:
                ok[line] = False
            m += 1
        list_valid[line] = m > first
        if not ok[line]:
            continue
        mark_kept = kept
        mark_r = r
        mark_t = t
        for k in range(first, m):
            e = m_role[k]
            end = copy_string(data, e_start[e], e_stop[e], e_kind[e], roles, r)
            if end < 0:
                ok[line] = False
                break
            r = end
            t_valid[kept] = m_last[k] > m_first[k]
            for p in range(m_first[k], m_last[k]):
                if p > m_first[k]:
                    text[t] = 10
                    t += 1
                e = p_event[p]
                end = copy_string(data, e_start[e], e_stop[e], e_kind[e], text, t)
                if end < 0:
                    ok[line] = False
                    break
                t = end
            if not ok[line]:
                break
            kept += 1
            r_off[kept] = r
            t_off[kept] = t
        if not ok[line]:
            kept = mark_kept
            r = mark_r
            t = mark_t
    list_off[ok.shape[0]] = kept
    return kept, r, t


class _Events:
    """Scratch arrays of one worker, reused from block to block."""

    def __init__(self, lines: int, events: int) -> None:
        self.line_start = np.empty(lines, np.int32)
        self.line_stop = np.empty(lines, np.int32)
        self.line_ok = np.empty(lines, np.bool_)
        self.line = np.empty(events, np.int32)
        self.leaf = np.empty(events, np.int32)
        self.kind = np.empty(events, np.int32)
        self.start = np.empty(events, np.int32)
        self.stop = np.empty(events, np.int32)


def compiled(
    block: Block, *, earliest_us: int = 0, latest_us: int = 1 << 62, account_scratch: _Events | None = None
) -> Compiled:
    """Exchanges of a block of LiteLLM callback payload lines.

    Rows that fail a check of the record reader (clock, missing id, wrong type) are left to it, never judged here.
    """
    data = np.frombuffer(block.data + b"\n" + bytes(PADDING), dtype=np.uint8)
    size = len(block.data)
    newlines = block.data.count(b"\n") + 1
    scratch = account_scratch or _Events(newlines + 1, max(4096, size // 24))
    lines, events, used = spans.scan(
        data, size, _TABLE.leaf, _TABLE.raw, _TABLE.keys, _TABLE.opens, _TABLE.element, _TABLE.first_child,
        _TABLE.last_child, _TABLE.child_hash, _TABLE.child_node, scratch.line_start, scratch.line_stop,
        scratch.line_ok, scratch.line, scratch.leaf, scratch.kind, scratch.start, scratch.stop,
    )  # fmt: skip
    while used < size:  # more values than foreseen: short lines
        scratch = _Events(newlines + 1, len(scratch.line) * 2)
        lines, events, used = spans.scan(
            data, size, _TABLE.leaf, _TABLE.raw, _TABLE.keys, _TABLE.opens, _TABLE.element, _TABLE.first_child,
            _TABLE.last_child, _TABLE.child_hash, _TABLE.child_node, scratch.line_start, scratch.line_stop,
            scratch.line_ok, scratch.line, scratch.leaf, scratch.kind, scratch.start, scratch.stop,
        )  # fmt: skip
    return _assemble(block, data, lines, events, scratch, earliest_us, latest_us)


def _assemble(block: Block, data: np.ndarray, lines: int, events: int, s: _Events, earliest_us: int, latest_us: int) -> Compiled:
    ok = s.line_ok[:lines].copy()
    span = np.full((2, _SCALARS, lines), -1, np.int32)
    kind = np.zeros((_SCALARS, lines), np.int32)
    m_line, m_role, m_first, m_last, p_event = (np.empty(events + 1, np.int32) for _ in range(5))
    answer = np.full((4, lines), -1, np.int32)
    choices = np.zeros(lines, np.int64)
    messages, _ = _gather(
        events, s.line, s.leaf, s.kind, s.start, s.stop, ok, span[0], span[1], kind,
        m_line, m_role, m_first, m_last, p_event, answer, choices,
    )  # fmt: skip
    size = len(data)

    def spans_of(path: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        number = _AT[path]
        return span[0, number], span[1, number], kind[number]

    def first_of(*paths: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The first path that is there, not null and not empty."""
        start, stop, what = (a.copy() for a in spans_of(paths[0]))
        for path in paths[1:]:
            gap = (start < 0) | ((what & 15) == NULL) | (stop == start)
            if not gap.any():
                break
            other = spans_of(path)
            start, stop, what = (np.where(gap, o, a) for o, a in zip(other, (start, stop, what), strict=True))
        return start, stop, what

    columns: dict[str, pa.Array] = {}

    def strings(name: str, picked: tuple[np.ndarray, np.ndarray, np.ndarray], *, required: bool = False) -> None:
        start, stop, what = picked
        out = np.empty(int(np.maximum(stop - start, 0).sum()) + PADDING, np.uint8)
        offsets = np.empty(lines + 1, np.int32)
        valid = np.empty(lines, np.bool_)
        used = copy_strings(data, start, stop, what, ok, out, offsets, valid)
        valid &= offsets[1:] > offsets[:-1]
        if required:
            ok[~valid] = False
        columns[name] = string_array(out, used, offsets, valid)

    def numbers(name: str, picked: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        out = np.empty(lines, np.int64)
        valid = np.empty(lines, np.bool_)
        read_int(data, *picked, ok, out, valid)
        columns[name] = number_array(out, valid, pa.int64())
        return out, valid

    def decimals(picked: tuple[np.ndarray, np.ndarray, np.ndarray], digits: int) -> tuple[np.ndarray, np.ndarray]:
        out = np.empty(lines, np.int64)
        valid = np.empty(lines, np.bool_)
        read_decimal(data, *picked, digits, ok, out, valid)
        return out, valid

    for path in ("response", "messages", "response.choices"):  # a string where a structure belongs
        start, _, what = spans_of(path)
        ok &= (start < 0) | ((what & 15) == NULL)

    strings("exchange_id", first_of("litellm_call_id", "id"), required=True)
    strings("account_id", first_of(
        "metadata.user_api_key_user_id", "metadata.user_api_key_team_id", "metadata.user_api_key_hash"
    ), required=True)  # fmt: skip
    strings("key_id", spans_of("metadata.user_api_key_hash"))
    strings("org_id", spans_of("metadata.user_api_key_org_id"))
    strings("model", first_of("model_group", "model"), required=True)
    strings("end_user_id", spans_of("end_user"))
    strings("session_id", first_of("session_id", "trace_id"))
    strings("ip", first_of("requester_ip_address", "metadata.requester_ip_address"))
    strings("user_agent", first_of("user_agent", "metadata.user_agent"))
    strings("reasoning_effort", spans_of("model_parameters.reasoning_effort"))
    strings("response_format", spans_of("model_parameters.response_format!"))
    strings("tools", spans_of("model_parameters.tools!"))
    numbers("tokens_in", spans_of("prompt_tokens"))
    numbers("tokens_out", spans_of("completion_tokens"))
    numbers("tokens_reasoning", spans_of("metadata.usage_object.completion_tokens_details.reasoning_tokens"))
    numbers("tokens_cached", first_of(
        "metadata.usage_object.prompt_tokens_details.cached_tokens",
        "metadata.usage_object.cache_read_input_tokens",
    ))  # fmt: skip
    numbers("max_tokens", first_of("model_parameters.max_tokens", "model_parameters.max_completion_tokens"))
    numbers("n", spans_of("model_parameters.n"))
    asked, asked_valid = numbers("logprobs", spans_of("model_parameters.logprobs"))
    top, top_valid = numbers("_top", spans_of("model_parameters.top_logprobs"))
    columns.pop("_top")
    columns["logprobs"] = number_array(
        np.where(top_valid & (top > 0), top, asked), asked_valid | (top_valid & (top > 0)), pa.int64()
    )
    start_us, start_valid = decimals(spans_of("startTime"), 6)
    end_us, end_valid = decimals(spans_of("endTime"), 6)
    ok &= start_valid & (start_us >= earliest_us) & (start_us <= latest_us)
    ok &= ~end_valid | (end_us >= start_us)
    columns["at"] = pa.array(start_us)
    columns["latency_ms"] = number_array((end_us - start_us) // 1000, start_valid & end_valid, pa.int64())
    temperature, temperature_valid = decimals(spans_of("model_parameters.temperature"), 9)
    columns["temperature"] = number_array(temperature / 1e9, temperature_valid, pa.float64())
    return _finish(block, data, lines, events, s, ok, columns, answer, choices, messages, m_line, m_role, m_first,
                   m_last, p_event, span, kind, size)  # fmt: skip


@njit(cache=True, nogil=True)
def _choose(data, start, stop, kind, words, offsets, values, default, out):  # type: ignore[no-untyped-def]
    """Look a short string up in a table: out[line] is the value of the word that it equals, else the default."""
    for line in range(out.shape[0]):
        out[line] = default
        if start[line] < 0 or kind[line] & 15 > TEXT_ESCAPED:
            continue
        n = stop[line] - start[line]
        for w in range(values.shape[0]):
            if offsets[w + 1] - offsets[w] != n:
                continue
            same = True
            for i in range(n):
                if data[start[line] + i] != words[offsets[w] + i]:
                    same = False
                    break
            if same:
                out[line] = values[w]
                break


def _table(words: dict[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    joined = "".join(words).encode()
    offsets = np.cumsum([0, *(len(w.encode()) for w in words)])
    return np.frombuffer(joined, np.uint8), offsets.astype(np.int64), np.array(list(words.values()), np.int64)


ENDPOINTS = ("chat", "completion", "responses", "messages", "embedding", "other")
CALL_TYPES = {
    "acompletion": 0, "completion": 0, "atext_completion": 1, "text_completion": 1, "aresponses": 2, "responses": 2,
    "anthropic_messages": 3, "aanthropic_messages": 3, "aembedding": 4, "embedding": 4,
}  # fmt: skip
_CALL_TABLE = _table(CALL_TYPES)
_STATUS_TABLE = _table({"success": 200, "failure": 500})
_FINISH_TABLE = _table({"content_filter": 1})


def _finish(block, data, lines, events, s, ok, columns, answer, choices, messages, m_line, m_role, m_first, m_last,
            p_event, span, kind, size):  # type: ignore[no-untyped-def]  # fmt: skip
    def path(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        number = _AT[name]
        return span[0, number], span[1, number], kind[number]

    def chosen(picked, table, default):  # type: ignore[no-untyped-def]
        out = np.empty(lines, np.int64)
        _choose(data, *picked, *table, default, out)
        return out

    endpoint = chosen(path("call_type"), _CALL_TABLE, 5)
    columns["endpoint"] = pa.DictionaryArray.from_arrays(pa.array(endpoint.astype(np.int8)), list(ENDPOINTS)).cast(
        pa.string()
    )
    status = chosen(path("status"), _STATUS_TABLE, 0)
    code = np.empty(lines, np.int64)
    code_valid = np.empty(lines, np.bool_)
    code_start, code_stop, code_kind = path("error_information.error_code")
    digits = np.where((code_kind & 15) == TEXT_PLAIN, spans.NUMBER, code_kind)
    empty = (code_start < 0) | (code_stop == code_start)
    read_int(data, np.where(empty, -1, code_start).astype(np.int32), code_stop, digits, ok, code, code_valid)
    columns["status"] = number_array(np.where((status != 200) & code_valid, code, status), status > 0, pa.int64())

    s_start, _, s_kind = path("stream")
    plain = s_kind & 15
    known = (s_start >= 0) & ((plain == TRUE) | (plain == FALSE))
    columns["stream"] = pa.array(plain == TRUE, mask=~known)

    names = np.empty(size + events, np.uint8)
    client = np.empty(size + events, np.uint8)
    n_off = np.empty(lines + 1, np.int32)
    c_off = np.empty(lines + 1, np.int32)
    n_used, c_used = _headers(
        data, events, s.line, s.leaf, s.kind, s.start, s.stop, ok, lines, names, n_off, client, c_off
    )
    columns["header_names"] = string_array(names[: n_used + PADDING], n_used, n_off, n_off[1:] > n_off[:-1])
    columns["client_headers"] = string_array(client[: c_used + PADDING], c_used, c_off, c_off[1:] > c_off[:-1])
    for column, header in (("referer", b"http-referer"), ("title", b"x-title")):
        where = np.full((2, lines), -1, np.int32)
        what = np.zeros(lines, np.int32)
        _header_value(data, events, s.line, s.leaf, s.kind, s.start, s.stop, header, where[0], where[1], what)
        if column == "referer":
            other = np.full((2, lines), -1, np.int32)
            other_kind = np.zeros(lines, np.int32)
            _header_value(data, events, s.line, s.leaf, s.kind, s.start, s.stop, b"referer", other[0], other[1], other_kind)
            gap = where[0] < 0
            where[:, gap], what[gap] = other[:, gap], other_kind[gap]
        columns[column] = _strings(data, where[0], where[1], what, ok)

    def event_span(which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        there = which >= 0
        at = np.maximum(which, 0)
        return np.where(there, s.start[at], -1), np.where(there, s.stop[at], -1), s.kind[at]

    text = np.where(answer[0] >= 0, answer[0], answer[2])
    columns["response"] = _strings(data, *event_span(text), ok)
    columns["reasoning"] = _strings(data, *event_span(answer[1]), ok)
    finish = event_span(answer[3])
    columns["finish_reason"] = _strings(data, *finish, ok)
    columns["refused"] = pa.array(chosen(finish, _FINISH_TABLE, 0) == 1, mask=finish[0] < 0)
    columns["choices"] = number_array(choices, choices > 0, pa.int64())

    roles = np.empty(messages * 16 + size // 4 + PADDING, np.uint8)
    texts = np.empty(size + messages + PADDING, np.uint8)
    r_off, t_off = np.empty(messages + 1, np.int32), np.empty(messages + 1, np.int32)
    t_valid = np.empty(messages + 1, np.bool_)
    l_off = np.empty(lines + 1, np.int32)
    l_valid = np.empty(lines, np.bool_)
    kept, r_used, t_used = _message_text(
        data, messages, m_line, m_role, m_first, m_last, p_event, s.kind, s.start, s.stop, ok,
        roles, r_off, texts, t_off, t_valid, l_off, l_valid,
    )  # fmt: skip
    body = pa.StructArray.from_arrays(
        [
            string_array(roles, r_used, r_off[: kept + 1], np.ones(kept, np.bool_)),
            string_array(texts, t_used, t_off[: kept + 1], t_valid[:kept]),
            pa.nulls(kept, pa.string()),
        ],
        fields=list(tables.MESSAGE),
    )
    columns["messages"] = pa.Array.from_buffers(
        pa.list_(tables.MESSAGE), lines, [bitmap(l_valid), pa.py_buffer(l_off)], children=[body]
    )
    columns["line"] = pa.array(np.arange(lines, dtype=np.int64) + block.first_line)
    rows = [columns[f.name] if f.name in columns else pa.nulls(lines, f.type) for f in tables.EXCHANGE]
    batch = pa.RecordBatch.from_arrays(rows, schema=tables.EXCHANGE)
    left = [
        (block.first_line + int(i), block.data[s.line_start[i] : s.line_stop[i]])
        for i in np.flatnonzero(~ok)
        if block.data[s.line_start[i] : s.line_stop[i]].strip()
    ]
    if not ok.all():
        batch = batch.filter(pa.array(ok))
    return Compiled(batch, left, lines)


def _strings(data, start, stop, kind, ok):  # type: ignore[no-untyped-def]
    out = np.empty(int(np.maximum(stop - start, 0).sum()) + PADDING, np.uint8)
    offsets = np.empty(len(start) + 1, np.int32)
    valid = np.empty(len(start), np.bool_)
    used = copy_strings(data, start, stop, kind, ok, out, offsets, valid)
    valid &= offsets[1:] > offsets[:-1]
    return string_array(out, used, offsets, valid)
