"""One exchange as LiteLLM logs it: the standard logging object, one JSON object a line."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from stillwatch.lab.traffic.clients import Client

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A served model, and how fast and dear it is."""

    group: str
    provider: str
    upstream: str
    tokens_per_s: float
    usd_in: float  # per million tokens
    usd_out: float
    reasons: bool = False


MODELS: dict[str, Model] = {
    model.group: model
    for model in (
        Model("gpt-4o", "openai", "openai/gpt-4o", 80, 2.5, 10.0),
        Model("gpt-4o-mini", "openai", "openai/gpt-4o-mini", 110, 0.15, 0.6),
        Model("gpt-4.1-mini-2025-04-14", "openai", "openai/gpt-4.1-mini-2025-04-14", 100, 0.4, 1.6),
        Model("claude-sonnet-4-5", "anthropic", "anthropic/sonnet-4-5", 70, 3.0, 15.0),
        Model("deepseek-r1", "openai", "openai/deepseek-r1", 55, 0.55, 2.19, True),
        Model("text-embedding-3-small", "openai", "openai/text-embedding-3-small", 5000, 0.02, 0.0),
    )
}
_API_BASE = {"openai": "https://models.example.test/v1", "anthropic": "https://models.example.test/v1/messages"}
_ERRORS = {
    403: ("PermissionDeniedError", "litellm.PermissionDeniedError: {provider}Exception - This account is suspended"),
    529: ("InternalServerError", "litellm.InternalServerError: {provider}Exception - Overloaded"),
    429: (
        "RateLimitError",
        'litellm.RateLimitError: {provider}Exception - {{"error":{{"message":"Rate limit reached for requests",'
        '"type":"requests","code":"rate_limit_exceeded"}}}}',
    ),
    500: (
        "InternalServerError",
        "litellm.InternalServerError: InternalServerError: {provider}Exception - The server had an error",
    ),
    400: ("BadRequestError", "litellm.BadRequestError: {provider}Exception - Invalid request"),
}
_PROVIDER_WORD = {"openai": "OpenAI", "anthropic": "Anthropic"}


@dataclass(slots=True, kw_only=True)
class Call:
    """What one request asks and gets; the rest of the row follows from it."""

    at: float  # seconds since 1970, UTC
    account_id: str
    key_hash: str
    key_alias: str
    client: Client
    ip: str
    model: Model
    messages: list[Json]
    answers: list[str | None]  # one per choice
    reasoning: str | None = None
    params: Json = field(default_factory=dict)
    end_user: str | None = None
    stream: bool = False
    status: int = 200  # 200, 400, 429 or 500
    retry: int = 0
    tool_call: tuple[str, str] | None = None  # name, JSON arguments
    thinking_blocks: list[Json] | None = None
    embedding: bool = False


def answer_format(name: str, **types: str) -> Json:
    """`response_format` of a structured answer with the properties given, all required."""
    properties = {key: {"title": key.title(), "type": kind} for key, kind in types.items()}
    schema = {"properties": properties, "required": list(types), "title": name, "type": "object"}
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": True}}


def tokens(chars: int) -> int:
    """Tokens of a text of so many UTF-8 bytes; four a token is the usual rule of thumb."""
    return max(1, chars // 4)


def _hex(rng: Random, digits: int) -> str:
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def call_id(rng: Random) -> str:
    """A random UUID (version 4), as LiteLLM gives each call."""
    h = f"{(rng.getrandbits(128) & ~(0xF << 76) | (4 << 76)) & ~(3 << 62) | (2 << 62):032x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def row(call: Call, rng: Random) -> tuple[float, str, bytes, str]:
    """The logged line of a call.

    Returns:
        end of the exchange (seconds since 1970), its exchange id, the line with its newline, the returned text.
    """
    model, ident = call.model, call_id(rng)
    failed = call.status != 200
    body = orjson.dumps(call.messages)
    tokens_in = 0 if failed else tokens(len(body) - 24 * len(call.messages))
    answer = "" if failed or not call.answers else call.answers[0] or ""
    out_bytes = sum(len((a or "").encode()) for a in call.answers)
    reasoning_tokens = tokens(len(call.reasoning)) if call.reasoning else 0
    tool_bytes = len(call.tool_call[1]) if call.tool_call else 0
    tokens_out = 0 if failed or call.embedding else tokens(out_bytes + tool_bytes) + reasoning_tokens
    first = 0.02 if failed else 0.25 + 0.25 * rng.lognormvariate(0.0, 0.5)
    start = round(call.at, 6)
    completion_start = round(start + first, 6)
    end = round(completion_start + tokens_out / (model.tokens_per_s * (0.8 + 0.4 * rng.random())), 6)
    if not call.stream or failed:
        completion_start = end
    response_id = f"chatcmpl-{_hex(rng, 24)}" if not failed else ident
    params = dict(call.params)
    if not call.embedding:
        params["stream"] = call.stream
        if call.stream:
            params["stream_options"] = {"include_usage": True}
    if call.end_user is not None:
        params["user"] = call.end_user
    agent = call.client.user_agent
    cost = tokens_in * model.usd_in / 1e6 + tokens_out * model.usd_out / 1e6
    line: Json = {
        "id": response_id,
        "litellm_call_id": ident,
        "trace_id": call_id(rng),
        "call_type": "aembedding" if call.embedding else "acompletion",
        "stream": True if call.stream and not failed else None,
        "status": "failure" if failed else "success",
        "custom_llm_provider": model.provider,
        "startTime": start,
        "endTime": end,
        "completionStartTime": completion_start,
        "response_time": completion_start - start,
        "model": model.upstream,
        "model_group": model.group,
        "api_base": _API_BASE[model.provider],
        "cache_hit": False if failed or call.stream else None,
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "response_cost": cost,
        "request_tags": [f"User-Agent: {agent.split('/', 1)[0]}", f"User-Agent: {agent}"],
        "end_user": call.end_user,
        "requester_ip_address": call.ip,
        "user_agent": agent,
    }
    if failed:
        name, text = _ERRORS[call.status]
        line["error_str"] = text.format(provider=_PROVIDER_WORD[model.provider])
        line["error_information"] = {"error_code": str(call.status), "error_class": name}
    route = "/v1/embeddings" if call.embedding else "/v1/chat/completions"
    line["metadata"] = {
        "user_api_key_hash": call.key_hash,
        "user_api_key_alias": call.key_alias,
        "user_api_key_user_id": call.account_id,
        "user_api_key_request_route": route,
        "requester_ip_address": call.ip,
        "user_agent": agent,
        "usage_object": {} if failed else _usage(call, tokens_in, tokens_out, reasoning_tokens, cost),
        "requester_metadata": {"headers": call.client.headers(call.ip, len(body) + 60 + 12 * len(params), call.retry)},
    }
    line["messages"] = call.messages
    line["response"] = {} if failed else _response(call, response_id, int(start), rng)
    line["model_parameters"] = params
    line["x_request_url_path"] = route
    line["x_request_body_rest"] = {"model": model.group, "litellm_call_id": ident}
    return end, ident, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), answer


