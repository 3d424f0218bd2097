"""OpenTelemetry GenAI spans by the older conventions (up to 1.36): messages as span events."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.formats import parts, spans
from stillwatch.lab.traffic.rows import Json


def records(line: Json) -> Iterator[Json]:
    """One span with an event for each message and each choice."""
    sent = line["model_parameters"]
    temperature = sent.get("temperature")
    own: Json = {
        "gen_ai.operation.name": "embeddings" if "embedding" in line["call_type"] else "chat",
        "gen_ai.system": line["custom_llm_provider"],
        "gen_ai.request.model": line["model_group"],
        "gen_ai.request.temperature": None if temperature is None else float(temperature),
        "gen_ai.request.max_tokens": sent.get("max_tokens"),
        "gen_ai.response.id": line["litellm_call_id"],
        "gen_ai.usage.prompt_tokens": line["prompt_tokens"],
        "gen_ai.usage.completion_tokens": line["completion_tokens"],
        **spans.caller(line),
    }
    asked = [
        {
            "timeUnixNano": spans.nanoseconds(line["startTime"]),
            "name": f"gen_ai.{m['role']}.message",
            "attributes": spans.attributes({"content": m.get("content") or ""}),
        }
        for m in line["messages"]
    ]
    answered = [
        {
            "timeUnixNano": spans.nanoseconds(line["endTime"]),
            "name": "gen_ai.choice",
            "attributes": spans.attributes(
                {
                    "index": choice["index"],
                    "finish_reason": choice["finish_reason"],
                    "message": orjson.dumps(
                        {"role": "assistant", "content": choice["message"].get("content")}
                    ).decode(),
                }
            ),
        }
        for choice in parts.answers(line)
    ]
    yield spans.span(line, f"chat {line['model_group']}", own, asked + answered)


def _said(choice: Json) -> Json:
    return {"role": "assistant", "content": choice["message"].get("content")}
