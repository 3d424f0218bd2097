"""Every table of the data flow, declared once.

    logs -> EXCHANGE -> SKETCH -> facts -> READING -> LINK -> verdicts, campaigns

`EXCHANGE` is the union of what gateways log. All but its first four columns may be null; a signal that needs a
column which is null everywhere abstains. Times are int64 microseconds since 1970 in UTC, under the name `at`.
"""

from __future__ import annotations

import pyarrow as pa

MESSAGE = pa.struct(
    [
        pa.field("role", pa.string()),  # system | developer | user | assistant | tool | function
        pa.field("content", pa.string()),  # text parts joined by a newline; null if there is no text
        pa.field("extra", pa.string()),  # JSON of what is not text: tool calls, image parts; null if none
    ]
)

EXCHANGE = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),  # start of the request, microseconds UTC
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("key_id", pa.string()),
        pa.field("org_id", pa.string()),
        pa.field("end_user_id", pa.string()),  # asserted by the caller, never authenticated
        pa.field("session_id", pa.string()),
        pa.field("parent_id", pa.string()),
        pa.field("endpoint", pa.string()),  # chat | completion | responses | messages | embedding | batch | other
        pa.field("stream", pa.bool_()),
        pa.field("temperature", pa.float64()),
        pa.field("max_tokens", pa.int64()),
        pa.field("n", pa.int64()),
        pa.field("logprobs", pa.int64()),  # 0 not asked for, k = asked for (with k alternatives, at least 1)
        pa.field("reasoning_effort", pa.string()),
        pa.field("response_format", pa.string()),  # JSON text of what was asked for
        pa.field("tools", pa.string()),  # JSON text of the tool definitions
        pa.field("tokens_in", pa.int64()),
        pa.field("tokens_out", pa.int64()),
        pa.field("tokens_reasoning", pa.int64()),
        pa.field("tokens_cached", pa.int64()),
        pa.field("status", pa.int64()),  # HTTP status; 200 where the log says only "success", 500 "failure"
        pa.field("latency_ms", pa.int64()),
        pa.field("refused", pa.bool_()),  # the provider's own word (finish_reason content_filter, refusal field)
        pa.field("safety_flags", pa.string()),  # comma-separated
        pa.field("ip", pa.string()),
        pa.field("asn", pa.int64()),
        pa.field("ip_kind", pa.string()),  # residential | hosting | vpn | ... as the operator's log says
        pa.field("country", pa.string()),  # never raises a score
        pa.field("tls_fingerprint", pa.string()),
        pa.field("header_names", pa.string()),  # comma-separated, in order of arrival
        pa.field("user_agent", pa.string()),
        pa.field("client_headers", pa.string()),  # "name=value" lines of SDK headers (x-stainless-*, anthropic-*, ...)
        pa.field("referer", pa.string()),
        pa.field("title", pa.string()),
        pa.field("messages", pa.list_(MESSAGE)),  # null: the log carries no text
        pa.field("response", pa.string()),  # text of the first choice
        pa.field("response_extra", pa.string()),  # JSON of its tool calls
        pa.field("reasoning", pa.string()),  # reasoning text returned beside the answer
        pa.field("choices", pa.int64()),  # number of choices returned
        pa.field("finish_reason", pa.string()),
        pa.field("reasoning_blobs_in", pa.list_(pa.string())),  # encrypted reasoning, thinking signatures sent in
        pa.field("reasoning_blobs_out", pa.list_(pa.string())),  # ... and given out
        pa.field("line", pa.int64(), nullable=False),  # 1-based line or row in the input file, for evidence
    ]
)

