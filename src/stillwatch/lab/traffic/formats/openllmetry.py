"""OpenLLMetry (Traceloop) spans: `gen_ai.prompt.N` and `gen_ai.completion.N` attributes."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.formats import parts, spans
from stillwatch.lab.traffic.rows import Json


def records(line: Json) -> Iterator[Json]:
    """One span."""
    sent = line["model_parameters"]
    temperature = sent.get("temperature")
    own: Json = {
        "gen_ai.system": line["custom_llm_provider"],
        "llm.request.type": "embedding" if "embedding" in line["call_type"] else "chat",
        "gen_ai.request.model": line["model_group"],
        "gen_ai.request.max_tokens": sent.get("max_tokens"),
        "gen_ai.request.temperature": None if temperature is None else float(temperature),
        "llm.is_streaming": bool(sent.get("stream")),
        "gen_ai.usage.prompt_tokens": line["prompt_tokens"],
        "gen_ai.usage.completion_tokens": line["completion_tokens"],
        **spans.caller(line),
    }
    for i, message in enumerate(line["messages"]):
        own[f"gen_ai.prompt.{i}.role"] = message["role"]
        own[f"gen_ai.prompt.{i}.content"] = message.get("content")
    for choice in parts.answers(line):
        here = f"gen_ai.completion.{choice['index']}"
        own[f"{here}.role"] = "assistant"
        own[f"{here}.content"] = choice["message"].get("content")
        own[f"{here}.finish_reason"] = choice["finish_reason"]
    yield spans.span(line, f"{line['custom_llm_provider']}.chat", own)
