"""OpenInference spans, as Envoy AI Gateway and Phoenix write them: messages as flat numbered attributes."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.formats import parts, spans
from stillwatch.lab.traffic.rows import Json


def records(line: Json) -> Iterator[Json]:
    """One span."""
    embedding = "embedding" in line["call_type"]
    own: Json = {
        "openinference.span.kind": "EMBEDDING" if embedding else "LLM",
        "llm.system": line["custom_llm_provider"],
        "llm.model_name": line["model_group"],
        "llm.invocation_parameters": orjson.dumps({"model": line["model_group"], **line["model_parameters"]}).decode(),
        "llm.token_count.prompt": line["prompt_tokens"],
        "llm.token_count.completion": line["completion_tokens"],
        "llm.token_count.completion_details.reasoning": parts.reasoning_tokens(line),
        **spans.caller(line),
    }
    if embedding:
        own["embedding.model_name"] = line["model_group"]
        for i, message in enumerate(line["messages"]):
            own[f"embedding.embeddings.{i}.embedding.text"] = message.get("content")
    else:
        _flat(own, "llm.input_messages", line["messages"])
        _flat(own, "llm.output_messages", [c["message"] for c in parts.answers(line)])
    yield spans.span(line, "CreateEmbeddings" if embedding else "ChatCompletion", own)


def _flat(own: Json, prefix: str, messages: list[Json]) -> None:
    for i, message in enumerate(messages):
        here = f"{prefix}.{i}.message"
        own[f"{here}.role"] = message["role"]
        own[f"{here}.content"] = message.get("content")
        for j, call in enumerate(message.get("tool_calls") or []):
            own[f"{here}.tool_calls.{j}.tool_call.function.name"] = call["function"]["name"]
            own[f"{here}.tool_calls.{j}.tool_call.function.arguments"] = call["function"]["arguments"]
