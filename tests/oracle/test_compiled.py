"""The compiled LiteLLM path against the record reader: for any line, one row or one reject, whichever path reads it.

The record reader is the oracle. It reads every line; the compiled path reads what it can and leaves it the rest.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stillwatch.ingest.read import read_lines
from stillwatch.ingest.records import Block, Reject
from stillwatch.ingest.scan_litellm import compiled
from stillwatch.ingest.settings import IngestSettings
from stillwatch.lab.traffic import write_demo
from stillwatch.lab.traffic.speed import write_speed

SETTINGS = IngestSettings(digest_key=b"a deployment's secret", max_examples=1_000_000)
NOW_US = 1_900_000_000_000_000
FORMS = settings(deadline=None, suppress_health_check=list(HealthCheck))


def by_record(data: bytes, first_line: int = 1) -> tuple[pa.Table, list[Reject], int]:
    """Rows, rejects and number of records by the record reader alone."""
    return read_by_record(list(enumerate(data.split(b"\n"), first_line)))


def read_by_record(lines: Sequence[tuple[int, bytes]]) -> tuple[pa.Table, list[Reject], int]:
    """The same, of numbered lines."""
    batch = read_lines(lines, settings=SETTINGS, now_us=NOW_US)
    return pa.Table.from_batches([batch.exchanges]), batch.rejects, batch.records


def by_both(data: bytes, first_line: int = 1) -> tuple[pa.Table, list[Reject], int, int]:
    """The same by the compiled path and the record reader behind it; and how many lines it got."""
    done = compiled(
        Block(data=data, first_line=first_line, offset=0),
        earliest_us=SETTINGS.earliest_us,
        latest_us=NOW_US + SETTINGS.ahead_us,
    )
    done.exchanges.validate(full=True)
    rest, rejects, records = read_by_record(done.left)
    rows = pa.concat_tables([pa.Table.from_batches([done.exchanges]), rest]).sort_by("line")
    return rows, rejects, records + done.exchanges.num_rows, len(done.left)


def assert_equal(data: bytes, first_line: int = 1) -> float:
    """Both readings of `data` agree in everything; share of the lines that the compiled path took."""
    expected, expected_rejects, expected_records = by_record(data, first_line)
    rows, rejects, records, left = by_both(data, first_line)
    assert (records, rejects) == (expected_records, expected_rejects)
    for name in expected.column_names:
        if not rows.column(name).equals(expected.column(name)):
            got, want = rows.column(name).to_pylist(), expected.column(name).to_pylist()
            wrong = [(g, w) for g, w in zip(got, want, strict=True) if repr(g) != repr(w)]
            assert not wrong, f"column `{name}`: compiled, record: {wrong[:3]}"
    return 1 - left / max(1, expected_records)


def stretches(data: bytes, size: int = 4 << 20) -> Iterator[bytes]:
    """Stretches of whole lines."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at + size) + 1 or len(data)
        yield data[at:end]
        at = end


@pytest.mark.shared
def test_captured_traffic_gives_equal_rows_and_hardly_ever_needs_the_record_reader(captures: Path) -> None:
    taken = total = 0.0
    for file in sorted(captures.glob("*.jsonl.zst")):
        if ".truth." in file.name:
            continue
        data = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()
        lines = data.count(b"\n")
        share = assert_equal(data)
        print(f"{file.name}: {share:.4f}")
        taken, total = taken + share * lines, total + lines
    print(f"all: {taken / total:.4f}")
    assert taken / total >= 0.97


def test_a_day_of_demo_traffic_gives_equal_rows(tmp_path: Path) -> None:
    write_demo(tmp_path)
    file = sorted(tmp_path.glob("gateway-*.jsonl.zst"))[2]
    data = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()
    shares = [assert_equal(part) for part in stretches(data)]
    assert min(shares) >= 0.97


def test_speed_traffic_gives_equal_rows_and_never_needs_the_record_reader(tmp_path: Path) -> None:
    write_speed(tmp_path / "speed.jsonl", 2000)
    assert assert_equal((tmp_path / "speed.jsonl").read_bytes()) == 1.0