ACCOUNT = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("created_at", pa.int64()),
        pa.field("org_name", pa.string()),
        pa.field("email_domain", pa.string()),
        pa.field("email_fingerprint", pa.string()),
        pa.field("payment_fingerprint", pa.string()),
        pa.field("card_bin", pa.string()),
        pa.field("signup_ip", pa.string()),
        pa.field("plan", pa.string()),
        pa.field("programme", pa.string()),
        pa.field("verification", pa.string()),
        pa.field("contract_flags", pa.string()),  # comma-separated: synthetic_data, reseller, evaluation, ...
        pa.field("declared_use", pa.string()),
    ]
)

QUARANTINE = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("line", pa.int64()),
        pa.field("field", pa.string()),
        pa.field("reason", pa.string(), nullable=False),  # short code: malformed, truncated, duplicate, clock, ...
        pa.field("detail", pa.string(), nullable=False),  # one sentence with the fix; never prompt text
        pa.field("records", pa.int64(), nullable=False),  # how many records this row stands for
    ]
)


def _u64(*names: str) -> list[pa.Field]:
    return [pa.field(name, pa.uint64()) for name in names]


# What is kept of an exchange: keyed hashes (uint64, null where absent) and measures, no words.
SKETCH = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),
        *_u64("account", "key", "org", "end_user", "session", "model"),
        pa.field("endpoint", pa.uint8()),  # index into ENDPOINTS
        pa.field("stream", pa.bool_()),
        pa.field("temperature", pa.float32()),
        pa.field("max_tokens", pa.int32()),
        pa.field("n", pa.int32()),
        pa.field("logprobs", pa.int32()),
        *_u64("format_shape", "tools_shape", "params"),
        pa.field("tokens_in", pa.int32()),
        pa.field("tokens_out", pa.int32()),
        pa.field("tokens_reasoning", pa.int32()),
        pa.field("tokens_cached", pa.int32()),
        pa.field("status", pa.int16()),
        pa.field("latency_ms", pa.int32()),
        pa.field("refused", pa.bool_()),
        *_u64("ip", "ip_net"),
        pa.field("asn", pa.int64()),
        *_u64("ip_kind", "tls", "header_order", "user_agent", "client", "app"),
        pa.field("router_marks", pa.uint8()),  # bits: ROUTER_MARKS
        # -- content
        pa.field("turns", pa.int32()),
        *_u64("system", "system_head", "prompt"),
        pa.field("prompt_bytes", pa.int32()),
        pa.field("words", pa.int32()),
        *_u64("head", "head_long", "tail"),
        *_u64(*(f"band{i}" for i in range(8))),
        pa.field("cell", pa.uint16()),
        pa.field("script", pa.uint8()),
        pa.field("language", pa.uint8()),
        pa.field("obfuscation", pa.uint8()),
        pa.field("elicits", pa.uint32()),  # bits: elicitation.CLASSES
        pa.field("intent", pa.uint8()),  # how much the prompt reads like an order of training data, in 255ths
        *_u64("chain_root", "chain_parent", "chain_self", "chain_given"),
        pa.field("blobs_in", pa.list_(pa.uint64())),
        pa.field("blobs_out", pa.list_(pa.uint64())),
        *_u64("answer"),
        pa.field("answer_bytes", pa.int32()),
        pa.field("answer_lines", pa.int32()),
        pa.field("answer_shape", pa.uint8()),
        pa.field("asked_form", pa.uint32()),  # bits: forms.ASKED
        pa.field("answer_form", pa.uint32()),  # bits: forms.GIVEN
        pa.field("reasoning_bytes", pa.int32()),
        pa.field("choices", pa.int32()),
        pa.field("line", pa.int64(), nullable=False),
    ]
)
ENDPOINTS = ("chat", "completion", "responses", "messages", "embedding", "batch", "other")

