"""Anthropic traffic: messages pairs and objects, and message batch files.

- a pair {"request": {...}, "response": {"type": "message", ...}} is read by the OpenAI pair reader's rules;
- batch input {custom_id, params} and output {custom_id, result{type, message | error}}, joined by custom_id within
  what is read together;
- a message object alone ({"type": "message", "role": "assistant", ...}).
Anthropic's objects carry no time and batch lines no account: give `--at-from` and `--account-from` (metadata.user_id
of the request is taken as the account where it is there).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stillwatch.ingest.formats import bodies, openai
from stillwatch.ingest.formats.base import Format, first, mapping, time_us

_ERRORS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def detect(record: Mapping[str, Any]) -> bool:
    """Whether the record is a batch line, a message, or a pair with a message in it."""
    if "custom_id" in record:
        return isinstance(record.get("params"), Mapping) or isinstance(record.get("result"), Mapping)
    if record.get("type") == "message" and "content" in record:
        return True
    answer = openai.side(record, "response")
    return isinstance(answer, Mapping) and answer.get("type") in ("message", "error") and openai.is_pair(record)


def exchanges(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The exchange, or the half of one, that the record holds."""
    if "custom_id" in record:
        yield from _batch(record)
        return
    if record.get("type") == "message":
        yield _drop_nulls(
            {
                **bodies.response(record),
                "exchange_id": record.get("id"),
                "model": record.get("model"),
                "at": time_us(first(record.get("created_at"), record.get("timestamp")), "created_at"),
                "account_id": first(record.get("account_id"), record.get("workspace_id")),
                "endpoint": "messages",
                "status": 200,
            }
        )
        return
    for out in openai.exchanges(record):
        answer = mapping(openai.side(record, "response"))
        out["endpoint"] = "messages"
        if answer.get("type") == "error":
            out["status"] = _status(answer)
        yield out


def _batch(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    join = ("anthropic_batch", str(record["custom_id"]))
    if "params" in record:
        wanted = bodies.request(mapping(record["params"]))
        yield _drop_nulls(
            {
                **wanted,
                "account_id": wanted["end_user_id"],
                "endpoint": "messages",
                "_join": (join, "request"),
            }
        )
        return
    result = mapping(record["result"])
    message = mapping(result.get("message"))
    kind = result.get("type")
    yield _drop_nulls(
        {
            **bodies.response(message),
            "exchange_id": first(message.get("id"), f"batch:{record['custom_id']}"),
            "model": message.get("model"),
            "at": time_us(first(record.get("created_at"), message.get("created_at")), "created_at"),
            "status": 200 if kind == "succeeded" else _status(mapping(result.get("error"))),
            "_join": (join, "response"),
        }
    )


def _status(error: Mapping[str, Any]) -> int:
    inner = mapping(error.get("error")) or error
    return _ERRORS.get(str(inner.get("type")), 500)


def _drop_nulls(out: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in out.items() if value is not None}


FORMAT = Format(
    name="anthropic",
    title="Anthropic messages and message batches",
    docs="Log both bodies with the time and the caller's account; Anthropic's own objects carry neither. Send "
    "`metadata.user_id` with each request.",
    provides=tuple(name for name in openai.FORMAT.provides if name != "n"),
    detect=detect,
    exchanges=exchanges,
)
