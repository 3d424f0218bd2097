"""OpenTelemetry traces and logs as OTLP/JSON, and flat span exports (Phoenix): the envelope.

One record is a `TracesData` or `LogsData` object. Spans that are model calls become exchanges; what they lack is
taken from the spans above them in the same record (client.address, user_agent.original, user.id on the server span)
and from the resource. Message content may stand on the span, on its span events, or in log records; log records are
joined to their span by trace and span id within what is read together. How each dialect names things is in
dialects.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from stillwatch.ingest.formats import dialects
from stillwatch.ingest.formats.base import Format, first, guarded, mapping, names, sequence, text, time_us

_MAX_DEPTH = 64  # of attribute values and of span ancestry


def detect(record: Mapping[str, Any]) -> bool:
    """Whether the record is an OTLP envelope or a flat span with attributes of a known dialect."""
    if any(key in record for key in ("resourceSpans", "resourceLogs", "resource_spans", "resource_logs")):
        return True
    return "attributes" in record and (
        ("context" in record and "trace_id" in mapping(record["context"]))
        or "traceId" in record
        or "trace_id" in record
        or "context.trace_id" in record
    )


def exchanges(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The exchanges of every span and log record in it; `_skipped` counts spans that are no model calls."""
    spans: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
    for group in sequence(first(record.get("resourceSpans"), record.get("resource_spans"))):
        spans += _entries(mapping(group), ("scopeSpans", "scope_spans", "instrumentationLibrarySpans"), "spans")
    logs: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
    for group in sequence(first(record.get("resourceLogs"), record.get("resource_logs"))):
        logs += _entries(mapping(group), ("scopeLogs", "scope_logs"), "logRecords", "log_records")
    if "attributes" in record:
        spans.append((record, {}))
    yield from _from_spans(spans)
    for entry, resource in logs:
        yield from guarded(partial(_from_log, entry, resource))


def _entries(
    group: Mapping[str, Any], scopes: tuple[str, ...], *names: str
) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    resource = attributes_of(mapping(group.get("resource")).get("attributes"))
    for key in scopes:
        for scope in sequence(group.get(key)):
            for name in names:
                for entry in sequence(mapping(scope).get(name)):
                    if isinstance(entry, Mapping):
                        yield entry, resource


