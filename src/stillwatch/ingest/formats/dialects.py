"""How the OpenTelemetry dialects name the parts of a model call.

1. GenAI conventions >= 1.37: gen_ai.system_instructions, gen_ai.input.messages, gen_ai.output.messages (JSON).
2. GenAI conventions <= 1.36: events gen_ai.{system,user,assistant,tool}.message and gen_ai.choice;
   gen_ai.usage.prompt_tokens; gen_ai.content.prompt events of still older ones.
3. OpenLLMetry (Traceloop): gen_ai.prompt.N.*, gen_ai.completion.N.*, llm.request.type, traceloop.association.*.
4. OpenInference (Phoenix, Envoy AI Gateway): llm.input_messages.N.message.*, llm.output_messages.N.message.*,
   llm.invocation_parameters, llm.token_count.*, input.value, output.value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stillwatch.ingest.formats import bodies, headers
from stillwatch.ingest.formats.base import count, dump, first, flag, integer, mapping, number, sequence, text, unjson
from stillwatch.ingest.formats.content import content_of, messages_of

Events = Sequence[tuple[str, Mapping[str, Any]]]

_CALLS = {
    "chat": "chat",
    "generate_content": "chat",
    "text_completion": "completion",
    "completion": "completion",
    "embeddings": "embedding",
    "embedding": "embedding",
    "responses": "responses",
}
_MESSAGE_EVENTS = ("gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message")
_ACCOUNT = (
    "litellm.metadata.user_api_key_user_id",
    "metadata.user_api_key_user_id",
    "litellm.user.id",
    "enduser.id",
    "user.id",
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
    "litellm.team.id",
    "litellm.metadata.user_api_key_team_id",
    "metadata.user_api_key_team_id",
    "openrouter.api_key_name",
)
_KEY = (
    "litellm.api_key.hash",
    "litellm.metadata.user_api_key_hash",
    "metadata.user_api_key_hash",
    "openrouter.api_key_name",
)
_SESSION = (
    "gen_ai.conversation.id",
    "session.id",
    "langfuse.session.id",
    "traceloop.association.properties.session_id",
    "litellm.session.id",
)


def is_call(own: Mapping[str, Any]) -> bool:
    """Whether a span's attributes say that it is a call of a model (not a tool, agent or plain server span)."""
    kind = own.get("openinference.span.kind")
    if isinstance(kind, str):
        return kind.upper() in ("LLM", "EMBEDDING")
    operation = own.get("gen_ai.operation.name")
    if isinstance(operation, str):
        return operation in _CALLS
    if isinstance(own.get("traceloop.span.kind"), str) and "llm.request.type" not in own:
        return False
    return any(
        key in own for key in ("gen_ai.request.model", "gen_ai.response.model", "llm.request.type", "llm.model_name")
    )


def columns(own: Mapping[str, Any], above: Mapping[str, Any], events: Events) -> dict[str, Any]:
    """Exchange columns from a span's attributes, those above it, and its events; absent ones are left out."""
    invocation = mapping(own.get("llm.invocation_parameters"))
    asked = bodies.parameters(invocation) if invocation else {}
    own_parameters = {name: value for name, value in _parameters(own).items() if value is not None}
    out: dict[str, Any] = {**asked, **own_parameters, **_identity(own, above)}
    if not invocation:
        out.pop("logprobs", None)
    for part in (_input(own), _output(own), _from_events(events)):
        out.update({name: value for name, value in part.items() if value is not None and out.get(name) is None})
    return {name: value for name, value in out.items() if value is not None}