# -- made-up payloads, mutated --------------------------------------------------------------------------------------


def payload(number: int = 1) -> dict[str, Any]:
    """An ordinary chat payload with most of the fields that are read."""
    usage = {
        "prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, "cache_read_input_tokens": 2,
        "completion_tokens_details": {"reasoning_tokens": 3}, "prompt_tokens_details": {"cached_tokens": 4},
    }  # fmt: skip
    return {
        "id": f"chatcmpl-{number}", "litellm_call_id": f"call-{number}", "trace_id": "trace-1", "session_id": None,
        "call_type": "acompletion", "stream": False, "status": "success", "startTime": 1772446272.173917,
        "endTime": 1772446274.75, "model": "openai/gpt-4o", "model_group": "gpt-4o", "prompt_tokens": 11,
        "completion_tokens": 7, "end_user": "réader-1", "requester_ip_address": "192.0.2.10, 10.0.0.1",
        "user_agent": None, "error_information": {"error_code": "", "error_class": ""}, "guardrail_information": None,
        "hidden_params": {"usage_object": None, "additional_headers": {"x": [1, 2.5e3, {"y": None}]}},
        "metadata": {
            "user_api_key_hash": "aa11", "user_api_key_user_id": "user-1", "user_api_key_team_id": "team-1",
            "user_api_key_org_id": None, "user_api_key_end_user_id": None, "usage_object": usage,
            "requester_ip_address": "192.0.2.10", "user_agent": "",
            "requester_metadata": {"headers": {
                "Host": "gw.example", "user-agent": "OpenAI/Python 2.1.0", "x-stainless-lang": "python",
                "http-referer": "https://app.example/", "X-Title": "Example", "cf-ipcountry": "NL", "x-asn": "AS64500",
                "x-ja4": "t13d1516h2", "anthropic-version": "2023-06-01", "x-goog-api-client": "gl-py/3.11",
            }},
        },
        "messages": [
            {"role": "system", "content": "Be brief.\nAnd kind: \u2603 \"yes\"."},
            {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "input_text", "text": "\U0001f600"}]},
        ],
        "response": {
            "id": "x", "object": "chat.completion", "usage": copy.deepcopy(usage),
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "A heron \\ /", "reasoning_content": "Legs.",
                            "tool_calls": None, "provider_specific_fields": {"refusal": None}},
            }],
        },
        "model_parameters": {
            "temperature": 0.7, "max_tokens": 64, "n": 1, "logprobs": True, "top_logprobs": 5, "stream": True,
            "reasoning_effort": "high", "user": "u-1", "response_format": {"type": "json_object"},
            "tools": [{"type": "function", "function": {"name": "look", "parameters": {"least": 0.25, "é": [1, -2]}}}],
        },
    }  # fmt: skip


