"""Message content in every dialect: OpenAI chat and responses, Anthropic, Bedrock Converse, OpenTelemetry parts.

Text becomes text. Reasoning blobs (encrypted reasoning, thinking signatures, redacted thinking) are taken out as
exact strings, because the same blob in two accounts joins them. What else is not text is kept as JSON in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stillwatch.ingest.formats.base import dump, sequence, text, unjson

_TEXT_TYPES = frozenset({"text", "input_text", "output_text", "summary_text", "reasoning_text"})
_REASONING_TYPES = frozenset({"thinking", "redacted_thinking", "reasoning", "reasoning_content"})
_TOOL_RESULTS = frozenset({"tool_result", "tool_call_response", "function_call_output", "custom_tool_call_output"})


@dataclass(slots=True)
class Content:
    """What a message's content holds."""

    texts: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)
    tool_results: list[tuple[str | None, Any]] = field(default_factory=list)  # text, what is not text
    refusal: str | None = None

    @property
    def text(self) -> str | None:
        """Text parts joined by a newline; null if there is none."""
        return "\n".join(self.texts) if self.texts else None

    def add(self, part: Any) -> None:
        """Take one part: text, or an object of any of the dialects."""
        if isinstance(part, str):
            self.texts.append(part)
        elif isinstance(part, Mapping):
            self._add_object(part)
        elif part is not None:
            self.extra.append(part)

    def _add_object(self, part: Mapping[str, Any]) -> None:
        kind = part.get("type")
        if kind in _REASONING_TYPES or "reasoningContent" in part or "encrypted_content" in part:
            self._add_reasoning(part)
        elif kind == "refusal" and isinstance(part.get("refusal"), str):
            self.refusal = part["refusal"]
            self.texts.append(part["refusal"])
        elif kind in _TOOL_RESULTS or "toolResult" in part:
            self._add_tool_result(part)
        elif kind in _TEXT_TYPES or (kind is None and isinstance(part.get("text"), str)):
            words = part.get("text")
            words = part.get("content") if words is None else words  # OpenTelemetry says `content`
            if isinstance(words, Mapping):  # the assistants API: {"value": ..., "annotations": []}
                words = words.get("value")
            if isinstance(words, str):
                self.texts.append(words)
        else:
            self._take_signature(part)

    def _take_signature(self, part: Mapping[str, Any]) -> None:
        """Gemini and some gateways hang a thought signature on any part, also on tool calls."""
        kept = dict(part)
        for key in ("signature", "thought_signature", "thoughtSignature"):
            blob = kept.get(key)
            if isinstance(blob, str) and blob:
                self.blobs.append(blob)
                del kept[key]
        self.extra.append(kept)

    def _add_reasoning(self, part: Mapping[str, Any]) -> None:
        inner = part.get("reasoningContent", part)
        inner = inner if isinstance(inner, Mapping) else {}
        plain = inner.get("reasoningText", inner)
        plain = plain if isinstance(plain, Mapping) else {"text": plain}
        for source in (inner, plain) if plain is not inner else (inner,):
            for key in ("signature", "encrypted_content", "data", "redactedContent", "redacted_content"):
                blob = source.get(key)
                if isinstance(blob, str) and blob:
                    self.blobs.append(blob)
        for key in ("thinking", "text", "content", "summary", "reasoning"):
            words = plain.get(key)
            if isinstance(words, str) and words:
                self.reasoning.append(words)
            elif isinstance(words, list):
                for piece in words:
                    piece_text = piece.get("text") if isinstance(piece, Mapping) else piece
                    if isinstance(piece_text, str) and piece_text:
                        self.reasoning.append(piece_text)

    def _add_tool_result(self, part: Mapping[str, Any]) -> None:
        inner = part.get("toolResult", part)
        inner = inner if isinstance(inner, Mapping) else {}
        body = next((inner[key] for key in ("content", "output", "response", "result") if inner.get(key)), None)
        held = content_of(body) if isinstance(body, str | list) else None
        about = {key: value for key, value in inner.items() if key not in ("content", "output", "response", "result")}
        if held is None:
            self.tool_results.append((dump(body), about))
        else:
            self.blobs += held.blobs
            self.tool_results.append((held.text, {**about, "parts": held.extra} if held.extra else about))


