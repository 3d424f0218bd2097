"""From sorted events of LiteLLM payloads to a batch of tables.EXCHANGE, column by column.

`formats.litellm.exchanges` is the model: each line below says the same as a line there.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from stillwatch import tables
from stillwatch.ingest import litellm_headers, litellm_rows
from stillwatch.ingest.clean import _MAX_TEXT, _SECRET_PRONE
from stillwatch.ingest.compact import compact_strings
from stillwatch.ingest.decode import (
    bitmap,
    copy_strings,
    number_array,
    read_float,
    read_int,
    read_time,
    room_for,
    span_bytes,
    string_array,
)
from stillwatch.ingest.formats import headers as header_format
from stillwatch.ingest.json_bytes import TRUE
from stillwatch.ingest.litellm_headers import CREDENTIALS, HINTS
from stillwatch.ingest.litellm_paths import (
    _USAGES,
    _USED,
    ANSWER_FIELDS,
    AT,
    CALLS,
    ENDPOINTS,
    REFUSED,
    SCALARS,
    SLOTS,
    STATUS,
)
from stillwatch.ingest.spans import VALUE

_ANY_INT = -(2**62)
_MAX_ANY = 1 << 30
_META = "metadata.user_api_key"
_ASKED = "model_parameters."
_USAGE_FIELDS = np.array([[AT[f"{usage}/"], *(AT[f"{usage}.{field}"] for field in _USED)] for usage in _USAGES])
_PROMPT, _COMPLETION, _REASONED, _CACHED, _CACHE_READ = (_USAGE_FIELDS[:, 1 + k] for k in range(len(_USED)))
_IDS = (
    ("exchange_id", ("litellm_call_id", "id")),
    ("account_id", (f"{_META}_user_id", f"{_META}_team_id", f"{_META}_hash", _META)),
    ("model", ("model_group", "model")),
    ("key_id", (f"{_META}_hash", _META)),
    ("org_id", (f"{_META}_org_id", f"{_META}_team_id")),
    ("end_user_id", ("end_user", f"{_META}_end_user_id", f"{_ASKED}user")),
    ("session_id", ("session_id", "trace_id")),
    ("parent_id", (f"{_ASKED}previous_response_id",)),
)
_REQUIRED = ("exchange_id", "account_id", "model")


class Columns:
    """Builds the columns of one block; `ok` (lines,) loses the lines that only the record reader can judge."""

    def __init__(self, data: np.ndarray, count: int, events: np.ndarray, ok: np.ndarray, max_id_bytes: int) -> None:
        self.data, self.events, self.ok = data, events, ok
        self.lines = lines = len(ok)
        self._max_id = max_id_bytes
        self._built: dict[str, pa.Array] = {}
        self._scalar = np.full((SCALARS, lines), -1, np.int32)
        self._answer, self._header = np.full((ANSWER_FIELDS, lines), -1, np.int32), np.full((2, lines), -1, np.int32)
        self._choices = np.zeros(lines, np.int64)
        self._messages = np.empty((count + 1, litellm_rows.MESSAGE_COLUMNS), np.int32)
        self._parts = np.empty(count + 1, np.int32)
        self._sizes = litellm_rows.gather(
            data,
            count,
            events,
            self._scalar,
            self._answer,
            self._choices,
            self._header,
            self._messages,
            self._parts,
            ok,
        )
        litellm_rows.check_messages(self._messages, self._sizes[0], ok)

    def batch(self, first_line: int, earliest_us: int, latest_us: int) -> pa.RecordBatch:
        """Rows of the lines that are ok in the end, in their order."""
        slots = self._headers()
        self._ids()
        self._network(slots)
        self._parameters()
        self._usage()
        self._times(earliest_us, latest_us)
        self._outcome()
        response, reasoning, calls = (np.empty(self.lines, np.int32) for _ in range(3))
        litellm_rows.answers(self.data, self.events, self._answer, self.ok, response, reasoning, calls)
        self._json("response_extra", calls)
        self._built["line"] = pa.array(np.arange(first_line, first_line + self.lines))
        built = self._built
        batch = pa.RecordBatch.from_arrays(list(built.values()), names=list(built))
        if not self.ok.all():
            batch = batch.filter(pa.array(self.ok))
            response, reasoning = response[self.ok], reasoning[self.ok]
        columns = dict(zip(built, batch.columns, strict=True))
        columns["response"], columns["reasoning"] = self._texts(response), self._texts(reasoning)
        columns["messages"] = self._conversations()
        rows = [columns[f.name] if f.name in columns else pa.nulls(len(batch), f.type) for f in tables.EXCHANGE]
        return pa.RecordBatch.from_arrays(rows, schema=tables.EXCHANGE)

    def _first(self, *fields: str) -> np.ndarray:
        return self._first_of(self._scalar, [AT[field] for field in fields])

    def _first_of(self, table: np.ndarray, fields: Iterable[int]) -> np.ndarray:
        out = np.empty(self.lines, np.int32)
        litellm_rows.first_of(self.events, table, np.array(list(fields), np.int64), out)
        return out

    def _texts(self, which: np.ndarray) -> pa.Array:
        return string_array(*self._decoded(which))

    def _decoded(self, which: np.ndarray) -> tuple[np.ndarray, int, np.ndarray, np.ndarray]:
        out = room_for(span_bytes(self.events, which))
        offsets, valid = np.empty(len(which) + 1, np.int32), np.empty(len(which), np.bool_)
        used = copy_strings(self.data, self.events, which, out, offsets, valid)
        return out, used, offsets, valid

    def _text(self, name: str, which: np.ndarray, *, is_id: bool = False) -> np.ndarray:
        """A text column; returns where it has one."""
        out, used, offsets, valid = self._decoded(which)
        self._check(name, out, offsets, valid, is_id=is_id)
        self._built[name] = string_array(out, used, offsets, valid)
        return valid

    def _check(self, name: str, out: np.ndarray, offsets: np.ndarray, valid: np.ndarray, *, is_id: bool) -> None:
        limit = self._max_id if is_id else _MAX_TEXT.get(name, _MAX_ANY)
        secret_prone = name in _SECRET_PRONE
        if is_id or secret_prone or limit < _MAX_ANY:
            litellm_headers.check_ids(out, offsets, valid, limit, is_id, secret_prone, *HINTS, self.ok)

    def _json(self, name: str, which: np.ndarray) -> None:
        out = room_for(span_bytes(self.events, which))
        offsets, valid = np.empty(self.lines + 1, np.int32), np.empty(self.lines, np.bool_)
        used = compact_strings(self.data, self.events, which, self.ok, out, offsets, valid)
        self._built[name] = string_array(out, used, offsets, valid)

    def _int(self, which: np.ndarray, least: int = 0) -> tuple[np.ndarray, np.ndarray]:
        out, valid = np.empty(self.lines, np.int64), np.empty(self.lines, np.bool_)
        read_int(self.data, self.events, which, least, self.ok, out, valid)
        return out, valid

    def _count(self, name: str, which: np.ndarray, least: int = 0) -> None:
        self._built[name] = number_array(*self._int(which, least), pa.int64())

    def _chosen(
        self, which: np.ndarray, table: tuple[np.ndarray, ...], default: int, *, fold: bool = False
    ) -> np.ndarray:
        out = np.empty(self.lines, np.int64)
        litellm_rows.choose(self.data, self.events, which, *table, fold, default, out)
        return out

    def _ids(self) -> None:
        for name, fields in _IDS:
            valid = self._text(name, self._first(*fields), is_id=True)
            if name in _REQUIRED:
                self.ok &= valid

    def _headers(self) -> np.ndarray | None:
        """Header names and client headers; events (slots, lines) of the values that have a column of their own."""
        size = self._sizes[1]
        if not size:
            return None
        names, client, offsets = (
            room_for(size),
            room_for(size + len(self.data)),
            np.zeros((2, self.lines + 1), np.int32),
        )
        slots = np.full((len(SLOTS), self.lines), -1, np.int32)
        used = litellm_headers.headers_of(
            self.data, self.events, self._header, self.ok, _MAX_TEXT["header_names"], names, offsets[0], client,
            offsets[1], slots, *CREDENTIALS,
        )  # fmt: skip
        for name, out, bounds, n in (
            ("header_names", names, offsets[0], used[0]),
            ("client_headers", client, offsets[1], used[1]),
        ):
            valid = bounds[1:] > bounds[:-1]
            self._check(name, out, bounds, valid, is_id=False)
            self._built[name] = string_array(out, n, bounds, valid)
        return slots

    def _network(self, slots: np.ndarray | None) -> None:
        address = self._first("requester_ip_address", "metadata.requester_ip_address")
        litellm_rows.trim_addresses(self.data, self.events, address, self.ok)
        self._text("ip", address)
        agent = self._first("user_agent", "metadata.user_agent")
        if slots is not None:
            agent = np.where(agent < 0, self._first_of(slots, [SLOTS["user-agent"]]), agent)
            for name, sources in (
                ("referer", ("http-referer", "referer")),
                ("title", ("x-title", "x-openrouter-title")),
                ("tls_fingerprint", header_format._TLS),
                ("country", header_format._COUNTRY),
            ):
                self._text(name, self._first_of(slots, [SLOTS[source] for source in sources]))
            networks = self._first_of(slots, [SLOTS[source] for source in header_format._ASN])
            out, valid = np.empty(self.lines, np.int64), np.empty(self.lines, np.bool_)
            litellm_headers.network_numbers(self.data, self.events, networks, self.ok, out, valid)
            self._built["asn"] = number_array(out, valid, pa.int64())
        self._text("user_agent", agent)

    def _parameters(self) -> None:
        first, lines = self._first, self.lines
        self._text("reasoning_effort", first(f"{_ASKED}reasoning_effort"))
        for name in ("response_format", "tools"):
            self._json(name, first(f"{_ASKED}{name}!"))
        self._count("max_tokens", first(f"{_ASKED}max_tokens", f"{_ASKED}max_completion_tokens"), _ANY_INT)
        self._count("n", first(f"{_ASKED}n"))
        asked = first(f"{_ASKED}logprobs")
        out, valid = self._int(asked, _ANY_INT)
        top, top_valid = self._int(first(f"{_ASKED}top_logprobs"), _ANY_INT)
        given = self._scalar[AT["model_parameters/"]]
        litellm_rows.logprobs(self.data, self.events, given, asked, top, top_valid, self.ok, out, valid)
        self._built["logprobs"] = number_array(out, valid, pa.int64())
        warm = np.empty(lines, np.float64)
        valid = np.empty(lines, np.bool_)
        read_float(self.data, self.events, first(f"{_ASKED}temperature"), self.ok, warm, valid)
        self._built["temperature"] = number_array(warm, valid, pa.float64())
        stream = first(f"{_ASKED}stream", "stream")
        self._built["stream"] = pa.array(self.events[stream, VALUE] == TRUE, mask=stream < 0)

    def _usage(self) -> None:
        scalar = self._scalar
        litellm_rows.choose_usage(self.events, scalar, _USAGE_FIELDS, AT["prompt_tokens"], self.ok)
        self._count("tokens_in", self._first_of(scalar, [AT["prompt_tokens"], *_PROMPT]))
        self._count("tokens_out", self._first_of(scalar, [AT["completion_tokens"], *_COMPLETION]))
        self._count("tokens_reasoning", self._first_of(scalar, _REASONED))
        cached = [field for pair in zip(_CACHED, _CACHE_READ, strict=True) for field in pair]
        self._count("tokens_cached", self._first_of(scalar, cached))

    def _times(self, earliest_us: int, latest_us: int) -> None:
        (start, end), (known, ended) = np.empty((2, self.lines), np.int64), np.empty((2, self.lines), np.bool_)
        for field, out, valid in (("startTime", start, known), ("endTime", end, ended)):
            read_time(self.data, self.events, self._first(field), earliest_us, latest_us, self.ok, out, valid)
        self.ok &= known & (~ended | (end >= start))
        self._built["at"] = pa.array(start)
        self._built["latency_ms"] = number_array((end - start) // 1000, known & ended, pa.int64())

    def _outcome(self) -> None:
        calls = self._first("call_type")
        other = len(ENDPOINTS) - 1
        endpoint = self._chosen(calls, CALLS, other)
        litellm_rows.check_calls(self.data, self.events, calls, endpoint, other, self.ok)
        self._built["endpoint"] = pa.array(ENDPOINTS).take(pa.array(endpoint))
        status = self._first("status")
        code = self._chosen(status, STATUS, 0)
        errors = self._first("error_information.error_code")
        litellm_rows.statuses(self.data, self.events, status, errors, self.ok, code)
        self._built["status"] = pa.array(code)
        choices = self._choices
        returned = self._scalar[AT["response.choices/"]] >= 0
        self._built["choices"] = number_array(choices, returned, pa.int64())
        finish = self._answer[5]
        litellm_rows.check_finish(self.events, finish, self.ok)
        self._built["finish_reason"] = self._texts(finish)
        refused = self._chosen(finish, REFUSED, 0, fold=True) == 1
        self._built["refused"] = pa.array(refused, mask=choices == 0)

    def _conversations(self) -> pa.Array:
        messages, _, text_bytes, role_bytes = self._sizes
        rows = int(np.count_nonzero(self.ok))
        roles, role_offsets = room_for(role_bytes), np.empty(messages + 1, np.int32)
        texts, text_offsets = room_for(text_bytes), np.empty(messages + 1, np.int32)
        valid, lists = np.empty(messages, np.bool_), np.empty(rows + 1, np.int32)
        list_valid = np.empty(rows, np.bool_)
        kept, role_used, text_used = litellm_rows.messages_of(
            self.data, self.events, self._messages, messages, self._parts, self.ok,
            roles, role_offsets, texts, text_offsets, valid, lists, list_valid,
        )  # fmt: skip
        body = pa.StructArray.from_arrays(
            [
                string_array(roles, role_used, role_offsets[: kept + 1], np.ones(kept, np.bool_)),
                string_array(texts, text_used, text_offsets[: kept + 1], valid[:kept]),
                pa.nulls(kept, pa.string()),
            ],
            fields=list(tables.MESSAGE),
        )
        bounds = [bitmap(list_valid), pa.py_buffer(lists)]
        return pa.Array.from_buffers(pa.list_(tables.MESSAGE), rows, bounds, children=[body])