def _parameters(own: Mapping[str, Any]) -> dict[str, Any]:
    def of(*names: str) -> Any:
        return first(*(own.get(name) for name in names))

    operation = of("gen_ai.operation.name", "llm.request.type")
    kind = str(own.get("openinference.span.kind", "")).upper()
    tools = of("gen_ai.tool.definitions", "llm.request.functions")
    if tools is None:
        tools = [entry for entry in _numbered(own, "llm.tools") if entry] or None
    reasons = of("gen_ai.response.finish_reasons", "llm.response.finish_reason", "gen_ai.response.finish_reason")
    reason = text(reasons[0]) if isinstance(reasons, list) and reasons else text(reasons)
    error = of("http.response.status_code", "http.status_code", "error.type")
    code = integer(error)
    out = {
        "model": of(
            "gen_ai.request.model",
            "llm.request.model",
            "llm.model_name",
            "embedding.model_name",
            "gen_ai.response.model",
        ),
        "endpoint": "embedding" if kind == "EMBEDDING" else _CALLS.get(str(operation), "chat"),
        "temperature": number(of("gen_ai.request.temperature", "llm.request.temperature")),
        "max_tokens": integer(of("gen_ai.request.max_tokens", "llm.request.max_tokens")),
        "n": integer(of("gen_ai.request.choice.count")),
        "stream": flag(of("gen_ai.request.stream", "llm.is_streaming", "llm.request.stream")),
        "reasoning_effort": text(of("gen_ai.request.reasoning_effort", "gen_ai.openai.request.reasoning_effort")),
        "response_format": text(of("gen_ai.output.type", "gen_ai.openai.request.response_format")),
        "tools": tools if isinstance(tools, str) else dump(tools),
        "tokens_in": count(of("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")),
        "tokens_out": count(
            of("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
        ),
        "tokens_reasoning": count(
            of(
                "gen_ai.usage.reasoning.output_tokens",
                "gen_ai.usage.reasoning_tokens",
                "llm.token_count.completion_details.reasoning",
            )
        ),
        "tokens_cached": count(
            of(
                "gen_ai.usage.cache_read.input_tokens",
                "gen_ai.usage.cache_read_input_tokens",
                "llm.token_count.prompt_details.cache_read",
            )
        ),
        "finish_reason": reason,
        "status": code if code is not None and 100 <= code <= 599 else None,
    }
    if reason is not None:
        out["refused"] = bodies._finish(reason)["refused"]
    return out


def _identity(own: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    def of(*names: str) -> Any:
        return first(*(own.get(name) for name in names), *(above.get(name) for name in names))

    prefix = "http.request.header."
    sent = {
        name.removeprefix(prefix).replace("_", "-"): value
        for source in (above, own)
        for name, value in source.items()
        if name.startswith(prefix)
    }
    key = of(*_KEY)
    ip = of("client.address", "litellm.metadata.requester_ip_address", "http.client_ip", "net.sock.peer.addr")
    return {
        **headers.of(sent),
        "account_id": first(of(*_ACCOUNT), key),
        "key_id": key,
        "org_id": of("litellm.metadata.user_api_key_org_id", "litellm.org.id", "organization.id", "tenant.id"),
        "end_user_id": text(
            of("litellm.end_user.id", "litellm.metadata.user_api_key_end_user_id", "gen_ai.request.user", "llm.user")
        ),
        "session_id": text(of(*_SESSION)),
        "ip": headers.client_ip(ip),
        **({"user_agent": text(of("user_agent.original", "http.user_agent"))} if "user-agent" not in sent else {}),
    }


def _numbered(own: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    """`prefix.0.a`, `prefix.0.b`, `prefix.1.a` ... as a list of dicts; numbers may be missing, order may be any."""
    rows: dict[int, dict[str, Any]] = {}
    start = len(prefix) + 1
    for name, value in own.items():
        if name.startswith(prefix) and name[start - 1 : start] == ".":
            index, _, rest = name[start:].partition(".")
            if rest and index.isascii() and index.isdigit() and len(index) < 7:
                rows.setdefault(int(index), {})[rest] = value
    return [rows[index] for index in sorted(rows)]


def _message(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """One OpenLLMetry or OpenInference message from its flat keys."""
    content = unjson(row.get(f"{prefix}content"), "[")
    if content is None:
        parts = []
        for part in _numbered(row, f"{prefix}contents"):
            kind = part.get("message_content.type")
            words = part.get("message_content.text")
            parts.append({"type": kind or "text", "text": words} if words is not None else {"type": kind, **part})
        content = parts or None
    calls = [
        {
            "name": first(call.get("name"), call.get("tool_call.function.name")),
            "arguments": first(call.get("arguments"), call.get("tool_call.function.arguments")),
        }
        for call in _numbered(row, f"{prefix}tool_calls")
    ]
    return {
        "role": row.get(f"{prefix}role"),
        "content": content,
        "tool_calls": calls or None,
        "reasoning_content": row.get(f"{prefix}reasoning"),
    }


def _input(own: Mapping[str, Any]) -> dict[str, Any]:
    prompt: Any = _otel(own.get("gen_ai.input.messages"))
    if not prompt:
        prompt = [_message(row) for row in _numbered(own, "gen_ai.prompt")] or [
            _message(row, "message.") for row in _numbered(own, "llm.input_messages")
        ]
    if not prompt:
        prompt = [
            row.get("embedding.text") for row in _numbered(own, "embedding.embeddings") if row.get("embedding.text")
        ]
    if not prompt:
        prompt = _whole_value(own, "input")
    messages, blobs = messages_of(prompt)
    system = unjson(own.get("gen_ai.system_instructions"), "[")
    if system:
        words = content_of(_parts(system)).text
        if words:
            messages = [{"role": "system", "content": words, "extra": None}, *(messages or [])]
    return {"messages": messages, "reasoning_blobs_in": blobs or None}


def _whole_value(own: Mapping[str, Any], side: str) -> Any:
    """`input.value` / `output.value`: a whole body as JSON, or bare text."""
    value = unjson(own.get(f"{side}.value"))
    if side == "input" and isinstance(value, Mapping):
        return first(value.get("messages"), value.get("input"), value.get("prompt"), own.get("input.value"))
    return value


def _output(own: Mapping[str, Any]) -> dict[str, Any]:
    answers = _otel(own.get("gen_ai.output.messages"))
    if not answers:
        answers = [
            {**_message(row), "finish_reason": row.get("finish_reason")} for row in _numbered(own, "gen_ai.completion")
        ]
    if not answers:
        answers = [_message(row, "message.") for row in _numbered(own, "llm.output_messages")]
    if answers:
        return bodies.response(
            {"choices": [{"message": answer, "finish_reason": answer.get("finish_reason")} for answer in answers]}
        )
    whole = _whole_value(own, "output")
    return bodies.response(whole) if isinstance(whole, Mapping | str) else {}


def _parts(parts: Any) -> list[Any]:
    """OpenTelemetry message parts in the shape that content.py reads."""
    out = []
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, Mapping) and part.get("type") == "text" and "text" not in part:
            part = {"type": "text", "text": part.get("content")}
        out.append(part)
    return out


def _otel(value: Any) -> list[dict[str, Any]]:
    """Messages of the >= 1.37 dialect as plain messages; tool calls out of the parts."""
    out = []
    for item in sequence(value):
        if not isinstance(item, Mapping):
            continue
        parts = _parts(first(item.get("parts"), item.get("content")))
        calls = [part for part in parts if isinstance(part, Mapping) and part.get("type") == "tool_call"]
        rest = [part for part in parts if part not in calls] if calls else parts
        out.append(
            {
                **{key: item[key] for key in ("role", "finish_reason") if key in item},
                "content": rest,
                "tool_calls": calls or None,
            }
        )
    return out


def _from_events(events: Events) -> dict[str, Any]:
    """Dialect 2: messages and choices as span events or log records."""
    messages: list[dict[str, Any]] = []
    choices: list[dict[str, Any]] = []
    out: dict[str, Any] = {}
    for name, content in events:
        if name in _MESSAGE_EVENTS:
            body = mapping(first(content.get("gen_ai.event.content"), content))
            role = first(text(body.get("role")), name.split(".")[1])
            messages.append({**body, "role": role})
        elif name == "gen_ai.choice":
            body = mapping(first(content.get("gen_ai.event.content"), content))
            message = unjson(body.get("message"), "{")
            choices.append(
                {
                    "finish_reason": body.get("finish_reason"),
                    "message": message
                    if isinstance(message, Mapping)
                    else {"content": first(message, body.get("content"))},
                }
            )
        elif name == "gen_ai.content.prompt":
            out["messages"] = messages_of(content.get("gen_ai.prompt"))[0]
        elif name == "gen_ai.content.completion":
            answer = unjson(content.get("gen_ai.completion"))
            out.update(bodies.response(answer))
        elif name == "gen_ai.client.inference.operation.details":
            out.update(_input(content))
            out.update(_output(content))
    if messages:
        out["messages"], blobs = messages_of(messages)
        out["reasoning_blobs_in"] = blobs or None
    if choices:
        out.update(bodies.response({"choices": choices}))
    return out
