"""`sketch(exchanges) -> sketches`: the only step of Stillwatch that reads text.

A pure function of the batch and the deployment secret: same input, same output, on any engine that can map Arrow
batches. What each column reveals, and what it cannot, is in docs/explanation/sketch.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stillwatch import tables
from stillwatch.sketch import answer, forms, intent, lexicon, rows, words
from stillwatch.sketch.cues import prefilter
from stillwatch.sketch.elicitation import Cues
from stillwatch.sketch.hashing import Secret, finish, hash_strings, siphash64
from stillwatch.sketch.labels import vocabulary
from stillwatch.sketch.normalise import character_table
from stillwatch.sketch.words import LANES

SKETCH_VERSION: Final = 2  # raised whenever a column changes what it means; stores of two versions do not mix

ROUTER_MARKS: Final = ("router_software", "forwarded_app", "relay_headers", "forward_chain")
_ROUTER_SOFTWARE = (
    "litellm", "openrouter", "one-api", "new-api", "portkey", "helicone", "claude-relay", "sub2api", "bifrost",
)  # fmt: skip
_RELAY_HEADERS = (
    "x-litellm-", "x-portkey-", "helicone-", "cf-aig-", "x-openrouter-", "x-relay-", "x-newapi-", "x-oneapi-",
)  # fmt: skip


class Text:
    """A string column as (data, offsets, valid) arrays that compiled code can read eight bytes past the end."""

    __slots__ = ("data", "offsets", "valid")

    def __init__(self, column: pa.Array) -> None:
        size = len(column)
        _, offsets, data = column.buffers()
        self.offsets = (
            np.frombuffer(offsets, np.int32)[column.offset : column.offset + size + 1]
            if offsets is not None and offsets.size
            else np.zeros(size + 1, np.int32)
        )
        used = int(self.offsets[-1]) if len(self.offsets) else 0
        raw = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(16, np.uint8)
        self.data = raw if len(raw) >= used + 8 else np.concatenate([raw, np.zeros(16, np.uint8)])
        self.valid = valid_of(column)


def valid_of(column: pa.Array) -> np.ndarray:
    """(rows,) boolean: which entries are not null."""
    if column.null_count == 0:
        return np.ones(len(column), np.bool_)
    return np.asarray(column.is_valid())


class Sketcher:
    """`sketch` with its tables and scratch memory at hand; one object for each thread."""

    def __init__(self, secret: Secret, cues: Cues) -> None:
        self.secret = secret
        self.cues = cues
        self._seed = secret.seed("content")
        held = lexicon.load()
        self._dictionary = words.Dictionary.of(held, cues.prefilter)
        self._rot13 = held.languages.index("rot13") + 1
        self._table = character_table()
        tables = cues.prefilter
        self._plan = tables.plan
        self._work = words.scratch(len(tables.lane_mark))
        self._memo, self._memo_again = words.new_memo(), prefilter.new_memo()
        self._refusals = answer.refusal_table()
        self._intent = intent.load()
        self._intent_head = np.array(self._intent[1:])
        self._labels = vocabulary()
        self._text = np.empty(16 << 20, np.uint8)

    def hashes(self, column: pa.Array, use: str) -> np.ndarray:
        """(rows,) uint64 keyed hashes of a string column, 0 where null or empty."""
        if column.null_count == len(column):
            return np.zeros(len(column), np.uint64)
        text = Text(column)
        out = np.empty(len(column), np.uint64)
        hash_strings(text.data, text.offsets, text.valid, self.secret.seed(use), self.secret.k0, self.secret.k1, out)
        return out

    def value(self, text: str, use: str) -> int:
        """The keyed hash of one value, as `hashes` gives it."""
        return int(self.hashes(pa.array([text]), use)[0])

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Sketch a batch of `tables.EXCHANGE`; the result has the same rows in the same order, as `tables.SKETCH`."""
        size = batch.num_rows
        column = {name: batch.column(i) for i, name in enumerate(batch.schema.names)}
        out: dict[str, pa.Array] = {name: column[name] for name in ("exchange_id", "at", "stream", "asn", "line")}
        for name, source in (
            ("account", "account_id"), ("key", "key_id"), ("org", "org_id"), ("end_user", "end_user_id"),
            ("session", "session_id"), ("model", "model"), ("ip", "ip"), ("ip_kind", "ip_kind"),
            ("tls", "tls_fingerprint"), ("header_order", "header_names"), ("user_agent", "user_agent"),
        ):  # fmt: skip
            out[name] = _or_null(self.hashes(column[source], name))
        for name in ("max_tokens", "n", "logprobs", "tokens_in", "tokens_out", "tokens_reasoning", "tokens_cached",
                     "latency_ms", "choices"):  # fmt: skip
            out[name] = _narrow(column[name], np.int32)
        out["status"] = _narrow(column["status"], np.int16)
        out["temperature"] = column["temperature"].cast(pa.float32())
        out["endpoint"] = _endpoint(column["endpoint"])
        self._shapes(column, out, size)
        self._forms(column, out, size)
        self._network(column, out, size)
        chain = self._prompts(column["messages"], out, size)
        self._answers(column, chain, out, size)
        return pa.RecordBatch.from_arrays([out[f.name] for f in tables.SKETCH], schema=tables.SKETCH)

    def _shapes(self, column: dict[str, pa.Array], out: dict[str, pa.Array], size: int) -> None:
        shapes = []
        for name, source in (("format_shape", "response_format"), ("tools_shape", "tools")):
            shape = np.zeros(size, np.uint64)
            if column[source].null_count < size:
                text = Text(column[source])
                answer.shape_of_json(
                    text.data, text.offsets, text.valid, self._seed, self.secret.k0, self.secret.k1, shape
                )
            shapes.append(shape)
            out[name] = _or_null(shape)
        mixed = shapes[0] * np.uint64(3) + shapes[1] * np.uint64(5)
        for name in ("endpoint", "stream", "temperature", "max_tokens", "n", "logprobs"):
            array = out[name]
            values = np.asarray(array.cast(pa.float64()).fill_null(0.0)).view(np.uint64)
            mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + values + valid_of(array).astype(np.uint64)
        # few sets of parameters a batch: keyed one by one
        distinct, place = np.unique(_scatter(mixed), return_inverse=True)
        keyed = np.array([siphash64(v, self.secret.k0, self.secret.k1) for v in distinct], np.uint64)
        out["params"] = pa.array(keyed[place])

    def _forms(self, column: dict[str, pa.Array], out: dict[str, pa.Array], size: int) -> None:
        asked, given = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for source, one_tool in (("response_format", False), ("tools", True)):
            if column[source].null_count < size:
                schema = Text(column[source])
                forms.read_schema(schema.data, schema.offsets, schema.valid, *self._labels, one_tool, asked)
        messages = column["messages"]
        known = valid_of(messages)
        roles, text = (Text(messages.values.field(i)) for i in range(2))
        forms.read_asked(
            np.asarray(messages.offsets), known, roles.data, roles.offsets, text.data, text.offsets, *self._labels,
            asked,
        )  # fmt: skip
        answers = Text(column["response"])
        forms.read_given(answers.data, answers.offsets, answers.valid, *self._labels, given)
        out["asked_form"] = pa.array(asked.astype(np.uint32), mask=~known & (asked == 0))
        out["answer_form"] = pa.array(given.astype(np.uint32), mask=~answers.valid | (np.diff(answers.offsets) == 0))

    def _network(self, column: dict[str, pa.Array], out: dict[str, pa.Array], size: int) -> None:
        net = np.zeros(size, np.uint64)
        if column["ip"].null_count < size:
            text = Text(column["ip"])
            answer.network_of(
                text.data, text.offsets, text.valid, self.secret.seed("ip_net"), self.secret.k0, self.secret.k1, net
            )
        out["ip_net"] = _or_null(net)
        client = _by_value(column["client_headers"], self.hashes(column["client_headers"], "client"), _client, "")
        out["client"] = _or_null(self.hashes(pa.array(client, pa.string()), "client") if size else net)
        app = np.where(
            (title := self.hashes(column["title"], "app")) != 0, title, self.hashes(column["referer"], "app")
        )
        out["app"] = _or_null(app)
        marks = np.zeros(size, np.uint8)
        for source, look in (("header_names", _marks_in_headers), ("user_agent", _marks_in_agent)):
            marks |= _by_value(column[source], self.hashes(column[source], source), look, 0).astype(np.uint8)
        marks |= (app != 0).astype(np.uint8) << 1
        known = valid_of(column["header_names"]) | valid_of(column["user_agent"])
        out["router_marks"] = pa.array(marks, mask=~known)

    def _prompts(self, messages: pa.Array, out: dict[str, pa.Array], size: int) -> np.ndarray:
        body = messages.values
        roles, text, extra = (Text(body.field(i)) for i in range(3))
        hashes = {name: np.zeros(size, np.uint64) for name in (
            "system", "system_head", "prompt", "chain_root", "chain_parent", "chain_self", "chain_plain")}  # fmt: skip
        heads = np.zeros((3, size), np.uint64)
        lanes = np.zeros((size, LANES), np.uint64)
        ints = {name: np.zeros(size, np.int64) for name in ("prompt_bytes", "words", "cell", "script", "language",
                                                           "obfuscation", "turns")}  # fmt: skip
        list_off = np.asarray(messages.offsets)
        list_valid = valid_of(messages)
        bounds = np.zeros(size + 1, np.int64)
        rooms = 4 * size + 64
        while True:
            found = prefilter.Candidates.new(size, rooms)
            where = found.addresses(rooms)
            used = rows.read(
                list_off, list_valid, roles.data, roles.offsets, text.data, text.offsets, text.valid,
                extra.data, extra.offsets, extra.valid, self._seed, self.secret.k0, self.secret.k1,
                self._table, self._text.ctypes.data, self._dictionary.table.ctypes.data,
                len(self._dictionary.table) // 2, self._dictionary.bloom.ctypes.data, self._rot13,
                self._plan.ctypes.data, where.ctypes.data, self._memo.ctypes.data, self._memo_again.ctypes.data,
                self._work.ctypes.data,
                self._text, bounds, hashes["system"], hashes["system_head"], hashes["prompt"], ints["prompt_bytes"],
                ints["words"], heads, lanes.ctypes.data, ints["cell"], ints["script"], ints["language"],
                ints["obfuscation"], ints["turns"], hashes["chain_root"], hashes["chain_parent"], hashes["chain_self"],
                hashes["chain_plain"],
            )  # fmt: skip
            if used >= 0:
                break
            self._text = np.empty(len(self._text) * 2, np.uint8)
            for array in (*hashes.values(), *ints.values(), heads, lanes):
                array[...] = 0
        # a batch with more candidates than there was room for is walked again by the cues themselves
        bits = self.cues.read(self._text, bounds, None if found.used[1] else found)
        reads = np.zeros(size, np.uint8)
        intent.score(self._text, bounds, self._intent.weights, self._intent_head, reads)
        absent = hashes["prompt"] == 0
        plain = hashes.pop("chain_plain")
        for name, values in hashes.items():
            out[name] = _or_null(values)
        for k, name in enumerate(("head", "head_long", "tail")):
            out[name] = _or_null(heads[k])
        for k in range(LANES):
            out[f"band{k}"] = pa.array(np.ascontiguousarray(lanes[:, k]), mask=absent)
        for name, kind in (("prompt_bytes", np.int32), ("words", np.int32), ("cell", np.uint16), ("script", np.uint8),
                           ("language", np.uint8), ("obfuscation", np.uint8)):  # fmt: skip
            out[name] = pa.array(ints[name].astype(kind), mask=absent)
        out["turns"] = pa.array(ints["turns"].astype(np.int32), mask=~list_valid)
        out["elicits"] = pa.array(bits, mask=absent)
        out["intent"] = pa.array(reads, mask=absent)
        return plain

    def _answers(self, column: dict[str, pa.Array], chain: np.ndarray, out: dict[str, pa.Array], size: int) -> None:
        text = Text(column["response"])
        hashed, given = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
        length, lines, shape, refused = (np.zeros(size, np.int64) for _ in range(4))
        answer.read_answers(
            text.data, text.offsets, text.valid, self._seed, self.secret.k0, self.secret.k1, *self._refusals,
            chain, hashed, given, length, lines, shape, refused,
        )  # fmt: skip
        out["chain_given"] = _or_null(given)
        absent = hashed == 0
        out["answer"] = _or_null(hashed)
        out["answer_bytes"] = pa.array(length.astype(np.int32), mask=absent)
        out["answer_lines"] = pa.array(lines.astype(np.int32), mask=absent)
        out["answer_shape"] = pa.array(shape.astype(np.uint8), mask=absent)
        said = np.asarray(column["refused"].fill_null(False)) | (refused == 1)
        out["refused"] = pa.array(said, mask=absent & ~valid_of(column["refused"]))
        reasoning = column["reasoning"]
        if reasoning.null_count == size:
            out["reasoning_bytes"] = pa.nulls(size, pa.int32())
        else:
            spans = Text(reasoning)
            out["reasoning_bytes"] = pa.array(np.diff(spans.offsets).astype(np.int32), mask=~spans.valid)
        for name, source in (("blobs_in", "reasoning_blobs_in"), ("blobs_out", "reasoning_blobs_out")):
            blobs = column[source]
            if blobs.null_count == size:
                out[name] = pa.nulls(size, pa.list_(pa.uint64()))
            else:
                values = pa.array(self.hashes(blobs.values, "blob"))
                out[name] = pa.ListArray.from_arrays(blobs.offsets, values)


