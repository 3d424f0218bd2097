"""LiteLLM's spend log table with prompts stored: metadata without request headers."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.formats import parts
from stillwatch.lab.traffic.rows import Json

_CUT = 2048  # MAX_STRING_LENGTH_PROMPT_IN_DB: what LiteLLM keeps of a string unless told otherwise


def records(line: Json) -> Iterator[Json]:
    """One row of the table."""
    meta = line["metadata"]
    kept = {
        "user_agent": line["user_agent"],
        "status": line["status"],
        "usage_object": meta["usage_object"],
        "user_api_key_request_route": meta["user_api_key_request_route"],
    }
    if "error_information" in line:
        kept["error_information"] = line["error_information"]
    body = parts.request_body(line)
    if "messages" in body:
        body["messages"] = [_cut(m) for m in body["messages"]]
    yield {
        "request_id": line["litellm_call_id"],
        "call_type": line["call_type"],
        "api_key": meta["user_api_key_hash"],
        "spend": line["response_cost"],
        "total_tokens": line["total_tokens"],
        "prompt_tokens": line["prompt_tokens"],
        "completion_tokens": line["completion_tokens"],
        "startTime": parts.iso(line["startTime"]),
        "endTime": parts.iso(line["endTime"]),
        "model": line["model"],
        "model_group": line["model_group"],
        "user": meta["user_api_key_user_id"],
        "metadata": orjson.dumps(kept).decode(),
        "team_id": None,
        "organization_id": None,
        "end_user": line["end_user"] or "",
        "requester_ip_address": line["requester_ip_address"],
        "messages": {},
        "response": orjson.dumps(line["response"]).decode(),
        "session_id": line["trace_id"],
        "status": line["status"],
        "proxy_server_request": orjson.dumps(body).decode(),
    }


def _cut(message: Json) -> Json:
    content = message.get("content")
    return {**message, "content": content[:_CUT]} if isinstance(content, str) else message
