"""Langfuse exports: observations (blob storage JSONL, CSV, Parquet; API; ClickHouse) and traces.

An observation of type GENERATION is an exchange. Its user stands on its trace, unless the export is denormalised:
traces read together with the observations (or before them) supply user and session. The user id is asserted by the
application, the only account that Langfuse knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from stillwatch.ingest.formats import bodies, headers
from stillwatch.ingest.formats.base import (
    Format,
    count,
    first,
    guarded,
    mapping,
    names,
    sequence,
    text,
    time_us,
    unjson,
)

_GENERATIONS = frozenset({"GENERATION", "EMBEDDING"})


def _get(record: Mapping[str, Any], name: str) -> Any:
    """A field under its snake_case name (exports) or camelCase name (API)."""
    head, *tail = name.split("_")
    return first(record.get(name), record.get(head + "".join(word.title() for word in tail)))


def detect(record: Mapping[str, Any]) -> bool:
    """Whether the record is an observation or a trace."""
    if _get(record, "trace_id") is not None and _get(record, "start_time") is not None:
        return "type" in record and any(
            name in record
            for name in (
                "parent_observation_id",
                "parentObservationId",
                "usage_details",
                "usageDetails",
                "provided_model_name",
                "modelParameters",
                "model_parameters",
                "level",
            )
        )
    return (
        "id" in record
        and "timestamp" in record
        and ("user_id" in record or "userId" in record)
        and ("session_id" in record or "sessionId" in record or "observations" in record or "tags" in record)
    )


def exchanges(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Exchanges of an observation or of a trace that holds its observations; else what the trace knows of its user."""
    if _get(record, "start_time") is not None:
        yield from _observation(record, {})
        return
    about = {"account_id": _get(record, "user_id"), "session_id": text(_get(record, "session_id"))}
    inner = [item for item in sequence(record.get("observations")) if isinstance(item, Mapping)]
    for item in inner:
        yield from guarded(partial(_observation, item, about))
    if not inner:
        yield {**about, "_join": (("langfuse", str(record["id"])), "context"), "_skipped": 1}


def _observation(record: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if str(record.get("type", "")).upper() not in _GENERATIONS:
        yield {"_skipped": 1}
        return
    asked = mapping(_get(record, "model_parameters"))
    given = unjson(record.get("input"))
    whole = mapping(given)
    wanted = bodies.request({**asked, **(whole if "messages" in whole else {"messages": given})})
    answered = unjson(record.get("output"))
    if isinstance(answered, list) and answered and "role" not in mapping(answered[0]):
        answered = {"content": answered}
    gotten = bodies.response(answered)
    used = mapping(first(_get(record, "usage_details"), record.get("usage")))
    meta = mapping(record.get("metadata"))
    error = str(record.get("level", "")).upper() == "ERROR"
    user = first(_get(record, "user_id"), about.get("account_id"))
    out: dict[str, Any] = {
        **wanted,
        **gotten,
        **headers.of(mapping(meta.get("headers"))),
        "exchange_id": record.get("id"),
        "at": time_us(_get(record, "start_time"), "start_time"),
        "_end": time_us(_get(record, "end_time"), "end_time"),
        "account_id": user,
        "model": first(_get(record, "provided_model_name"), record.get("model"), wanted.get("model")),
        "session_id": text(first(_get(record, "session_id"), about.get("session_id"), wanted.get("session_id"))),
        "endpoint": "embedding" if str(record.get("type")).upper() == "EMBEDDING" else "chat",
        "status": 500 if error else 200,
        "tokens_in": count(first(used.get("input"), used.get("prompt_tokens"), _get(record, "prompt_tokens"))),
        "tokens_out": count(
            first(used.get("output"), used.get("completion_tokens"), _get(record, "completion_tokens"))
        ),
        "tokens_cached": count(first(used.get("input_cached_tokens"), used.get("cache_read_input_tokens"))),
        "tokens_reasoning": count(first(used.get("output_reasoning_tokens"), used.get("reasoning_tokens"))),
    }
    calls = sequence(_get(record, "tool_calls"))
    if calls and not out.get("response_extra"):
        out["response_extra"] = bodies.dump(calls)
    definitions = _get(record, "tool_definitions")
    if definitions and not out.get("tools"):
        out["tools"] = definitions if isinstance(definitions, str) else bodies.dump(definitions)
    if not user:
        out["_join"] = (("langfuse", str(_get(record, "trace_id"))), "needs context")
    yield {name: value for name, value in out.items() if value is not None}


FORMAT = Format(
    name="langfuse",
    title="Langfuse observations and traces",
    docs="Export observations and traces together (blob storage integration, JSONL or Parquet), and set `user_id` and "
    "`session_id` on every trace.",
    provides=names(
        "exchange_id at account_id model session_id endpoint temperature max_tokens n reasoning_effort tools "
        "tokens_in tokens_out tokens_reasoning tokens_cached status latency_ms messages response "
        "response_extra reasoning choices finish_reason reasoning_blobs_in reasoning_blobs_out"
    ),
    detect=detect,
    exchanges=exchanges,
)
