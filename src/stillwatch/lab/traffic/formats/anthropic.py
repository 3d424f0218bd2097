"""Anthropic messages: request and response pairs. Every model is logged as if it were served by that endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from stillwatch.lab.traffic.formats import parts
from stillwatch.lab.traffic.rows import Json

_STOP = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
_ERRORS = {400: "invalid_request_error", 403: "permission_error", 429: "rate_limit_error", 529: "overloaded_error"}


def records(line: Json) -> Iterator[Json]:
    """One pair. What the endpoint does not know (n, logprobs, embeddings) is left out or logged as a message."""
    system, turns = parts.system_and_turns(line["messages"])
    sent = line["model_parameters"]
    request = {
        "model": line["model_group"],
        "max_tokens": sent.get("max_tokens") or 4096,
        "messages": [_turn(m) for m in turns],
        **parts.set_only(
            system=system,
            temperature=sent.get("temperature"),
            stream=sent.get("stream"),
            metadata={"user_id": sent["user"]} if sent.get("user") else None,
        ),
    }
    yield {
        "id": line["litellm_call_id"],
        "created_at": parts.iso(line["startTime"]),
        "completed_at": parts.iso(line["endTime"]),
        "account_id": line["metadata"]["user_api_key_user_id"],
        "key_id": line["metadata"]["user_api_key_hash"],
        "url": "/v1/messages",
        "ip": line["requester_ip_address"],
        "headers": parts.headers(line),
        "request": request,
        "response": _answer(line),
    }


def _turn(message: Json) -> Json:
    blocks = [
        {"type": "thinking", "thinking": b.get("thinking", ""), "signature": b["signature"]}
        for b in message.get("thinking_blocks") or []
        if b.get("signature")
    ]
    role = "assistant" if message["role"] == "assistant" else "user"
    if not blocks:
        return {"role": role, "content": message.get("content") or ""}
    return {"role": role, "content": [*blocks, {"type": "text", "text": message.get("content") or ""}]}


def _answer(line: Json) -> Json:
    if parts.status(line) != 200:
        kind = _ERRORS.get(parts.status(line), "api_error")
        return {"type": "error", "error": {"type": kind, "message": line.get("error_str", "")}}
    choice = (parts.answers(line) or [{"message": {"content": ""}, "finish_reason": "stop"}])[0]
    message = choice["message"]
    content: list[Any] = []
    for block in message.get("thinking_blocks") or []:
        content.append({"type": "thinking", "thinking": block["thinking"], "signature": block["signature"]})
    if message.get("reasoning_content") and not content:
        content.append({"type": "thinking", "thinking": message["reasoning_content"], "signature": ""})
    if message.get("content"):
        content.append({"type": "text", "text": message["content"]})
    for call in message.get("tool_calls") or []:
        asked = call["function"]
        content.append(
            {"type": "tool_use", "id": call["id"], "name": asked["name"], "input": _arguments(asked["arguments"])}
        )
    return {
        "id": "msg_" + line["id"][-24:],
        "type": "message",
        "role": "assistant",
        "model": line["model_group"],
        "content": content,
        "stop_reason": _STOP.get(choice["finish_reason"], "end_turn"),
        "usage": {"input_tokens": line["prompt_tokens"], "output_tokens": line["completion_tokens"]},
    }


def _arguments(given: str) -> Any:
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError:  # a model's arguments may be cut off
        return {"arguments": given}