def content_of(value: Any) -> Content:
    """What a `content` value (text, part or list of parts) holds."""
    content = Content()
    for part in value if isinstance(value, list | tuple) else (value,):
        content.add(part)
    return content


def message(role: str | None, words: str | None, extra: Any = None) -> dict[str, str | None]:
    """A message of tables.MESSAGE."""
    return {"role": role, "content": words, "extra": dump(extra)}


_ITEM_ROLES = {
    "function_call": "assistant",
    "custom_tool_call": "assistant",
    "web_search_call": "assistant",
    "file_search_call": "assistant",
    "computer_call": "assistant",
    "code_interpreter_call": "assistant",
    "reasoning": "assistant",
    "function_call_output": "tool",
    "custom_tool_call_output": "tool",
    "computer_call_output": "tool",
}
_CARRIED = ("tool_calls", "function_call", "tool_call_id", "name", "audio", "annotations")


def messages_of(value: Any) -> tuple[list[dict[str, str | None]] | None, list[str]]:
    """Messages of tables.MESSAGE from whatever a request calls its prompt, and the reasoning blobs in them.

    Understood: text, a list of texts (embeddings), of messages or of response-API items, one message, an object with
    `messages`, token ids (no text), null. Results of tools become messages of role `tool`, in their place.
    """
    value = unjson(value) if isinstance(value, str) and value.lstrip()[:2] in ("[{", '{"') else value
    if isinstance(value, Mapping):
        inner = next((value[key] for key in ("messages", "contents", "input", "prompt") if value.get(key)), None)
        value = [value] if inner is None else inner
    if value is None or value == "":
        return None, []
    if isinstance(value, str):
        return [message("user", value)], []
    if not isinstance(value, list | tuple):
        return None, []
    out: list[dict[str, str | None]] = []
    blobs: list[str] = []
    for item in value:
        if isinstance(item, str):
            out.append(message("user", item))
        elif isinstance(item, Mapping):
            _add_message(item, out, blobs)
    return out or None, blobs


def _add_message(item: Mapping[str, Any], out: list[dict[str, str | None]], blobs: list[str]) -> None:
    if "message" in item and "role" not in item and isinstance(item["message"], Mapping):
        item = item["message"]
    role = text(item.get("role")) or text(item.get("type"))
    kind = item.get("type")
    if kind in _ITEM_ROLES and "role" not in item:
        role = _ITEM_ROLES[str(kind)]
        content = content_of(item)
    else:
        body = next((item[key] for key in ("content", "parts", "text") if item.get(key) is not None), None)
        content = content_of(body)
    role = {"model": "assistant", "human": "user", "ai": "assistant"}.get(role or "", role)
    blobs += content.blobs
    reasoning = next((item[key] for key in ("reasoning_content", "reasoning") if item.get(key)), None)
    for block in sequence(item.get("thinking_blocks")) + sequence(item.get("reasoning_details")):
        if isinstance(block, Mapping):
            held = Content()
            held.add({"type": "thinking", **block} if "type" not in block else block)
            if block.get("type", "").startswith("reasoning."):  # OpenRouter's reasoning_details
                held._add_reasoning(block)
            blobs += held.blobs
    extra: list[Any] = [*content.extra]
    if content.reasoning or isinstance(reasoning, str):
        extra.append({"type": "thinking", "thinking": "\n".join([*content.reasoning] or [str(reasoning)])})
    carried = {key: item[key] for key in _CARRIED if item.get(key)}
    if carried:
        extra.append(carried)
    for words, about in content.tool_results:
        out.append(message("tool", words, about))
    if content.texts or extra or not content.tool_results:
        out.append(message(role, content.text, extra))