def _from_spans(spans: list[tuple[Mapping[str, Any], dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    attributes = [_span_attributes(span) for span, _ in spans]
    by_id: dict[str, tuple[dict[str, Any], str | None]] = {}
    for (span, _), own in zip(spans, attributes, strict=True):
        ident = _ids(span)[1]
        if ident:
            by_id[ident] = (own, _parent(span))
    skipped = 0
    for (span, resource), own in zip(spans, attributes, strict=True):
        if not dialects.is_call(own):
            skipped += 1
            continue
        yield from guarded(partial(_one, span, own, _inherited(span, by_id, resource)))
    if skipped:
        yield {"_skipped": skipped}


def _inherited(
    span: Mapping[str, Any], by_id: Mapping[str, tuple[dict[str, Any], str | None]], resource: dict[str, Any]
) -> dict[str, Any]:
    """Attributes of the spans above (nearest first) and of the resource."""
    out: dict[str, Any] = {}
    parent, seen = _parent(span), 0
    while parent is not None and parent in by_id and seen < _MAX_DEPTH:
        above, parent = by_id[parent]
        out = {**above, **out}
        seen += 1
    return {**resource, **out}


def _one(span: Mapping[str, Any], own: dict[str, Any], above: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield _exchange(span, own, above)


def _exchange(span: Mapping[str, Any], own: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    trace, ident = _ids(span)
    begun = first(
        span.get("startTimeUnixNano"), span.get("start_time_unix_nano"), span.get("start_time"), span.get("startTime")
    )
    ended = first(
        span.get("endTimeUnixNano"), span.get("end_time_unix_nano"), span.get("end_time"), span.get("endTime")
    )
    events = [
        (text(first(event.get("name"))) or "", attributes_of(event.get("attributes")))
        for event in sequence(span.get("events"))
        if isinstance(event, Mapping)
    ]
    out = dialects.columns(own, above, events)
    out["exchange_id"] = f"{trace}:{ident}" if trace and ident else ident
    out["at"] = time_us(begun, "startTimeUnixNano")
    out["_end"] = time_us(ended, "endTimeUnixNano")
    out.setdefault("parent_id", _parent(span))
    out.setdefault("session_id", trace)
    status = mapping(span.get("status"))
    failed = str(first(status.get("code"), span.get("status_code"))).upper() in ("2", "STATUS_CODE_ERROR", "ERROR")
    out.setdefault("status", 500 if failed else 200)
    out["_source"] = {**above, **own}
    if trace and ident and "messages" not in out and "response" not in out:
        out["_join"] = (("otel", f"{trace}:{ident}"), "span")
    return {name: value for name, value in out.items() if value is not None}


def _from_log(entry: Mapping[str, Any], resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    own = attributes_of(entry.get("attributes"))
    body = value_of(entry.get("body"))
    name = text(
        first(entry.get("eventName"), entry.get("event_name"), own.get("event.name"), mapping(body).get("event.name"))
    )
    trace, ident = _ids(entry)
    if not name or not name.startswith("gen_ai."):
        yield {"_skipped": 1}
        return
    content = {**(body if isinstance(body, dict) else {}), **own}
    begun = first(entry.get("timeUnixNano"), entry.get("observedTimeUnixNano"))
    if name == "gen_ai.client.inference.operation.details":
        out = dialects.columns(content, resource, [])
        out["exchange_id"] = f"{trace}:{ident}" if trace and ident else content.get("gen_ai.response.id")
    else:
        out = dialects.columns({}, {}, [(name, content)])
    out["at"] = time_us(begun, "timeUnixNano")
    if trace and ident:
        out["_join"] = (("otel", f"{trace}:{ident}"), "log")
    elif "exchange_id" not in out:
        yield {"_skipped": 1}
        return
    yield {column: value for column, value in {**out, "_source": {**resource, **content}}.items() if value is not None}


def _ids(entry: Mapping[str, Any]) -> tuple[str | None, str | None]:
    context = mapping(entry.get("context"))
    trace = first(entry.get("traceId"), entry.get("trace_id"), context.get("trace_id"), entry.get("context.trace_id"))
    ident = first(entry.get("spanId"), entry.get("span_id"), context.get("span_id"), entry.get("context.span_id"))
    return text(trace), text(ident)


def _parent(span: Mapping[str, Any]) -> str | None:
    return text(first(span.get("parentSpanId"), span.get("parent_span_id"), span.get("parent_id")))


def _span_attributes(span: Mapping[str, Any]) -> dict[str, Any]:
    own = attributes_of(span.get("attributes"))
    return own if any("." in key for key in own) or not own else _flattened(own)


def attributes_of(value: Any) -> dict[str, Any]:
    """Attributes as a flat dict, from OTLP's typed list or from a plain object."""
    if isinstance(value, list):
        return {
            item["key"]: value_of(item.get("value"))
            for item in value
            if isinstance(item, Mapping) and isinstance(item.get("key"), str)
        }
    return dict(mapping(value))


def value_of(value: Any, depth: int = 0) -> Any:
    """A plain value from OTLP's `AnyValue`: {stringValue}, {intValue as text}, {arrayValue}, {kvlistValue}, ..."""
    if not isinstance(value, Mapping) or depth > _MAX_DEPTH:
        return value
    for key, inner in value.items():
        if key in (
            "stringValue",
            "doubleValue",
            "boolValue",
            "bytesValue",
            "string_value",
            "bool_value",
            "double_value",
        ):
            return inner
        if key in ("intValue", "int_value"):
            try:
                return int(inner)
            except (TypeError, ValueError):
                return inner
        if key in ("arrayValue", "array_value"):
            return [value_of(item, depth + 1) for item in sequence(mapping(inner).get("values"))]
        if key in ("kvlistValue", "kvlist_value"):
            return {
                str(item.get("key")): value_of(item.get("value"), depth + 1)
                for item in sequence(mapping(inner).get("values"))
                if isinstance(item, Mapping)
            }
    return dict(value)


def _flattened(value: Any, prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Phoenix exports attributes as nested objects: `llm.input_messages.0.message.role` again as one key."""
    out: dict[str, Any] = {}
    items: Any = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, inner in items:
        name = f"{prefix}{key}"
        nested = isinstance(inner, Mapping) or (isinstance(inner, list) and inner and isinstance(inner[0], Mapping))
        if nested and depth < _MAX_DEPTH and len(inner) < 100_000:
            out[name] = inner  # gen_ai.input.messages and the like are wanted whole
            out.update(_flattened(inner, f"{name}.", depth + 1))
        else:
            out[name] = inner
    return out


FORMAT = Format(
    name="otlp",
    title="OpenTelemetry GenAI spans and logs (OTLP/JSON), OpenInference, OpenLLMetry",
    docs="Set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true (OpenLLMetry: TRACELOOP_TRACE_CONTENT=true), put "
    "`user.id` and `session.id` on the span, and client.address and user_agent.original on the server span.",
    provides=names(
        "exchange_id at account_id model key_id org_id end_user_id session_id parent_id endpoint stream "
        "temperature max_tokens n logprobs reasoning_effort response_format tools tokens_in tokens_out "
        "tokens_reasoning tokens_cached status latency_ms refused ip header_names user_agent client_headers "
        "referer title messages response response_extra reasoning choices finish_reason"
    ),
    detect=detect,
    exchanges=exchanges,
)
