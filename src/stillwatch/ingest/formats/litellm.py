"""LiteLLM's callback payload (`StandardLoggingPayload`): generic_api, S3, GCS, SQS, Pub/Sub, custom callback.

Contract: `account_id` is metadata.user_api_key_user_id, else the team, else the key hash; `key_id` the key hash;
`exchange_id` is litellm_call_id, else id; times are startTime and endTime. `model` is what the caller asked for
(model_group), else the deployment's name (model). Source: litellm 1.106, types/utils.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stillwatch.ingest.formats import bodies, headers
from stillwatch.ingest.formats.base import Format, count, first, flag, mapping, names, sequence, text, time_us
from stillwatch.ingest.formats.content import messages_of

REDACTED = "redacted-by-litellm"  # what `turn_off_message_logging` leaves of every text


def detect(record: Mapping[str, Any]) -> bool:
    """Whether the record has the payload's distinctive keys."""
    return "startTime" in record and (
        ("litellm_call_id" in record and "api_key" not in record)
        or "model_parameters" in record
        or ("call_type" in record and "request_id" not in record)
    )


def exchanges(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The one exchange of a payload."""
    meta = mapping(record.get("metadata"))
    asked = mapping(record.get("model_parameters"))
    requester = mapping(meta.get("requester_metadata"))
    key_hash = first(meta.get("user_api_key_hash"), meta.get("user_api_key"))
    messages, blobs = messages_of(record.get("messages"))
    if messages and all(message["content"] == REDACTED for message in messages):
        messages = None
    answer = bodies.response(record.get("response"))
    if answer.get("response") == REDACTED:
        answer = {key: value for key, value in answer.items() if key not in ("response", "response_extra", "reasoning")}
    used = bodies.usage(first(meta.get("usage_object"), mapping(record.get("hidden_params")).get("usage_object")))
    out: dict[str, Any] = {
        **answer,
        **{column: amount for column, amount in used.items() if amount is not None},
        **bodies.parameters(asked),
        **headers.of(mapping(requester.get("headers"))),
        "exchange_id": first(record.get("litellm_call_id"), record.get("id")),
        "at": time_us(record.get("startTime"), "startTime"),
        "_end": time_us(record.get("endTime"), "endTime"),
        "account_id": first(meta.get("user_api_key_user_id"), meta.get("user_api_key_team_id"), key_hash),
        "model": first(record.get("model_group"), record.get("model")),
        "key_id": key_hash,
        "org_id": first(meta.get("user_api_key_org_id"), meta.get("user_api_key_team_id")),
        "end_user_id": text(first(record.get("end_user"), meta.get("user_api_key_end_user_id"), asked.get("user"))),
        "session_id": text(first(record.get("session_id"), record.get("trace_id"))),
        "parent_id": text(asked.get("previous_response_id")),
        "endpoint": endpoint_of(record.get("call_type"), meta.get("user_api_key_request_route")),
        "status": status_of(record.get("status"), mapping(record.get("error_information"))),
        "safety_flags": flags_of(record),
        "ip": headers.client_ip(first(record.get("requester_ip_address"), meta.get("requester_ip_address"))),
        "messages": messages,
        "reasoning_blobs_in": blobs or None,
    }
    out["user_agent"] = first(text(record.get("user_agent")), text(meta.get("user_agent")), out.get("user_agent"))
    if record.get("model_parameters") is None:
        out["logprobs"] = None  # not logged, which is not the same as not asked for
    if out["stream"] is None:
        out["stream"] = flag(record.get("stream"))
    for column, key in (("tokens_in", "prompt_tokens"), ("tokens_out", "completion_tokens")):
        logged = count(record.get(key))
        out[column] = out.get(column) if logged is None else logged
    yield out


_CALLS = {
    "completion": "chat",
    "acompletion": "chat",
    "text_completion": "completion",
    "atext_completion": "completion",
    "embedding": "embedding",
    "aembedding": "embedding",
    "responses": "responses",
    "aresponses": "responses",
    "anthropic_messages": "messages",
    "aanthropic_messages": "messages",
}


def endpoint_of(call_type: Any, route: Any) -> str | None:
    """Endpoint column from LiteLLM's call type, else from the route."""
    if isinstance(call_type, str) and call_type:
        return _CALLS.get(call_type) or ("batch" if "batch" in call_type else "other")
    return bodies.endpoint_of(route)


def status_of(status: Any, error: Mapping[str, Any]) -> int | None:
    """HTTP status: 200 for success; for a failure the error's code, or 500 where it has none."""
    if status == "success":
        return 200
    if status is None and not error:
        return None
    code = count(error.get("error_code"))
    return code if isinstance(code, int) and 100 <= code <= 599 else 500


def flags_of(record: Mapping[str, Any]) -> str | None:
    """Names of the guardrails that stepped in."""
    raised = []
    for guard in sequence(record.get("guardrail_information")):
        guard = mapping(guard)
        if str(guard.get("guardrail_status", "")).lower() in ("guardrail_intervened", "blocked", "failure"):
            raised.append(str(first(guard.get("guardrail_name"), "guardrail")).replace(",", " "))
    return ",".join(raised) or None


FORMAT = Format(
    name="litellm",
    title="LiteLLM callback payload (StandardLoggingPayload)",
    docs="Set `litellm_settings.callbacks: [generic_api]` (or s3_v2, gcs_bucket, a custom callback) and leave "
    "`turn_off_message_logging` off; `use_x_forwarded_for: true` behind a load balancer gives true addresses.",
    provides=names(
        "exchange_id at account_id model key_id org_id end_user_id session_id parent_id endpoint stream "
        "temperature max_tokens n logprobs reasoning_effort response_format tools tokens_in tokens_out "
        "tokens_reasoning tokens_cached status latency_ms refused safety_flags ip asn country tls_fingerprint "
        "header_names user_agent client_headers referer title messages response response_extra reasoning "
        "choices finish_reason reasoning_blobs_in reasoning_blobs_out"
    ),
    detect=detect,
    exchanges=exchanges,
)
