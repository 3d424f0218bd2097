"""Request and response bodies as the providers define them, turned into exchange columns.

Serves every format that logs bodies whole. Chat completions, legacy completions, responses, embeddings, Anthropic
messages, Bedrock Converse and the older Bedrock model bodies are told apart by their keys; a list of
server-sent events is put together first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stillwatch.ingest.formats.base import count, dump, first, flag, integer, mapping, number, sequence, text, total
from stillwatch.ingest.formats.content import Content, content_of, messages_of
from stillwatch.ingest.formats.events import assembled

_REFUSED = frozenset(
    {"content_filter", "content_filtered", "refusal", "guardrail_intervened", "safety", "prohibited_content", "blocked"}
)


def parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """Columns for the sampling and output parameters of a request body (or LiteLLM's `model_parameters`)."""
    config = mapping(first(body.get("inferenceConfig"), body.get("textGenerationConfig"), body.get("generationConfig")))
    fields = mapping(body.get("additionalModelRequestFields"))
    asked = body.get("logprobs")
    if isinstance(asked, bool) or asked is None:
        alternatives = integer(body.get("top_logprobs")) or 0
        logprobs = max(1, alternatives) if asked or (asked is None and alternatives > 0) else 0
    else:
        logprobs = max(0, integer(asked) or 0)
    reasoning = mapping(body.get("reasoning"))
    thinking = mapping(first(body.get("thinking"), fields.get("thinking"), fields.get("reasoning_config")))
    effort = text(
        first(body.get("reasoning_effort"), reasoning.get("effort"), mapping(body.get("output_config")).get("effort"))
    )
    if effort is None and thinking.get("type") in ("enabled", "adaptive"):
        budget = integer(thinking.get("budget_tokens"))
        effort = f"budget_tokens={budget}" if budget is not None else text(thinking["type"])
    tools = first(body.get("tools"), body.get("functions"), mapping(body.get("toolConfig")).get("tools"))
    shape = first(body.get("response_format"), mapping(body.get("text")).get("format"), body.get("output_format"))
    return {
        "temperature": number(first(body.get("temperature"), config.get("temperature"))),
        "max_tokens": integer(
            first(
                body.get("max_tokens"),
                body.get("max_completion_tokens"),
                body.get("max_output_tokens"),
                body.get("max_tokens_to_sample"),
                body.get("max_gen_len"),
                config.get("maxTokens"),
                config.get("maxTokenCount"),
                config.get("maxOutputTokens"),
            )
        ),
        "n": _positive(first(body.get("n"), body.get("num_generations"), config.get("candidateCount"))),
        "logprobs": logprobs,
        "reasoning_effort": effort,
        "response_format": shape if isinstance(shape, str) else dump(shape),
        "tools": tools if isinstance(tools, str) else dump(tools),
        "stream": flag(body.get("stream")),
    }


def _positive(value: Any) -> int | None:
    whole = integer(value)
    return whole if whole is not None and whole >= 0 else None


def endpoint_of(path: Any, body: Mapping[str, Any] | None = None) -> str | None:
    """Endpoint column from a URL path or call type, else from the keys of the request body."""
    name = path.lower() if isinstance(path, str) else ""
    for word, endpoint in (
        ("embed", "embedding"),
        ("chat", "chat"),
        ("responses", "responses"),
        ("messages", "messages"),
        ("converse", "chat"),
        ("generatecontent", "chat"),
        ("batch", "batch"),
        ("completion", "completion"),
    ):
        if word in name:
            return endpoint
    if name:
        return "other"
    if not body:
        return None
    if "anthropic_version" in body:
        return "messages"
    if "messages" in body:
        return "messages" if "system" in body or "max_tokens_to_sample" in body else "chat"
    if "instructions" in body or "max_output_tokens" in body or "previous_response_id" in body:
        return "responses"
    if "prompt" in body or "inputText" in body:
        return "completion"
    if "input" in body:
        return "responses" if isinstance(body["input"], list) and _has_objects(body["input"]) else "embedding"
    return None


def _has_objects(items: Sequence[Any]) -> bool:
    return any(isinstance(item, Mapping) for item in items)


def request(body: Mapping[str, Any]) -> dict[str, Any]:
    """Columns that a whole request body gives: parameters, messages, caller-asserted ids."""
    prompt = first(
        body.get("messages"),
        body.get("input"),
        body.get("prompt"),
        body.get("inputText"),
        body.get("contents"),
        body.get("texts"),
    )
    messages, blobs = messages_of(prompt)
    system = first(body.get("system"), body.get("instructions"), body.get("systemInstruction"))
    if system is not None:
        parts = system.get("parts") if isinstance(system, Mapping) else system
        words = content_of(parts).text
        if words is not None:
            messages = [{"role": "system", "content": words, "extra": None}, *(messages or [])]
    meta = mapping(body.get("metadata"))
    conversation = body.get("conversation")
    if isinstance(conversation, Mapping):
        conversation = conversation.get("id")
    return {
        **parameters(body),
        "model": text(first(body.get("model"), body.get("modelId"))),
        "messages": messages,
        "reasoning_blobs_in": blobs or None,
        "end_user_id": text(first(body.get("safety_identifier"), body.get("user"), meta.get("user_id"))),
        "session_id": text(first(conversation, meta.get("session_id"), body.get("session_id"))),
        "parent_id": text(body.get("previous_response_id")),
    }


def usage(value: Any) -> dict[str, Any]:
    """Token columns from any provider's usage object."""
    used = mapping(value)
    details_in = mapping(first(used.get("prompt_tokens_details"), used.get("input_tokens_details")))
    details_out = mapping(first(used.get("completion_tokens_details"), used.get("output_tokens_details")))
    cached = first(
        details_in.get("cached_tokens"), used.get("cache_read_input_tokens"), used.get("cacheReadInputTokens")
    )
    tokens_in = first(used.get("prompt_tokens"), used.get("inputTokens"), used.get("inputTextTokenCount"))
    if tokens_in is None:  # Anthropic counts cached input beside `input_tokens`, OpenAI inside
        beside = () if details_in else (used.get("cache_read_input_tokens"), used.get("cache_creation_input_tokens"))
        tokens_in = total(used.get("input_tokens"), *beside)
    return {
        "tokens_in": count(tokens_in),
        "tokens_out": count(first(used.get("completion_tokens"), used.get("output_tokens"), used.get("outputTokens"))),
        "tokens_reasoning": count(
            first(details_out.get("reasoning_tokens"), details_out.get("thinking_tokens"), used.get("reasoning_tokens"))
        ),
        "tokens_cached": count(cached),
    }


def response(value: Any) -> dict[str, Any]:
    """Columns that a whole response body (or a list of its stream events) gives; {} for none.

    A provider error (`{"error": ...}`) gives no columns: its status stands elsewhere in the log.
    """
    if isinstance(value, list):
        value = assembled(value)
    body = mapping(value)
    if not body:
        return {"response": value} if isinstance(value, str) and value else {}
    out = _shape(body)
    used = first(body.get("usage"), body.get("amazon-bedrock-invocationMetrics"), body.get("usageMetadata"))
    out.update({key: amount for key, amount in usage(used).items() if amount is not None})
    return {key: item for key, item in out.items() if item is not None}


def _shape(body: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(body.get("choices"), list):
        return _choices(body["choices"])
    if body.get("object") == "response" or isinstance(body.get("output"), list):
        return _responses_api(body)
    message = mapping(mapping(body.get("output")).get("message"))
    if message:  # Bedrock Converse
        return _parts(message.get("content"), first(body.get("stopReason")))
    if isinstance(body.get("content"), list):  # Anthropic; also Cohere
        return _parts(body["content"], first(body.get("stop_reason"), body.get("finish_reason")))
    candidates = sequence(body.get("candidates"))
    if candidates:  # Gemini
        head = mapping(candidates[0])
        out = _parts(mapping(head.get("content")).get("parts"), head.get("finishReason"))
        return {**out, "choices": len(candidates)}
    results = sequence(body.get("results"))
    if results and "outputText" in mapping(results[0]):  # Amazon Titan
        head = mapping(results[0])
        return {**_finish(head.get("completionReason")), "response": text(head["outputText"]), "choices": len(results)}
    words = first(body.get("generation"), body.get("completion"), body.get("outputText"), body.get("text"))
    if isinstance(words, str):  # Llama, older Claude and Cohere on Bedrock
        return {**_finish(first(body.get("stop_reason"), body.get("finish_reason"))), "response": words, "choices": 1}
    if "role" in body or "tool_calls" in body or "content" in body:  # a bare message, as tracers log it
        return _choices([{"message": body, "finish_reason": body.get("finish_reason")}])
    return {}


def _finish(reason: Any) -> dict[str, Any]:
    word = text(reason)
    return {"finish_reason": word, "refused": word is not None and word.lower() in _REFUSED}


def _choices(choices: Sequence[Any]) -> dict[str, Any]:
    if not choices:
        return {"choices": 0}
    head = mapping(choices[0])
    out: dict[str, Any] = {**_finish(head.get("finish_reason")), "choices": len(choices)}
    message = mapping(first(head.get("message"), head.get("delta")))
    if not message:
        out["response"] = text(head.get("text"))
        return out
    content = content_of(message.get("content"))
    blobs, reasoning = [*content.blobs], [*content.reasoning]
    for block in sequence(message.get("thinking_blocks")) + sequence(message.get("reasoning_details")):
        if isinstance(block, Mapping):
            held = Content()
            held._add_reasoning(block)
            blobs += held.blobs
            reasoning += held.reasoning
    told = first(message.get("reasoning_content"), message.get("reasoning"))
    calls = first(message.get("tool_calls"), [message["function_call"]] if message.get("function_call") else None)
    refusal = first(
        message.get("refusal"), mapping(message.get("provider_specific_fields")).get("refusal"), content.refusal
    )
    out["response"] = content.text if content.text is not None else text(refusal)
    out["response_extra"] = dump([*sequence(calls), *content.extra])
    out["reasoning"] = told if isinstance(told, str) else "\n".join(reasoning) or None
    out["reasoning_blobs_out"] = list(dict.fromkeys(blobs)) or None
    out["refused"] = out["refused"] or refusal is not None
    return out


def _parts(parts: Any, reason: Any) -> dict[str, Any]:
    content = content_of(parts)
    return {
        **_finish(reason),
        "choices": 1,
        "response": content.text,
        "response_extra": dump(content.extra),
        "reasoning": "\n".join(content.reasoning) or None,
        "reasoning_blobs_out": content.blobs or None,
    }


def _responses_api(body: Mapping[str, Any]) -> dict[str, Any]:
    content = Content()
    for item in sequence(body.get("output")):
        if isinstance(item, Mapping) and item.get("type") == "message":
            for part in sequence(item.get("content")):
                content.add(part)
        else:
            content.add(item)
    incomplete = mapping(body.get("incomplete_details")).get("reason")
    out: dict[str, Any] = {
        **_finish(first(incomplete, body.get("status"))),
        "choices": 1,
        "response": content.text,
        "response_extra": dump(content.extra),
        "reasoning": "\n".join(content.reasoning) or None,
        "reasoning_blobs_out": content.blobs or None,
    }
    out["refused"] = out["refused"] or content.refusal is not None
    return out