def _usage(call: Call, tokens_in: int, tokens_out: int, reasoning_tokens: int, cost: float) -> Json:
    usage: Json = {"completion_tokens": tokens_out, "prompt_tokens": tokens_in, "total_tokens": tokens_in + tokens_out}
    details: Json | None = None
    if call.stream:
        details = {
            "accepted_prediction_tokens": None, "audio_tokens": None, "reasoning_tokens": reasoning_tokens,
            "rejected_prediction_tokens": None, "text_tokens": tokens_out - reasoning_tokens, "image_tokens": None,
            "video_tokens": None,
        }  # fmt: skip
    elif call.model.provider == "anthropic":
        details = {"reasoning_tokens": reasoning_tokens, "text_tokens": tokens_out - reasoning_tokens}
    elif call.model.reasons:
        details = {
            "accepted_prediction_tokens": None, "audio_tokens": None, "reasoning_tokens": reasoning_tokens,
            "rejected_prediction_tokens": None,
        }  # fmt: skip
    usage["completion_tokens_details"] = details
    if call.model.provider == "anthropic":
        cached = tokens_in // 2 // 64 * 64 if len(call.messages) > 4 else 0
        usage["prompt_tokens_details"] = {
            "audio_tokens": None, "cache_write_tokens": 0, "cached_tokens": cached, "text_tokens": tokens_in,
            "image_tokens": None, "video_tokens": None, "cache_creation_tokens": 0,
        }  # fmt: skip
        usage["cache_creation_input_tokens"] = 0
        usage["cache_read_input_tokens"] = cached
    else:
        usage["prompt_tokens_details"] = None
        if call.stream:
            usage["cost"] = cost
    return usage


def _response(call: Call, response_id: str, created: int, rng: Random) -> Json:
    if call.embedding:
        return {"model": call.model.group, "data": f"[{len(call.messages)} embeddings removed]", "object": "list"}
    anthropic = call.model.provider == "anthropic"
    limit = call.params.get("max_tokens") or math.inf
    choices: list[Json] = []
    for index, text in enumerate(call.answers):
        message: Json = {"content": text, "role": "assistant", "tool_calls": None, "function_call": None}
        finish = "length" if text and len(text.encode()) // 4 > limit else "stop"
        if call.tool_call is not None:
            name, arguments = call.tool_call
            message["content"] = None
            message["tool_calls"] = [
                {"function": {"arguments": arguments, "name": name}, "id": f"call_{_hex(rng, 20)}", "type": "function"}
            ]
            finish = "tool_calls"
        if call.reasoning:
            message["reasoning_content"] = call.reasoning
        if call.thinking_blocks:
            message["thinking_blocks"] = call.thinking_blocks
        if anthropic and not call.stream:
            message["provider_specific_fields"] = {"citations": None, "thinking_blocks": call.thinking_blocks}
        elif not call.stream:
            message["provider_specific_fields"] = {"refusal": None}
        choice: Json = {"finish_reason": finish, "index": index, "message": message}
        if not call.stream and not anthropic:
            choice["provider_specific_fields"] = {}
        choices.append(choice)
    response: Json = {
        "id": response_id,
        "created": created,
        "model": call.model.group,
        "object": "chat.completion",
        "system_fingerprint": None if call.stream or anthropic else "fp_" + call.model.group[:6],
        "choices": choices,
    }
    if not call.stream and not anthropic:
        response["moderation"] = None
        response["service_tier"] = None
    return response
