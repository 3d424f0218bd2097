"""What the writers share: the parts of a LiteLLM payload, by the names that other logs give them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stillwatch.lab.traffic.rows import Json


def iso(seconds: float) -> str:
    """A time as RFC 3339 in UTC, to the microsecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def status(line: Json) -> int:
    """HTTP status of the exchange."""
    if line["status"] == "success":
        return 200
    return int(line.get("error_information", {}).get("error_code") or 500)


def request_body(line: Json) -> Json:
    """The request as the caller sent it to an OpenAI-style endpoint."""
    embedding = "embedding" in line["call_type"]
    asked = {"input": [m.get("content") for m in line["messages"]]} if embedding else {"messages": line["messages"]}
    return {"model": line["model_group"], **asked, **line["model_parameters"]}


def response_body(line: Json) -> Json:
    """The answer as an OpenAI-style endpoint gives it, with its usage; an error object for a failed call."""
    if status(line) != 200:
        name = line.get("error_information", {}).get("error_class", "APIError")
        return {"error": {"type": name, "message": line.get("error_str", ""), "code": str(status(line))}}
    return {**line["response"], "usage": line["metadata"]["usage_object"]}


def headers(line: Json) -> Json:
    """Request headers, in order of arrival."""
    found: Json = line["metadata"].get("requester_metadata", {}).get("headers", {})
    return found


def reasoning_tokens(line: Json) -> int | None:
    """Reasoning tokens, where the log counts them."""
    details = line["metadata"]["usage_object"].get("completion_tokens_details") or {}
    found: int | None = details.get("reasoning_tokens")
    return found


def answers(line: Json) -> list[Json]:
    """The choices of the answer; none of a failed call or an embedding."""
    found: list[Json] = line["response"].get("choices", [])
    return found


def system_and_turns(messages: list[Json]) -> tuple[str | None, list[Json]]:
    """The system prompt apart from the turns, as Anthropic's and Amazon's bodies have it."""
    said = [m["content"] for m in messages if m["role"] in ("system", "developer") and m.get("content")]
    return "\n\n".join(said) or None, [m for m in messages if m["role"] not in ("system", "developer")]


def set_only(**values: Any) -> Json:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
