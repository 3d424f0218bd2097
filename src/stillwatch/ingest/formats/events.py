"""Server-sent events of a streamed answer, put together into the body that an unstreamed call would have given.

Bedrock logs the stream of a model as a list of its events; some gateways keep OpenAI chunks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stillwatch.ingest.formats.base import mapping, sequence


def assembled(events: Sequence[Any]) -> dict[str, Any]:
    """One response body from stream events of Anthropic, Bedrock Converse or OpenAI chat; {} if they are none.

    Events out of order, doubled or missing give what can be told, never an error.
    """
    bodies = [event for event in events if isinstance(event, Mapping)]
    if any("choices" in event for event in bodies):
        return _openai(bodies)
    if any(str(event.get("type", "")).startswith(("message_", "content_block_")) for event in bodies):
        return _anthropic(bodies)
    if any(key in event for event in bodies for key in ("contentBlockDelta", "messageStop", "messageStart")):
        return _converse(bodies)
    if all("role" in event or "message" in event for event in bodies) and bodies:  # messages, as tracers log an answer
        return {"choices": [event if "message" in event else {"message": event} for event in bodies]}
    texts = [event[key] for event in bodies for key in ("generation", "completion", "outputText") if key in event]
    if texts:
        return {**bodies[-1], "generation": "".join(piece for piece in texts if isinstance(piece, str))}
    return {}


class _Blocks:
    """Content blocks under construction, by index."""

    def __init__(self) -> None:
        self._blocks: dict[Any, dict[str, Any]] = {}

    def start(self, index: Any, block: Mapping[str, Any]) -> None:
        self._blocks[_key(index)] = dict(block)

    def append(self, index: Any, kind: str, key: str, piece: Any) -> None:
        block = self._blocks.setdefault(_key(index), {"type": kind})
        if isinstance(piece, str):
            block[key] = (block[key] if isinstance(block.get(key), str) else "") + piece

    def done(self) -> list[dict[str, Any]]:
        return list(self._blocks.values())


def _key(index: Any) -> Any:
    return index if isinstance(index, int | str) else 0


def _anthropic(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    blocks = _Blocks()
    body: dict[str, Any] = {}
    used: dict[str, Any] = {}
    for event in events:
        kind, index = event.get("type"), event.get("index")
        if kind == "message_start":
            body = dict(mapping(event.get("message")))
            used.update(mapping(body.get("usage")))
        elif kind == "content_block_start":
            blocks.start(index, mapping(event.get("content_block")))
        elif kind == "content_block_delta":
            delta = mapping(event.get("delta"))
            for key, block in (
                ("text", "text"),
                ("thinking", "thinking"),
                ("signature", "thinking"),
                ("partial_json", "tool_use"),
            ):
                if key in delta:
                    blocks.append(index, block, key, delta[key])
        elif kind == "message_delta":
            body.update({key: value for key, value in mapping(event.get("delta")).items() if value is not None})
            used.update({key: value for key, value in mapping(event.get("usage")).items() if value is not None})
        if "amazon-bedrock-invocationMetrics" in event:
            body["amazon-bedrock-invocationMetrics"] = event["amazon-bedrock-invocationMetrics"]
    return {**body, "content": blocks.done(), "usage": used}


def _converse(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    blocks = _Blocks()
    reason: Any = None
    used: dict[str, Any] = {}
    for event in events:
        start = mapping(event.get("contentBlockStart"))
        if start:
            blocks.start(start.get("contentBlockIndex"), mapping(start.get("start")))
        part = mapping(event.get("contentBlockDelta"))
        if part:
            delta, index = mapping(part.get("delta")), part.get("contentBlockIndex")
            if "text" in delta:
                blocks.append(index, "text", "text", delta["text"])
            thought = mapping(delta.get("reasoningContent"))
            for key, name in (("text", "text"), ("signature", "signature"), ("redactedContent", "data")):
                if key in thought:
                    blocks.append(index, "thinking", name, thought[key])
            if "toolUse" in delta:
                blocks.append(index, "tool_use", "input", mapping(delta["toolUse"]).get("input"))
        reason = mapping(event.get("messageStop")).get("stopReason", reason)
        used.update(mapping(mapping(event.get("metadata")).get("usage")))
    return {"content": blocks.done(), "stop_reason": reason, "usage": used}


def _openai(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    choices: dict[Any, dict[str, Any]] = {}
    body: dict[str, Any] = {}
    for event in events:
        for key in ("id", "model", "created", "usage"):
            if event.get(key):
                body[key] = event[key]
        for piece in sequence(event.get("choices")):
            piece = mapping(piece)
            choice = choices.setdefault(_key(piece.get("index")), {"message": {"role": "assistant"}})
            if piece.get("finish_reason"):
                choice["finish_reason"] = piece["finish_reason"]
            message = choice["message"]
            delta = mapping(piece.get("delta")) or {"content": piece.get("text")}
            for key in ("content", "reasoning_content", "reasoning", "refusal"):
                if isinstance(delta.get(key), str):
                    message[key] = (message.get(key) or "") + delta[key]
            for call in sequence(delta.get("tool_calls")):
                _add_call(message.setdefault("tool_calls", []), mapping(call))
    return {**body, "choices": [choices[key] for key in sorted(choices, key=str)]}


def _add_call(calls: list[dict[str, Any]], piece: Mapping[str, Any]) -> None:
    index = piece.get("index")
    index = index if isinstance(index, int) and 0 <= index <= len(calls) else len(calls)
    if index == len(calls):
        calls.append({"id": piece.get("id"), "type": "function", "function": {"name": None, "arguments": ""}})
    function, given = calls[index]["function"], mapping(piece.get("function"))
    function["name"] = given.get("name") or function["name"]
    if isinstance(given.get("arguments"), str):
        function["arguments"] += given["arguments"]
