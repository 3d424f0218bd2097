"""OpenTelemetry GenAI spans by the current conventions (1.37 and later), content capture on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from stillwatch.lab.traffic.formats import parts, spans
from stillwatch.lab.traffic.rows import Json


def records(line: Json) -> Iterator[Json]:
    """One span with its messages as attributes."""
    sent = line["model_parameters"]
    embedding = "embedding" in line["call_type"]
    operation = "embeddings" if embedding else "chat"
    own: Json = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": line["custom_llm_provider"],
        "gen_ai.request.model": line["model_group"],
        "gen_ai.request.temperature": _float(sent.get("temperature")),
        "gen_ai.request.max_tokens": sent.get("max_tokens"),
        "gen_ai.request.choice.count": sent.get("n"),
        "gen_ai.request.stream": sent.get("stream"),
        "gen_ai.response.id": line["litellm_call_id"],
        "gen_ai.response.finish_reasons": [c["finish_reason"] for c in parts.answers(line)] or None,
        "gen_ai.usage.input_tokens": line["prompt_tokens"],
        "gen_ai.usage.output_tokens": line["completion_tokens"],
        "gen_ai.usage.reasoning.output_tokens": parts.reasoning_tokens(line),
        "gen_ai.input.messages": _messages(line["messages"]),
        "gen_ai.output.messages": _messages([c["message"] for c in parts.answers(line)]) if not embedding else None,
        **spans.caller(line),
    }
    yield spans.span(line, f"{operation} {line['model_group']}", own)


def _float(given: Any) -> float | None:
    return None if given is None else float(given)


def _messages(messages: list[Json]) -> str:
    return orjson.dumps([{"role": m["role"], "parts": _parts(m)} for m in messages]).decode()


def _parts(message: Json) -> list[Json]:
    found: list[Json] = []
    if message.get("reasoning_content"):
        found.append({"type": "reasoning", "content": message["reasoning_content"]})
    if message.get("content"):
        kind = "tool_call_response" if message["role"] == "tool" else "text"
        key = "response" if message["role"] == "tool" else "content"
        found.append({"type": kind, key: message["content"]})
    for call in message.get("tool_calls") or []:
        asked = call["function"]
        found.append(
            {"type": "tool_call", "id": call.get("id"), "name": asked["name"], "arguments": asked["arguments"]}
        )
    return found