# -- what a scan concludes ------------------------------------------------------------------------------------------
_TIME = pa.timestamp("us", tz="UTC")
REASON = pa.struct(
    [
        pa.field("signal", pa.string()),
        pa.field("version", pa.int32()),
        pa.field("value", pa.float64()),
        pa.field("n", pa.float64()),  # exchanges behind the value; null for what ties two accounts
        pa.field("baseline", pa.float64()),  # median of benign units of like size
        pa.field("match_weight", pa.float64()),  # bits: log2 of the e-value, or of the likelihood ratio of a link
        pa.field("exchanges", pa.list_(pa.string())),
    ]
)
ABSTENTION = pa.struct([pa.field("signal", pa.string()), pa.field("missing", pa.list_(pa.string()))])
VERDICT = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),  # clear | watch | reseller | distilling | not_observable
        pa.field("probability", pa.float64()),
        pa.field("e_value", pa.float64()),
        pa.field("campaign_id", pa.string()),
        pa.field("pool_id", pa.string()),
        pa.field("first_at", _TIME),
        pa.field("last_at", _TIME),
        pa.field("exchanges", pa.int64()),
        pa.field("flagged_at", _TIME),
        pa.field("exchanges_at_flag", pa.int64()),
        pa.field("reasons", pa.list_(REASON)),
        pa.field("abstained", pa.list_(ABSTENTION)),
        pa.field("families", pa.list_(pa.string())),  # families of signals that support the verdict
        pa.field("note", pa.string()),  # for example which contract flag answers for it
        pa.field("made_by", pa.string()),  # code, signals, settings, calibration and inputs: see `provenance`
    ]
)
ATTRIBUTION = pa.struct(
    [
        pa.field("organisation", pa.string()),
        pa.field("strength", pa.string()),
        pa.field("evidence", pa.list_(pa.string())),
    ]
)
CAMPAIGN = pa.schema(
    [
        pa.field("campaign_id", pa.string(), nullable=False),
        pa.field("kinds", pa.list_(pa.string())),  # direct | routed | resold | hydra
        pa.field("accounts", pa.list_(pa.string())),
        pa.field("streams", pa.list_(pa.string())),
        pa.field("exchanges", pa.int64()),
        pa.field("tokens_in", pa.int64()),
        pa.field("tokens_out", pa.int64()),
        pa.field("first_at", _TIME),
        pa.field("last_at", _TIME),
        pa.field("flagged_at", _TIME),
        pa.field("exchanges_at_flag", pa.int64()),
        pa.field("targets", pa.list_(pa.string())),
        pa.field("e_value", pa.float64()),
        pa.field("probability", pa.float64()),
        pa.field("evidence", pa.list_(REASON)),
        pa.field("families", pa.list_(pa.string())),
        pa.field("attribution", pa.list_(ATTRIBUTION)),
        pa.field("exposure", pa.map_(pa.string(), pa.float64())),
        pa.field("e_bh", pa.bool_()),  # kept by e-BH at a false discovery rate of 5 % over all units judged
        pa.field("made_by", pa.string()),
    ]
)
MEMBER = pa.schema(  # which exchanges a campaign is made of
    [
        pa.field("campaign_id", pa.string(), nullable=False),
        pa.field("exchange_id", pa.string(), nullable=False),
    ]
)
POOL = pa.schema(
    [
        pa.field("pool_id", pa.string(), nullable=False),
        pa.field("accounts", pa.list_(pa.string())),
        pa.field("kind", pa.string()),  # linked | relay
        pa.field("reasons", pa.list_(pa.string())),
    ]
)
LINK = pa.schema(
    [
        pa.field("a", pa.string(), nullable=False),
        pa.field("b", pa.string(), nullable=False),
        pa.field("match_weight", pa.float64()),
        pa.field("families", pa.list_(pa.string())),
        pa.field("reasons", pa.list_(REASON)),
    ]
)
READING = pa.schema(
    [
        pa.field("unit", pa.string(), nullable=False),  # account id
        pa.field("signal", pa.string(), nullable=False),
        pa.field("version", pa.int32()),
        pa.field("value", pa.float64()),
        pa.field("n", pa.float64()),
        pa.field("p_value", pa.float64()),  # share of benign units of like size that show this much or more
    ]
)