def _scatter(values: np.ndarray) -> np.ndarray:
    """SplitMix64 finaliser of each entry, never 0."""
    z = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return np.where(z == 0, np.uint64(1), z)


def _or_null(values: np.ndarray) -> pa.Array:
    absent = values == 0
    return pa.array(values, mask=absent) if absent.any() else pa.array(values)


def _narrow(column: pa.Array, kind: type) -> pa.Array:
    limits = np.iinfo(kind)
    values = np.clip(np.asarray(column.fill_null(0)), limits.min, limits.max).astype(kind)
    return pa.array(values, mask=~valid_of(column)) if column.null_count else pa.array(values)


def _endpoint(column: pa.Array) -> pa.Array:
    found = pc.index_in(column, pa.array(tables.ENDPOINTS))
    known = found.fill_null(len(tables.ENDPOINTS) - 1).cast(pa.uint8())
    return pa.array(np.asarray(known), mask=~valid_of(column)) if column.null_count else known


def _by_value(column, hashes, function, absent):  # type: ignore[no-untyped-def]
    """function(value) for each row, called once per distinct value of the batch."""
    distinct, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    found = [function(column[int(i)].as_py()) if h else absent for h, i in zip(distinct, first, strict=True)]
    return np.array(found, dtype=object if isinstance(absent, str) else np.uint8)[inverse]


@lru_cache(maxsize=65536)
def _client(headers: str) -> str:
    """The SDK's own words about itself, without what changes from call to call."""
    changing = ("retry-count", "timeout", "helper", "raw-response", "request-id", "idempotency")
    return "\n".join(sorted(x for x in headers.split("\n") if not any(c in x.partition("=")[0] for c in changing)))


@lru_cache(maxsize=65536)
def _marks_in_headers(names: str) -> int:
    forwarded = {"via", "forwarded", "x-forwarded-host", "x-original-forwarded-for"} & set(names.split(","))
    return (4 if any(mark in names for mark in _RELAY_HEADERS) else 0) | (8 if forwarded else 0)


@lru_cache(maxsize=65536)
def _marks_in_agent(agent: str) -> int:
    lower = agent.lower()
    return int(any(name in lower for name in _ROUTER_SOFTWARE))


__all__ = ["ROUTER_MARKS", "SKETCH_VERSION", "Sketcher", "Text", "finish", "siphash64", "valid_of"]
