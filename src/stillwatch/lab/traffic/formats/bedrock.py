"""AWS Bedrock model-invocation log, operation Converse: the principal is the account; no address, no headers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stillwatch.lab.traffic.formats import parts
from stillwatch.lab.traffic.rows import Json

_ERRORS = {400: "ValidationException", 403: "AccessDeniedException", 429: "ThrottlingException"}


def records(line: Json) -> Iterator[Json]:
    """One invocation."""
    system, turns = parts.system_and_turns(line["messages"])
    sent = line["model_parameters"]
    body = {
        "messages": [
            {
                "role": "assistant" if m["role"] == "assistant" else "user",
                "content": [*_thinking(m), {"text": m.get("content") or ""}],
            }
            for m in turns
        ],
        "inferenceConfig": parts.set_only(maxTokens=sent.get("max_tokens"), temperature=sent.get("temperature")),
    }
    if system:
        body["system"] = [{"text": system}]
    failed = parts.status(line) != 200
    record = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": parts.iso(line["startTime"]),
        "accountId": "000000000000",
        "region": "eu-north-1",
        "requestId": line["litellm_call_id"],
        "operation": "ConverseStream" if sent.get("stream") else "Converse",
        "modelId": line["model_group"],
        "identity": {"arn": f"arn:aws:iam::000000000000:user/{line['metadata']['user_api_key_user_id']}"},
        "requestMetadata": parts.set_only(user_id=sent.get("user")),
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": body,
            "inputTokenCount": line["prompt_tokens"],
        },
    }
    if failed:
        record["errorCode"] = _ERRORS.get(parts.status(line), "InternalServerException")
    else:
        record["output"] = {
            "outputContentType": "application/json",
            "outputBodyJson": _answer(line),
            "outputTokenCount": line["completion_tokens"],
        }
    yield record


def _thinking(message: Json) -> list[Any]:
    return [
        {"reasoningContent": {"reasoningText": {"text": b.get("thinking", ""), "signature": b["signature"]}}}
        for b in message.get("thinking_blocks") or []
        if b.get("signature")
    ]


def _answer(line: Json) -> Json:
    choice = (parts.answers(line) or [{"message": {"content": ""}, "finish_reason": "stop"}])[0]
    message = choice["message"]
    content = _thinking(message)
    if message.get("reasoning_content") and not content:
        content.append({"reasoningContent": {"reasoningText": {"text": message["reasoning_content"]}}})
    content.append({"text": message.get("content") or ""})
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "max_tokens" if choice["finish_reason"] == "length" else "end_turn",
        "usage": {"inputTokens": line["prompt_tokens"], "outputTokens": line["completion_tokens"]},
    }
