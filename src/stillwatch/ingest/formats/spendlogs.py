"""LiteLLM's spend logs: exports of the `LiteLLM_SpendLogs` table and of ClickHouse `spend_logs`.

The prompt stands in `proxy_server_request` (`messages` is `{}` for all but realtime calls), and only with
`store_prompts_in_spend_logs`; every string in it is cut at 2048 characters (`MAX_STRING_LENGTH_PROMPT_IN_DB`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stillwatch.ingest.formats import bodies, headers, litellm
from stillwatch.ingest.formats.base import Format, count, first, flag, mapping, text, time_us


def detect(record: Mapping[str, Any]) -> bool:
    """Whether the record has the table's distinctive columns."""
    return (
        "request_id" in record
        and ("startTime" in record or "start_time" in record)
        and "api_key" in record
        and ("spend" in record or "call_type" in record)
    )


def exchanges(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The one exchange of a row."""
    meta = mapping(record.get("metadata"))
    asked = mapping(record.get("proxy_server_request"))
    asked = mapping(asked.get("body")) or asked
    wanted = bodies.request(asked) if asked else {}
    logged = first(record.get("messages"))
    if wanted.get("messages") is None and logged not in (None, "{}", "[]"):
        wanted = {**bodies.request({"messages": logged}), **{k: v for k, v in wanted.items() if v is not None}}
        if not asked:
            wanted.pop("logprobs", None)
    key = record.get("api_key")
    user, team = first(record.get("user"), meta.get("user_api_key_user_id")), first(record.get("team_id"))
    sent = mapping(first(meta.get("requester_metadata"))).get("headers")
    answer = bodies.response(_unless_empty(record.get("response")))
    out: dict[str, Any] = {
        **wanted,
        **headers.of(mapping(sent)),
        **answer,
        **{k: v for k, v in bodies.usage(meta.get("usage_object")).items() if v is not None},
        "exchange_id": first(record.get("litellm_call_id"), record.get("request_id")),
        "at": time_us(first(record.get("startTime"), record.get("start_time")), "startTime"),
        "_end": time_us(first(record.get("endTime"), record.get("end_time")), "endTime"),
        "account_id": first(user, team, key),
        "model": first(record.get("model_group"), record.get("model"), wanted.get("model")),
        "key_id": key,
        "org_id": first(record.get("organization_id"), team),
        "end_user_id": text(first(record.get("end_user"), wanted.get("end_user_id"))),
        "session_id": text(first(record.get("session_id"), wanted.get("session_id"))),
        "endpoint": litellm.endpoint_of(record.get("call_type"), meta.get("user_api_key_request_route")),
        "status": _status(record, meta),
        "safety_flags": litellm.flags_of(meta),
        "ip": headers.client_ip(first(record.get("requester_ip_address"), meta.get("requester_ip_address"))),
    }
    out["user_agent"] = first(text(meta.get("user_agent")), out.get("user_agent"))
    if out.get("stream") is None:
        out["stream"] = flag(meta.get("stream"))
    for column, name in (("tokens_in", "prompt_tokens"), ("tokens_out", "completion_tokens")):
        if first(record.get(name)) is not None:
            out[column] = count(record[name])
    if first(record.get("cache_read_tokens")) is not None:
        out["tokens_cached"] = count(record["cache_read_tokens"])
    yield out


def _unless_empty(value: Any) -> Any:
    return None if value in ("{}", "[]", "null", {}, []) else value


def _status(record: Mapping[str, Any], meta: Mapping[str, Any]) -> int | None:
    error = mapping(meta.get("error_information"))
    status = first(record.get("status"), meta.get("status"))
    if status is None and record.get("error_str"):
        status = "failure"
    return litellm.status_of(status, error)


FORMAT = Format(
    name="spendlogs",
    title="LiteLLM spend logs (database or ClickHouse export)",
    docs="Set `general_settings.store_prompts_in_spend_logs: true` to have text, cut at 2048 characters a string; "
    "raise MAX_STRING_LENGTH_PROMPT_IN_DB for more. The callback payload carries headers as well: prefer it.",
    provides=tuple(
        name
        for name in litellm.FORMAT.provides
        if name not in ("referer", "title", "tls_fingerprint", "country", "asn")
    ),
    detect=detect,
    exchanges=exchanges,
)
