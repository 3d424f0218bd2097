"""Helicone exports: ClickHouse `request_response_rmt`, the request API, and its JSONL and CSV downloads.

The account is `user_id` (header Helicone-User-Id), else the proxy key, else the Helicone organisation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stillwatch.ingest.formats import bodies
from stillwatch.ingest.formats.base import Format, count, first, mapping, names, text, time_us, unjson

_NOBODY = ("unknown", "null", "none")


def detect(record: Mapping[str, Any]) -> bool:
    """Whether the record has Helicone's request columns."""
    return "request_created_at" in record and ("request_id" in record or "response_id" in record)


def exchanges(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The one exchange of a row."""
    asked = mapping(record.get("request_body"))
    wanted = bodies.request(asked) if asked else {}
    gotten = bodies.response(unjson(record.get("response_body")))
    tags = mapping(first(record.get("properties"), record.get("request_properties")))
    user = first(record.get("user_id"), record.get("request_user_id"), tags.get("Helicone-User-Id"))
    if isinstance(user, str) and user.lower() in _NOBODY:
        user = None
    key = first(record.get("proxy_key_id"), record.get("helicone_proxy_key_id"))
    org = first(record.get("organization_id"), record.get("helicone_org_id"))
    took = count(first(record.get("latency"), record.get("delay_ms")))
    path = first(record.get("request_path"), record.get("target_url"))
    status = count(first(record.get("response_status"), record.get("status")))
    out: dict[str, Any] = {
        **wanted,
        **gotten,
        "exchange_id": first(record.get("request_id"), record.get("response_id")),
        "at": time_us(record.get("request_created_at"), "request_created_at"),
        "_end": time_us(record.get("response_created_at"), "response_created_at"),
        "account_id": first(user, key, org),
        "model": first(
            record.get("request_model"),
            record.get("model"),
            record.get("model_name"),
            wanted.get("model"),
            record.get("response_model"),
        ),
        "key_id": key,
        "org_id": org,
        "session_id": text(first(record.get("session_id"), tags.get("Helicone-Session-Id"), wanted.get("session_id"))),
        "endpoint": bodies.endpoint_of(path, asked),
        # Helicone writes negative codes for calls that were cancelled or never answered.
        "status": status if not isinstance(status, int) or status > 0 else 499,
        "latency_ms": took,
        "tokens_in": first(count(record.get("prompt_tokens")), gotten.get("tokens_in")),
        "tokens_out": first(count(record.get("completion_tokens")), gotten.get("tokens_out")),
        "tokens_cached": first(count(record.get("prompt_cache_read_tokens")), gotten.get("tokens_cached")),
        "tokens_reasoning": first(count(record.get("reasoning_tokens")), gotten.get("tokens_reasoning")),
        "country": text(record.get("country_code")),
    }
    yield {name: value for name, value in out.items() if value is not None}


FORMAT = Format(
    name="helicone",
    title="Helicone requests",
    docs="Send `Helicone-User-Id` and `Helicone-Session-Id` with each request, and leave `Helicone-Omit-Request` off.",
    provides=names(
        "exchange_id at account_id model key_id org_id end_user_id session_id endpoint stream temperature "
        "max_tokens n logprobs reasoning_effort response_format tools tokens_in tokens_out tokens_reasoning "
        "tokens_cached status latency_ms refused country messages response response_extra reasoning choices "
        "finish_reason reasoning_blobs_in reasoning_blobs_out"
    ),
    detect=detect,
    exchanges=exchanges,
)
