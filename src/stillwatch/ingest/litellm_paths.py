"""Every field of a LiteLLM payload that `formats.litellm` reads, and what the compiled path may do with it.

A field of a kind that its rule does not name sends the line to the record reader. So a field that the record reader
begins to read belongs here as well; `tests/oracle/test_compiled.py` compares the two.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from stillwatch.ingest.formats import bodies, headers, litellm
from stillwatch.ingest.json_bytes import FALSE, NULL, NUMBER, PADDING, TEXT_ESCAPED, TEXT_PLAIN, TRUE
from stillwatch.ingest.spans import KEY, OPEN, RAW, path_table
from stillwatch.sketch.hashing import hash_span

# Rules: bit k allows kind k; EMPTY allows [] and {} where a whole container is wanted.
EMPTY: Final = 1 << 16
_NULL = 1 << NULL
_TEXT = 1 << TEXT_PLAIN | 1 << TEXT_ESCAPED | _NULL
_PLAIN = 1 << TEXT_PLAIN | _NULL
_COUNT = 1 << NUMBER | _NULL
_FLAG = 1 << TRUE | 1 << FALSE | _NULL
_WHOLE = _TEXT | 1 << RAW
_ANY = (1 << 16) - 1
_NEVER = 0  # the key alone changes how the record is read
_UNSET = _NULL | EMPTY  # only if it says nothing

_USAGES = ("metadata.usage_object", "hidden_params.usage_object", "response.usage")
_USED = ("prompt_tokens", "completion_tokens", "completion_tokens_details.reasoning_tokens",
         "prompt_tokens_details.cached_tokens", "cache_read_input_tokens")  # fmt: skip
_USED_ODD = ("completion_tokens_details.thinking_tokens", "reasoning_tokens", "input_tokens", "output_tokens",
             "input_tokens_details!", "output_tokens_details!", "inputTokens", "outputTokens", "inputTextTokenCount",
             "cacheReadInputTokens")  # fmt: skip
_USED_NOTED = {f"{usage}.{field}": _COUNT for usage in _USAGES for field in _USED}

_SCALARS: Final = {
    "litellm_call_id": _TEXT,
    "id": _TEXT,
    "startTime": _COUNT,
    "endTime": _COUNT,
    "model_group": _TEXT,
    "model": _TEXT,
    "call_type": _PLAIN,
    "stream": _FLAG,
    "status": _PLAIN,
    "end_user": _TEXT,
    "requester_ip_address": _PLAIN,
    "user_agent": _TEXT,
    "prompt_tokens": _COUNT,
    "completion_tokens": _COUNT,
    "session_id": _TEXT,
    "trace_id": _TEXT,
    "error_information.error_code": _PLAIN | _COUNT,
    "metadata.user_api_key_user_id": _TEXT,
    "metadata.user_api_key_team_id": _TEXT,
    "metadata.user_api_key_hash": _TEXT,
    "metadata.user_api_key": _TEXT,
    "metadata.user_api_key_org_id": _TEXT,
    "metadata.user_api_key_end_user_id": _TEXT,
    "metadata.requester_ip_address": _PLAIN,
    "metadata.user_agent": _TEXT,
    "model_parameters/": _ANY,
    "model_parameters.temperature": _COUNT,
    "model_parameters.max_tokens": _COUNT,
    "model_parameters.max_completion_tokens": _COUNT,
    "model_parameters.n": _COUNT,
    "model_parameters.logprobs": _COUNT | _FLAG,
    "model_parameters.top_logprobs": _COUNT,
    "model_parameters.reasoning_effort": _TEXT,
    "model_parameters.response_format!": _WHOLE,
    "model_parameters.tools!": _WHOLE,
    "model_parameters.stream": _FLAG,
    "model_parameters.user": _TEXT,
    "model_parameters.previous_response_id": _TEXT,
    "response.choices/": _ANY,
    **{f"{usage}/": _ANY for usage in _USAGES},
    **_USED_NOTED,
}
_HEADER_FIELDS = {"metadata.requester_metadata.headers{}": 1 << KEY | _TEXT}
_MESSAGE_FIELDS = {
    "messages[]": 1 << OPEN,
    "messages[].role": _PLAIN,
    "messages[].content": _TEXT,
    "messages[].content[]": 1 << OPEN,
    "messages[].content[].type": _PLAIN,
    "messages[].content[].text": _TEXT,
}
# Read of the first choice only; the others are counted.
_CHOICE_FIELDS = {
    "response.choices[]": 1 << OPEN,
    "response.choices[].message/": _ANY,
    "response.choices[].message.content": _TEXT,
    "response.choices[].message.reasoning_content": _TEXT,
    "response.choices[].message.reasoning": _TEXT,
    "response.choices[].text": _TEXT,
    "response.choices[].finish_reason": _PLAIN,
    "response.choices[].message.tool_calls!": 1 << RAW | _NULL,
    "response.choices[].delta!": _UNSET,
    **dict.fromkeys((f"response.choices[].message.{name}!" for name in (
        "function_call", "thinking_blocks", "reasoning_details", "refusal", "provider_specific_fields.refusal",
    )), _UNSET),
}  # fmt: skip
_ODD: Final = {
    "api_key!": _NEVER,  # with the next one: perhaps a spend log
    "request_id!": _NEVER,
    "guardrail_information!": _UNSET,
    **dict.fromkeys((f"model_parameters.{name}!" for name in (
        "inferenceConfig", "textGenerationConfig", "generationConfig", "additionalModelRequestFields", "reasoning",
        "thinking", "output_config", "functions", "toolConfig", "text", "output_format", "max_output_tokens",
        "max_tokens_to_sample", "max_gen_len", "num_generations",
    )), _UNSET),
    **dict.fromkeys((f"messages[].{name}!" for name in (
        "message", "parts", "text", "reasoning_content", "reasoning", "thinking_blocks", "reasoning_details",
        "tool_calls", "function_call", "tool_call_id", "name", "audio", "annotations",
    )), _UNSET),
    **dict.fromkeys((f"messages[].content[].{name}!" for name in (
        "reasoningContent", "encrypted_content", "toolResult",
    )), _NEVER),
    **dict.fromkeys((f"response.{name}!" for name in (
        "object", "output", "candidates", "results", "generation", "completion", "outputText", "text",
        "amazon-bedrock-invocationMetrics", "usageMetadata",
    )), _UNSET),
    **dict.fromkeys((f"response.{name}!" for name in ("content", "role", "tool_calls")), _NEVER),
    **{f"{usage}.{name}": _NULL if not name.endswith("!") else _UNSET for usage in _USAGES for name in _USED_ODD},
}  # fmt: skip
_ODD["response.object!"] = _TEXT  # "response" alone changes how the body is read
_ODD["messages[].type!"] = _TEXT  # texts make no difference beside a role
for _field in ("messages[].parts!", "messages[].text!", "response.output!"):
    _ODD[_field] = _NULL  # an empty one says something

_FIELDS: Final = {**_SCALARS, **_HEADER_FIELDS, **_MESSAGE_FIELDS, **_CHOICE_FIELDS, **_ODD}
AT: Final = {name: number for number, name in enumerate(_FIELDS)}
TABLE: Final = path_table(_FIELDS)
RULES: Final = np.array(list(_FIELDS.values()), np.int64)

# Numbers of the groups of fields, in the order above.
SCALARS: Final = len(_SCALARS)
HEADERS: Final = SCALARS
MESSAGE: Final = AT["messages[]"]
ROLE: Final = AT["messages[].role"]
CONTENT: Final = AT["messages[].content"]
PART: Final = AT["messages[].content[]"]
PART_TYPE: Final = AT["messages[].content[].type"]
PART_TEXT: Final = AT["messages[].content[].text"]
CHOICE: Final = AT["response.choices[]"]
ANSWER: Final = CHOICE + 1  # message, content, reasoning_content, reasoning, text, finish_reason, tool_calls
ANSWER_FIELDS: Final = 7
FIRST_ODD: Final = CHOICE + len(_CHOICE_FIELDS)
OBJECT: Final = AT["response.object!"]

# Headers of which the value is kept in a column of its own, the first that has one winning.
SLOTS: Final = {
    name: slot
    for slot, name in enumerate(
        ("user-agent", "http-referer", "referer", "x-title", "x-openrouter-title",
         *headers._TLS, *headers._COUNTRY, *headers._ASN)
    )
}  # fmt: skip
SEED: Final = np.uint64(0)


def _hash(name: str) -> int:
    key = name.encode()
    return int(hash_span(np.frombuffer(key + bytes(PADDING), np.uint8), 0, len(key), SEED))


SLOT_HASH: Final = np.array([_hash(name) for name in SLOTS], np.uint64)
_BUCKETS = next(
    size for size in (1 << k for k in range(8, 20)) if len({int(h) % size for h in SLOT_HASH}) == len(SLOTS)
)
SLOT_OF: Final = np.full(_BUCKETS, -1, np.int64)  # bucket of a header's hash, in which it is alone -> slot
SLOT_NAMES: Final = np.zeros((len(SLOTS), 64), np.uint8)
for _name, _slot in SLOTS.items():
    SLOT_OF[_hash(_name) % _BUCKETS] = _slot
    SLOT_NAMES[_slot, : len(_name)] = np.frombuffer(_name.encode(), np.uint8)


def words(table: dict[str, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Short words and their values for compiled look-up: bytes, (words + 1,) offsets, (words,) values."""
    keys = [word.encode() for word in table]
    offsets = np.cumsum([0, *map(len, keys)]).astype(np.int64)
    return np.frombuffer(b"".join(keys) + bytes(PADDING), np.uint8), offsets, np.array(list(table.values()), np.int64)


ENDPOINTS: Final = ("chat", "completion", "responses", "messages", "embedding", "other")
CALLS: Final = words({call: ENDPOINTS.index(endpoint) for call, endpoint in litellm._CALLS.items()})
STATUS: Final = words({"success": 200})
REFUSED: Final = words(dict.fromkeys(sorted(bodies._REFUSED), 1))
REDACTED: Final = np.frombuffer(litellm.REDACTED.encode(), np.uint8)
