"""Helicone's request export: bodies as JSON text, no address and no user agent."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.formats import parts
from stillwatch.lab.traffic.rows import Json


def records(line: Json) -> Iterator[Json]:
    """One row."""
    yield {
        "request_id": line["litellm_call_id"],
        "response_id": line["id"],
        "request_created_at": parts.iso(line["startTime"]),
        "response_created_at": parts.iso(line["endTime"]),
        "latency": round((line["endTime"] - line["startTime"]) * 1000),
        "model": line["model_group"],
        "status": parts.status(line),
        "user_id": line["metadata"]["user_api_key_user_id"],
        "organization_id": "org",
        "proxy_key_id": line["metadata"]["user_api_key_hash"],
        "prompt_tokens": line["prompt_tokens"],
        "completion_tokens": line["completion_tokens"],
        "request_path": line["x_request_url_path"],
        "properties": {},
        "request_body": orjson.dumps(parts.request_body(line)).decode(),
        "response_body": orjson.dumps(parts.response_body(line)).decode(),
    }
