"""Request and response pairs of an OpenAI-style endpoint, as a thin proxy logs them."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.formats import parts
from stillwatch.lab.traffic.rows import Json


def records(line: Json) -> Iterator[Json]:
    """One pair: both bodies, the account, the address and the headers."""
    yield {
        "id": line["litellm_call_id"],
        "created_at": parts.iso(line["startTime"]),
        "completed_at": parts.iso(line["endTime"]),
        "account_id": line["metadata"]["user_api_key_user_id"],
        "key_id": line["metadata"]["user_api_key_hash"],
        "url": line["x_request_url_path"],
        "status_code": parts.status(line),
        "ip": line["requester_ip_address"],
        "headers": parts.headers(line),
        "request": parts.request_body(line),
        "response": parts.response_body(line),
    }
