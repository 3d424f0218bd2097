"""Each format on its own sample; the expected values are read off the samples by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stillwatch.errors import UsageError
from stillwatch.ingest import formats
from stillwatch.ingest.files import expand, inspect
from stillwatch.ingest.joins import Joiner
from stillwatch.ingest.mapping import load
from stillwatch.ingest.read import finish, read
from stillwatch.ingest.records import Reject
from stillwatch.ingest.settings import IngestSettings
from stillwatch.tables import EXCHANGE

SAMPLES = Path(__file__).parents[2] / "samples"
NOW = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) * 1_000_000
AT = int(datetime(2026, 3, 2, 10, 11, 12, tzinfo=UTC).timestamp()) * 1_000_000  # most samples begin at this second


def taken(*names: str, **options: Any) -> tuple[dict[str, dict[str, Any]], list[Reject]]:
    """Exchanges by id, and rejects, of samples that are read together."""
    settings = options.pop("settings", IngestSettings())
    joiner = Joiner(settings)
    rows: dict[str, dict[str, Any]] = {}
    rejects: list[Reject] = []
    batches = [
        batch
        for entry in expand([str(SAMPLES / name) for name in names])
        for batch in read(entry, now_us=NOW, joiner=joiner, settings=settings, **options)
    ]
    batches += [batch for _, batch in finish(joiner, now_us=NOW, settings=settings)]
    for batch in batches:
        assert batch.exchanges.schema == EXCHANGE
        rows |= {row["exchange_id"]: row for row in batch.exchanges.to_pylist()}
        rejects += batch.rejects
    return rows, rejects


def has(row: dict[str, Any], **expected: Any) -> None:
    """Check the stated columns, and name those that differ."""
    assert {name: row[name] for name in expected} == expected


def said(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in row["messages"]]


def test_litellm_payload_follows_the_contract() -> None:
    rows, rejects = taken("litellm.jsonl")
    assert not rejects
    has(
        rows["call-1"],
        at=AT + 250_000,
        latency_ms=2500,
        account_id="user-1",
        key_id="aa11",
        org_id="org-1",
        model="gpt-4o",
        end_user_id="eu-7",
        session_id="tr-1",
        endpoint="chat",
        stream=False,
        temperature=0.5,
        max_tokens=64,
        n=1,
        logprobs=5,
        reasoning_effort="high",
        response_format='{"type":"json_object"}',
        tokens_in=21,
        tokens_out=9,
        tokens_reasoning=4,
        tokens_cached=8,
        status=200,
        refused=False,
        ip="192.0.2.10",
        title="Example App",
        referer="https://app.example/",
        user_agent="OpenAI/Python 2.1.0",
        client_headers="x-stainless-lang=python\nx-stainless-package-version=2.1.0",
        header_names="host,accept,user-agent,authorization,x-stainless-lang,x-stainless-package-version,http-referer,x-title",
        response="A heron.",
        reasoning="Long legs, so a heron.",
        reasoning_blobs_out=["SIG-OUT"],
        choices=1,
        line=1,
    )
    assert said(rows["call-1"]) == [("system", "Be brief."), ("user", "What is shown?\nOne word.")]
    assert json.loads(rows["call-1"]["messages"][1]["extra"]) == [
        {"type": "image_url", "image_url": {"url": "https://pics.example/1.png"}}
    ]


def test_litellm_failure_keeps_its_code_and_falls_back_to_the_team() -> None:
    rows, _ = taken("litellm.jsonl")
    has(rows["call-2"], account_id="team-2", status=429, latency_ms=100, response=None, refused=None)
    assert said(rows["call-2"]) == [("user", "a bare prompt")]


def test_litellm_embedding_texts_become_messages_and_the_key_is_the_last_account() -> None:
    rows, _ = taken("litellm.jsonl")
    has(rows["call-3"], account_id="cc33", endpoint="embedding", response=None)
    assert said(rows["call-3"]) == [("user", "first text"), ("user", "second text")]


def test_thinking_signatures_and_redacted_thinking_in_a_request_are_blobs_not_text() -> None:
    row = taken("litellm.jsonl")[0]["call-4"]
    has(row, reasoning_blobs_in=["SIG-IN", "RED-IN"], reasoning_effort="budget_tokens=2048", tokens_cached=5)
    # 10 fresh + 5 from the cache: Anthropic counts the cache beside input_tokens.
    has(row, tokens_in=15, tokens_out=3, finish_reason="end_turn", endpoint="messages")
    assert said(row) == [("user", "Go on."), ("assistant", None), ("tool", "a pond"), ("user", "And now?")]
    assert "SIG-IN" not in row["messages"][1]["extra"]


def test_text_that_litellm_redacted_counts_as_no_text() -> None:
    has(taken("litellm.jsonl")[0]["call-5"], messages=None, response=None, status=200)


def test_spendlogs_take_the_prompt_from_proxy_server_request() -> None:
    rows, rejects = taken("spendlogs.jsonl", "spendlogs.csv")
    assert not rejects
    has(
        rows["req-1"],
        at=AT + 500_000,
        latency_ms=1500,
        account_id="user-9",
        org_id="team-9",
        session_id="sess-9",
        temperature=0.2,
        max_tokens=16,
        tokens_in=7,
        tokens_out=5,
        response="Blue.",
        user_agent="curl/8.5",
        ip="198.51.100.4",
        end_user_id=None,
        endpoint="chat",
    )
    assert said(rows["req-1"]) == [("user", "Colour of the sky?")]
    has(rows["req-2"], status=401, latency_ms=200, messages=None)
    has(rows["req-3"], account_id="user-3", response="Line one\nline two", tokens_in=3, latency_ms=1000)


def test_a_raw_key_in_an_id_column_is_replaced_by_its_digest() -> None:
    row = taken("spendlogs.jsonl")[0]["req-2"]
    assert row["key_id"] == row["account_id"]
    assert row["key_id"].startswith("key:") and "rawkey" not in row["key_id"]


def test_otel_1_37_reads_messages_and_inherits_from_the_server_span() -> None:
    rows, rejects = taken("otlp_genai.jsonl")
    row = rows["5b8efff798038103d269b633813fc60c:eee19b7ec3c1b174"]
    has(
        row,
        at=AT + 1_000_000,
        latency_ms=1000,
        account_id="user-21",
        ip="203.0.113.5",
        user_agent="my-app/1.0",
        model="gpt-4o",
        temperature=0.7,
        max_tokens=200,
        tokens_in=97,
        tokens_out=52,
        tokens_reasoning=20,
        session_id="conv-21",
        parent_id="eee19b7ec3c1b173",
        finish_reason="stop",
        response="It rains in Paris.",
        reasoning="The tool says rain.",
        endpoint="chat",
        choices=1,
    )
    assert said(row) == [
        ("system", "You are a weather bot."),
        ("user", "Weather in Paris?"),
        ("assistant", None),
        ("tool", "rainy, 57F"),
    ]
    assert "weather" in row["messages"][2]["extra"]
    # The server span and the tool span are no model calls: counted, but nothing is wrong with them.
    assert [(reject.reason, reject.records) for reject in rejects] == [("not_an_exchange", 0)]
    assert rejects[0].detail.startswith("2 spans")


def test_otel_1_36_reads_span_events() -> None:
    row = taken("otlp_events.jsonl")[0]["0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331"]
    has(row, account_id="user-31", tokens_in=11, tokens_out=6, response="Hi from the sky.", finish_reason="stop")
    assert said(row) == [("system", "Answer in rhyme."), ("user", "Say hi.")]


def test_otel_log_records_are_joined_to_their_span_across_files() -> None:
    row = taken("otlp_events.jsonl", "otlp_logs.jsonl")[0]["0af7651916cd43dd8448eb211c80319d:b7ad6b7169203332"]
    has(row, account_id="user-32", at=AT, response="Once upon", finish_reason="length")
    assert said(row) == [("user", "Tell a tale.")]


def test_otel_inference_details_event_is_an_exchange_by_itself() -> None:
    row = taken("otlp_details.jsonl")[0]["resp-41"]
    has(row, account_id="user-41", at=AT, tokens_in=5, response="Pong", model="gpt-4o")
    assert said(row) == [("user", "Ping")]


def test_openinference_reads_otlp_and_flat_phoenix_spans() -> None:
    rows, _ = taken("openinference.jsonl")
    row = rows["11f7651916cd43dd8448eb211c803111:aaad6b7169203331"]
    has(row, account_id="user-51", session_id="sess-51", temperature=0.1, max_tokens=50, tokens_in=14, tokens_out=3)
    has(row, tokens_cached=2, response="Bonjour", model="gpt-4o-mini")
    assert said(row) == [("system", "Translate to French."), ("user", "Good morning")]
    flat = rows["11f7651916cd43dd8448eb211c803112:aaad6b7169203332"]
    has(flat, account_id="user-52", at=AT, latency_ms=1500, response="One, two.", tokens_in=4, tokens_out=5)
    assert said(flat) == [("user", "Numbers?")]


def test_openllmetry_reads_numbered_prompts() -> None:
    row = taken("openllmetry.jsonl")[0]["22f7651916cd43dd8448eb211c803221:bbad6b7169203331"]
    has(
        row, account_id="user-61", max_tokens=1024, stream=False, response="No.", finish_reason="end_turn", tokens_in=12
    )
    assert said(row) == [("user", "Tell me a joke")]


def test_openai_pairs_of_chat_and_responses() -> None:
    rows, rejects = taken("openai_pairs.jsonl")
    assert not rejects
    has(
        rows["pair-1"],
        at=AT,
        account_id="acct-71",
        end_user_id="eu-71",
        model="gpt-4o",
        temperature=0.0,
        max_tokens=5,
        latency_ms=850,
        status=200,
        ip="192.0.2.71",
        response="4",
        tokens_in=5,
        tokens_out=1,
        endpoint="chat",
        title="Example App",
    )
    has(
        rows["pair-2"],
        end_user_id="eu-72",
        parent_id="resp_0",
        reasoning_effort="medium",
        endpoint="responses",
        reasoning_blobs_in=["ENC-IN"],
        reasoning_blobs_out=["ENC-OUT"],
        reasoning="Induct.",
        response="By induction.",
        tokens_in=30,
        tokens_out=40,
        tokens_cached=10,
        tokens_reasoning=25,
        finish_reason="completed",
        response_format='{"type":"json_schema","name":"proof"}',
    )
    assert said(rows["pair-2"])[:2] == [("system", "Be exact."), ("user", "Prove it.")]


def test_request_and_response_on_lines_of_their_own_are_joined() -> None:
    row = taken("openai_pairs.jsonl")[0]["half-3"]
    has(row, account_id="acct-73", response="Joined.", at=AT + 2_000_000)
    assert said(row) == [("user", "Halves?")]


def test_openai_batch_files_are_joined_by_custom_id_and_an_unanswered_job_is_reported() -> None:
    rows, rejects = taken("openai_batch_input.jsonl", "openai_batch_output.jsonl")
    has(rows["batch_req_1"], account_id="acct-81", at=AT, model="gpt-4o-mini", max_tokens=10, response="First answer")
    assert said(rows["batch_req_1"]) == [("user", "First job")]
    assert [(reject.reason, reject.line, reject.records) for reject in rejects] == [("unmatched", 2, 1)]


def test_anthropic_pairs_keep_thinking_and_signatures() -> None:
    rows, rejects = taken("anthropic.jsonl")
    assert not rejects
    has(
        rows["p-91"],
        account_id="acct-91",
        end_user_id="eu-91",
        endpoint="messages",
        response="Light.",
        max_tokens=2048,
        reasoning="Because of light.",
        reasoning_blobs_out=["SIG-91", "RED-91"],
        reasoning_effort="budget_tokens=1024",
        tokens_in=120,
        tokens_cached=100,
        tokens_out=30,
        finish_reason="end_turn",
        refused=False,
    )
    assert said(rows["p-91"]) == [("system", "Think hard."), ("user", "Why?")]
    has(rows["p-92"], status=429, response=None)


def test_anthropic_batches_need_a_time_and_say_so() -> None:
    rows, rejects = taken("anthropic_batch.jsonl")
    assert not rows
    assert [(reject.reason, reject.field) for reject in rejects] == [("missing", "at")]
    assert "--at-from" in rejects[0].detail
    rows, rejects = taken("anthropic_batch.jsonl", settings=IngestSettings(at_from="literal:2026-03-02T10:11:12Z"))
    has(rows["msg_95"], at=AT, account_id="acct-95", response="Batched.", max_tokens=100, tokens_in=4)
    assert not rejects


def test_bedrock_reads_converse_streams_and_errors() -> None:
    rows, rejects = taken("bedrock.jsonl")
    assert not rejects
    has(
        rows["b-1"],
        at=AT,
        account_id="arn:aws:iam::123456789012:user/ana",
        org_id="123456789012",
        end_user_id="eu-b1",
        model="anthropic.claude-3-5-sonnet-20241022-v2:0",
        temperature=0.25,
        max_tokens=32,
        tokens_in=9,
        tokens_out=6,
        response="1 2 3",
        reasoning="1, 2, 3.",
        reasoning_blobs_out=["SIG-B"],
        stream=False,
        endpoint="chat",
        status=200,
    )
    assert said(rows["b-1"]) == [("system", "Count."), ("user", "Count to three")]
    has(rows["b-2"], response="Streamed.", stream=True, tokens_out=4, finish_reason="end_turn", endpoint="messages")
    has(rows["b-3"], status=429, response=None, max_tokens=8)
    assert said(rows["b-3"]) == [("user", "Hello")]


@pytest.mark.parametrize("first", ["traces", "observations"])
def test_langfuse_observations_get_their_user_from_the_trace_in_either_order(tmp_path: Path, first: str) -> None:
    for name in ("traces", "observations"):
        text = (SAMPLES / f"langfuse_{name}.jsonl").read_text()
        (tmp_path / f"{int(name != first)}.jsonl").write_text(text)
    rows, _ = taken(str(tmp_path))
    has(
        rows["obs-1"],
        at=AT,
        latency_ms=1250,
        account_id="user-lf",
        session_id="sess-lf",
        model="gpt-4o",
        temperature=0.3,
        max_tokens=20,
        tokens_in=15,
        tokens_out=1,
        tokens_cached=3,
        response="Lima",
        status=200,
    )
    assert said(rows["obs-1"]) == [("system", "Short."), ("user", "Capital of Peru?")]


def test_a_langfuse_observation_without_its_trace_is_set_aside_or_given_a_fallback_account() -> None:
    rows, rejects = taken("langfuse_observations.jsonl")
    assert not rows
    assert ("unmatched", "account_id") in [(reject.reason, reject.field) for reject in rejects]
    rows, _ = taken("langfuse_observations.jsonl", settings=IngestSettings(account_from="literal:the-app"))
    has(rows["obs-1"], account_id="the-app")


def test_helicone_rows() -> None:
    row = taken("helicone.jsonl")[0]["h-1"]
    has(
        row,
        at=AT,
        latency_ms=1000,
        account_id="user-h",
        key_id="pk-1",
        org_id="org-h",
        session_id="sess-h",
        country="NO",
        tokens_in=6,
        tokens_out=2,
        response="Yes.",
        status=200,
    )
    assert said(row) == [("user", "Fjord?")]


def test_a_mapping_file_reads_foreign_json() -> None:
    rows, rejects = taken("own_proxy.jsonl", mapping=load(str(SAMPLES / "own_proxy.toml")))
    assert not rejects
    has(
        rows["m-1"],
        at=AT + 250_000,
        latency_ms=1000,
        account_id="77",
        org_id="acme",
        model="gpt-4o",
        temperature=0.9,
        status=200,
        response="Mapped.",
        tokens_in=3,
        tokens_out=2,
        title="Example App",
        endpoint="chat",
    )
    assert said(rows["m-1"]) == [("user", "Mapped?")]


def test_a_mapping_file_reads_foreign_csv() -> None:
    rows, rejects = taken("own_table.csv", mapping=load(str(SAMPLES / "own_table.toml")))
    assert not rejects
    has(rows["c-1"], at=AT, account_id="k-1", model="gpt-4o", response="Yes", line=2)
    assert said(rows["c-1"]) == [("user", "Semi; colon?")]


def test_foreign_records_without_a_mapping_name_their_keys_and_the_way_out() -> None:
    rows, rejects = taken("own_proxy.jsonl")
    assert not rows
    assert rejects[0].reason == "unknown_format"
    assert "`req`, `ts`, `done`, `res`" in rejects[0].detail and "mapping file" in rejects[0].detail


def test_several_formats_in_one_file_are_told_apart_record_by_record(tmp_path: Path) -> None:
    names = [
        "litellm.jsonl",
        "bedrock.jsonl",
        "helicone.jsonl",
        "spendlogs.jsonl",
        "openllmetry.jsonl",
        "anthropic.jsonl",
    ]
    lines = [line for name in names for line in (SAMPLES / name).read_text().splitlines()]
    mixed = lines[::2] + lines[1::2]
    (tmp_path / "mixed.jsonl").write_text("\n".join(mixed) + "\n")
    apart = {key for name in names for key in taken(name)[0]}
    together = taken(str(tmp_path / "mixed.jsonl"))[0]
    assert set(together) == apart


def test_every_sample_is_recognised_as_what_it_is() -> None:
    for name, expected in {
        "litellm": "litellm",
        "spendlogs": "spendlogs",
        "otlp_genai": "otlp",
        "otlp_logs": "otlp",
        "openinference": "otlp",
        "openllmetry": "otlp",
        "openai_pairs": "openai",
        "openai_batch_input": "openai",
        "openai_batch_output": "openai",
        "anthropic": "anthropic",
        "anthropic_batch": "anthropic",
        "bedrock": "bedrock",
        "helicone": "helicone",
        "langfuse_observations": "langfuse",
        "langfuse_traces": "langfuse",
    }.items():
        for line in (SAMPLES / f"{name}.jsonl").read_text().splitlines():
            found = formats.recognise(json.loads(line))
            assert found is not None and found.name == expected, (name, found)


def test_formats_promise_only_columns_that_exist_and_tell_what_to_switch_on() -> None:
    for entry in formats.FORMATS.values():
        assert set(entry.provides) <= set(EXCHANGE.names)
        assert len(set(entry.provides)) == len(entry.provides)
        assert entry.docs and entry.title


def test_what_a_sample_yields_is_promised_by_its_format() -> None:
    kinds = {
        "litellm": ["litellm"],
        "spendlogs": ["spendlogs"],
        "bedrock": ["bedrock"],
        "helicone": ["helicone"],
        "openai": ["openai_pairs"],
        "anthropic": ["anthropic"],
        "otlp": ["otlp_genai", "openinference", "openllmetry"],
    }
    for name, samples in kinds.items():
        for sample in samples:
            for row in taken(f"{sample}.jsonl")[0].values():
                there = {column for column, value in row.items() if value is not None} - {"line"}
                assert there <= set(formats.FORMATS[name].provides), (name, there - set(formats.FORMATS[name].provides))


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean `litellm`"):
        list(read(inspect(str(SAMPLES / "litellm.jsonl")), format="litelm", now_us=NOW))
