"""OpenAI-style traffic: request/response pairs, stored completions and responses, and batch files.

- a pair: {"request": {...}, "response": {...}, "created_at": ..., ...}; also `request.body`/`response.body`
  (Portkey) and flat CSV columns of that name;
- halves: lines that carry only `request` or only `response`, joined by `request_id` or `id`;
- batch input {custom_id, method, url, body} and output {id, custom_id, response{status_code, body}, error}, joined
  by custom_id within what is read together. An output alone is kept; an input alone has no time and is set aside;
- a chat completion, legacy completion or response object alone.
Chat bodies without `user` name no account: give `--account-from`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stillwatch.ingest.formats import bodies, headers
from stillwatch.ingest.formats.base import Format, count, first, mapping, names, text, time_us, unjson

OBJECTS = frozenset({"chat.completion", "text_completion", "response"})


def detect(record: Mapping[str, Any]) -> bool:
    """Whether the record is a pair, a half, a batch line or an OpenAI object."""
    if "custom_id" in record:
        return ("body" in record and "url" in record) or ("response" in record and "error" in record)
    if record.get("object") in OBJECTS and ("choices" in record or "output" in record):
        return True
    return is_pair(record) and mapping(side(record, "response")).get("type") not in ("message", "error")


def is_pair(record: Mapping[str, Any]) -> bool:
    """Whether the record wraps a request, or a response that names its request."""
    if _is_request(side(record, "request")):
        return True
    return ("request_id" in record or "request" in record) and _is_response(side(record, "response"))


def side(record: Mapping[str, Any], name: str) -> Any:
    """The body of a request or response, wherever the wrapper keeps it."""
    whole = unjson(first(record.get(f"{name}.body"), record.get(f"{name}_body"), record.get(name)))
    if isinstance(whole, Mapping) and "body" in whole and "choices" not in whole and "messages" not in whole:
        return unjson(whole["body"])
    return whole


def _is_request(body: Any) -> bool:
    return isinstance(body, Mapping) and any(key in body for key in ("messages", "input", "prompt", "contents"))


def _is_response(body: Any) -> bool:
    return isinstance(body, Mapping) and any(key in body for key in ("choices", "output", "content", "error", "data"))


def exchanges(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The exchange, or the half of one, that the record holds."""
    if "custom_id" in record:
        yield from _batch(record)
    elif record.get("object") in OBJECTS:
        yield from _stored(record)
    else:
        yield from _pair(record)


def _stored(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    asked = (
        bodies.request(record) if any(key in record for key in ("messages", "input", "instructions", "tools")) else {}
    )
    if asked and record.get("object") == "response":
        asked["session_id"] = first(asked["session_id"], text(record.get("prompt_cache_key")))
    yield {
        **asked,
        **bodies.response(record),
        "exchange_id": record.get("id"),
        "at": time_us(first(record.get("created"), record.get("created_at")), "created"),
        "account_id": first(asked.get("end_user_id"), text(record.get("user"))),
        "model": record.get("model"),
        "endpoint": {"response": "responses", "text_completion": "completion"}.get(record["object"], "chat"),
        "status": 500 if record.get("status") == "failed" else 200,
    }


def _pair(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    asked, answered = side(record, "request"), side(record, "response")
    outer_in, outer_out = mapping(record.get("request")), mapping(record.get("response"))
    meta = mapping(record.get("metadata"))
    key = first(record.get("request_id"), record.get("id"), record.get("trace_id"), outer_in.get("id"))
    wanted = bodies.request(asked) if isinstance(asked, Mapping) else {}
    gotten = bodies.response(answered)
    body = mapping(answered)
    code = first(
        record.get("status_code"),
        record.get("response_status_code"),
        outer_out.get("status_code"),
        outer_out.get("status"),
        record.get("status"),
    )
    code = count(code)
    if isinstance(code, str):
        code = 200 if code.lower() in ("success", "ok", "succeeded", "completed") else 500
    if code is None and gotten:
        code = 500 if body.get("error") else 200
    url = first(record.get("url"), record.get("request_url"), record.get("path"), outer_in.get("url"))
    took = count(first(record.get("latency_ms"), record.get("response_time"), record.get("duration_ms")))
    begun = first(record.get("created_at"), record.get("timestamp"), record.get("started_at"), record.get("time"))
    if begun is None:
        begun = first(body.get("created"), body.get("created_at"))
    out = {
        **wanted,
        **gotten,
        **headers.of(mapping(first(record.get("headers"), record.get("request_headers"), outer_in.get("headers")))),
        "exchange_id": first(key, body.get("id")),
        "at": time_us(begun, "created_at"),
        "_end": time_us(first(record.get("ended_at"), record.get("completed_at")), "ended_at"),
        "account_id": first(
            record.get("account_id"),
            record.get("user_id"),
            text(record.get("user")),
            meta.get("account_id"),
            meta.get("user_id"),
            record.get("virtual_key"),
            wanted.get("end_user_id"),
        ),
        "model": first(wanted.get("model"), body.get("model"), record.get("model"), record.get("ai_model")),
        "key_id": first(record.get("key_id"), record.get("api_key"), record.get("virtual_key")),
        "org_id": first(record.get("org_id"), record.get("organization"), body.get("organization")),
        "endpoint": bodies.endpoint_of(url, mapping(asked)),
        "status": code,
        "latency_ms": took,
        "ip": headers.client_ip(first(record.get("ip"), record.get("client_ip"))),
    }
    user_agent = text(record.get("user_agent"))
    if user_agent:
        out["user_agent"] = user_agent
    if key is not None and not (asked and answered):
        out["_join"] = (("pair", str(key)), "response" if answered else "request")
    yield {name: value for name, value in out.items() if value is not None}


def _batch(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    join = ("openai_batch", str(record["custom_id"]))
    if "body" in record and "response" not in record:
        asked = mapping(record["body"])
        wanted = bodies.request(asked)
        yield {
            **wanted,
            "account_id": wanted.get("end_user_id"),
            "endpoint": bodies.endpoint_of(record.get("url"), asked),
            "_join": (join, "request"),
        }
        return
    outer = mapping(record.get("response"))
    body = mapping(outer.get("body"))
    code = count(outer.get("status_code"))
    out = {
        **bodies.response(body),
        "exchange_id": first(record.get("id"), outer.get("request_id"), body.get("id")),
        "at": time_us(first(body.get("created"), body.get("created_at")), "response.body.created"),
        "account_id": text(first(body.get("safety_identifier"), body.get("user"))),
        "model": body.get("model"),
        "status": code if code is not None else 500 if record.get("error") else None,
        "_join": (join, "response"),
    }
    yield {name: value for name, value in out.items() if value is not None}


FORMAT = Format(
    name="openai",
    title="OpenAI request/response pairs, stored objects and batch files",
    docs="Log both bodies with the time, the caller's account and the request headers: "
    '{"created_at", "account_id", "request": {...}, "response": {...}, "headers": {...}}.',
    provides=names(
        "exchange_id at account_id model key_id org_id end_user_id session_id parent_id endpoint stream "
        "temperature max_tokens n logprobs reasoning_effort response_format tools tokens_in tokens_out "
        "tokens_reasoning tokens_cached status latency_ms refused ip header_names user_agent client_headers "
        "referer title messages response response_extra reasoning choices finish_reason reasoning_blobs_in "
        "reasoning_blobs_out"
    ),
    detect=detect,
    exchanges=exchanges,
)