# Keys that any of the readers knows, whichever place they belong to: a mutation may put them anywhere.
KEYS = (
    "api_key request_id litellm_call_id id call_type status stream end_user user prompt_tokens input_tokens "
    "completion_tokens output_tokens reasoning_tokens thinking_tokens cached_tokens input_tokens_details "
    "cache_creation_input_tokens inputTokens outputTokens cacheReadInputTokens usage usage_object usageMetadata "
    "max_completion_tokens max_output_tokens top_logprobs logprobs reasoning thinking output_config functions "
    "toolConfig text output_format num_generations generationConfig inferenceConfig previous_response_id "
    "reasoning_effort response_format tools tool_calls tool_call_id function_call name audio annotations parts content "
    "role type message delta refusal finish_reason reasoning_content reasoning_details thinking_blocks signature "
    "encrypted_content reasoningContent toolResult object output candidates results generation completion choices "
    "response messages metadata model_parameters hidden_params guardrail_information error_information error_code "
    "user_api_key user_api_key_team_id user_api_key_org_id user_api_key_end_user_id user_api_key_request_route "
    "requester_metadata headers x-forwarded-for x-openai-client x-client-token x-app x-app-name x-openrouter-title "
    "USER-AGENT referer x-ja3-hash x-country-code cloudfront-viewer-asn x-amz-user-agent anthropic-auth data spans "
    "startTime endTime session_id trace_id model model_group user_agent requester_ip_address data cache_control"
).split()
# Values that are near to what some field means, or known to be hard.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 7, 200, 429, 99999, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**30, -(2**63), 0.0, -0.0,
    1.0, 1.5, 0.1, 0.30000000000000004, 1e-7, 1e16, 1e22, 1.7e308, 1772446272.1739172, 1772446272173, 1772446273.5,
    "", " ", "a", " a ", "a\t", "\u00a0a", "a\u2003", "1", "429", "4.0", "true", "success", "failure", "text",
    "input_text", "stop", "content_filter", "CONTENT_FILTER", "refusal", "bloc\u212aed", "redacted-by-litellm", "batch",
    "abatch", "aembedding", "pass_through_endpoint", "responses", "response", "user", "model", "human", "ai",
    "tool", "[1.2.3.4]:80", "1.2.3.4:80", "::1", "2001:db8::1, 10.0.0.1", " 1.2.3.4 ,5", ":80", ",", "AS1", "as9", "AS",
    "12345678901", "\u0661", "sk-abcdefgh12345678", "SK_x", "Bearer abcdefghijkl", "basic", "eyJabc",
    "\u017fk-abcdefgh1234",
    "s\u212a-abcdefgh1234", "task-force", "GHP_abcdefghijklmnopq", "x" * 512, "x" * 513, "é" * 300, "x" * 3000, "a\nb",
    "a\r\nb", "a\x00b", "\x7f", "\x1b[0m", "\ud83d\ude00", "\ufffd", "\U0010ffff", "{}", "[]", '{"a": 1}', '[{"a": 1}]',
    "null", "2026-03-02T10:11:12Z", [], {}, [[]], [{}], [None], [1, "a"], ["a", "b"], {"a": 1}, {"content": "x"},
    [{"role": "user", "content": "x"}], [{"type": "text", "text": "y"}], [{"type": "image_url", "image_url": {}}],
    [{"type": "text"}], [{"text": "t"}], {"type": "enabled", "budget_tokens": 5}, {"a": [1.50, 1e5, -0.0, 1e-7]},
    {"b": "\u00e9\n\u0001\x7f\"\\/", "a": {"b": {}, "c": []}}, {"prompt_tokens": 5}, {"cached_tokens": 9},
)  # fmt: skip
SCALARS_AND_MORE = st.one_of(
    st.sampled_from(VALUES),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    st.decimals(0, 3 * 10**9, places=7).map(float),
    st.text(max_size=20),
    st.recursive(st.sampled_from(VALUES), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=3), max_leaves=8),
).map(copy.deepcopy)  # fmt: skip


def places(value: Any) -> list[Any]:
    """Every object and array in a value, itself included."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [place for item in inner for place in places(item)]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A payload after one to six changes: a value replaced, a key dropped, added, renamed, or all put in new order."""
    record = payload(draw(st.integers(1, 3)))
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3, 6)))):
        place = draw(st.sampled_from(places(record)))
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        change = draw(st.sampled_from(("replace", "replace", "drop", "add", "order", "copy")))
        if change == "add" or not keys:
            value = draw(SCALARS_AND_MORE)
            if isinstance(place, dict):
                place[draw(st.sampled_from(KEYS) | st.text(max_size=6))] = value
            else:
                place.append(value)
        elif change == "replace":
            place[draw(st.sampled_from(keys))] = draw(SCALARS_AND_MORE)
        elif change == "drop":
            del place[draw(st.sampled_from(keys))]
        elif change == "copy":
            value = copy.deepcopy(place[draw(st.sampled_from(keys))])
            other = draw(st.sampled_from(places(record)))
            if isinstance(other, dict):
                other[draw(st.sampled_from([*other, *KEYS]))] = value
            else:
                other.append(value)
        elif isinstance(place, dict):
            items = draw(st.permutations(list(place.items())))
            place.clear()
            place.update(items)
        else:
            place[:] = draw(st.permutations(place))
    return record


@st.composite
def written(draw: st.DrawFn, record: dict[str, Any]) -> bytes:
    """A payload as one of several JSON writers would write it, Python's NaN and lone surrogates included."""
    ascii_only, separators = draw(st.booleans()), draw(st.sampled_from(((",", ":"), (", ", ": "), (" ,\t", " :\r"))))
    text = json.dumps(record, ensure_ascii=ascii_only, separators=separators)
    if draw(st.booleans()):
        text = text.replace("/", "\\/")
    return text.encode("utf-8", "surrogatepass" if draw(st.booleans()) else "replace")


@FORMS
@given(st.data())
def test_a_mutated_payload_gives_the_same_row_or_the_same_reject(data: st.DataObject) -> None:
    lines = [data.draw(written(data.draw(mutated()))) for _ in range(data.draw(st.integers(1, 3)))]
    assert_equal(b"\n".join(lines) + data.draw(st.sampled_from((b"", b"\n", b"\r\n", b"\n\n \n"))))


TEXT = json.dumps(payload(), ensure_ascii=False, separators=(",", ":")).encode()
PIECES = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\r", b"\t", b" ", b"\x00", b"\x0b", b"\x1f", b"\x7f",
    b"\\u00e9", b"\\u0022", b"\\ud83d\\ude00", b"\\ud83d", b"\\ude00", b"\\x41", b"\\u12", b"\\", b"\xc3", b"\xc3\xa9",
    b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xff", b"NaN", b"Infinity", b"-", b"0",
    b"00", b"1e5", b"1E400", b"-0", b".5", b"5.", b"1e", b"+1", b"nul", b"nulll", b"True", b"null", b"true", b"{}",
    b"[]", b"[" * 70, b'{"a":' * 70, b'"a":1,', b'"id":"again",', b'"metadata":{},', b'"role":"user",', b",,",
    b"/*x*/", b"'",
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A line with one to four pieces of bytes cut out, put in, or put in the place of others."""
    line = draw(st.sampled_from((TEXT, json.dumps(payload()).encode())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(line)))
        cut = draw(st.sampled_from((0, 0, 1, 1, 2, 5, 40)))
        line = line[:at] + draw(st.sampled_from(PIECES) | st.binary(max_size=3) | st.just(b"")) + line[at + cut :]
    return line


@FORMS
@given(st.lists(damaged(), min_size=1, max_size=3))
@example([TEXT.replace(b'"id":"x"', b'"id":"x\n"')])
@example([b"", b" ", TEXT, b"\x0c", TEXT[:-1]])
def test_a_damaged_line_gives_the_same_row_or_the_same_reject(lines: list[bytes]) -> None:
    assert_equal(b"\n".join(lines))


@FORMS
@given(st.sampled_from([name for name in payload() if name != "status"]), SCALARS_AND_MORE, st.booleans())
def test_of_a_key_that_occurs_twice_the_last_value_counts(name: str, value: Any, first: bool) -> None:
    again = f"{json.dumps(name)}: {json.dumps(value)}".encode()
    assert_equal(b"{" + again + b"," + TEXT[1:] if first else TEXT[:-1] + b"," + again + b"}")


def changed_once() -> Iterator[dict[str, Any]]:
    """The payload with every value replaced by every hard one, and every hard value under every key of every object."""
    count = len(places(payload()))
    for at in range(count):
        place = places(payload())[at]
        for key in list(place) if isinstance(place, dict) else range(len(place)):
            for value in VALUES:
                record = payload()
                places(record)[at][key] = copy.deepcopy(value)
                yield record
        if isinstance(place, dict):
            for key in sorted(set(KEYS) - set(place)):
                for value in VALUES[at % 7 :: 7]:
                    record = payload()
                    places(record)[at][key] = copy.deepcopy(value)
                    yield record


@pytest.mark.slow
def test_every_field_with_every_hard_value_gives_the_same_row_or_the_same_reject() -> None:
    lines = (json.dumps(record).encode("utf-8", "surrogatepass") for record in changed_once())
    shares = []
    while stretch := list(itertools.islice(lines, 4000)):
        shares.append(assert_equal(b"\n".join(stretch)))
    assert sum(shares) / len(shares) > 0.8  # or the comparison would say little
