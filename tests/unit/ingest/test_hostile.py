"""A folder with rubbish in it: everything is accounted for, nothing raises, memory stays bounded."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from stillwatch.errors import InputError
from stillwatch.ingest.duplicates import Seen
from stillwatch.ingest.files import blocks, expand, inspect
from stillwatch.ingest.read import read
from stillwatch.ingest.records import Batch, Block, Reject
from stillwatch.ingest.settings import IngestSettings

NOW = 1_772_500_000_000_000  # 2026-03-03
START = 1_772_446_272.0  # 2026-03-02T10:11:12Z


def payload(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "litellm_call_id": f"c{number}",
        "call_type": "acompletion",
        "status": "success",
        "startTime": START + number,
        "endTime": START + number + 1,
        "model": "gpt-4o",
        "metadata": {"user_api_key_user_id": "u1"},
        "messages": [{"role": "user", "content": f"question {number}"}],
        "response": {"choices": [{"finish_reason": "stop", "message": {"content": "answer"}}]},
        "model_parameters": {},
    } | changes


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def batches(path: Path, **options: Any) -> list[Batch]:
    return list(read(inspect(str(path)), now_us=NOW, **options))


def outcome(path: Path, **options: Any) -> tuple[list[str], list[tuple[int | None, str | None, str]]]:
    """Ids taken, and (line, field, reason) of what was not."""
    out = batches(path, **options)
    ids = [row for batch in out for row in batch.exchanges.column("exchange_id").to_pylist()]
    return ids, [(reject.line, reject.field, reject.reason) for batch in out for reject in batch.rejects]


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


GOOD = lines(*(payload(n) for n in range(5)))
IDS = [f"c{n}" for n in range(5)]


@pytest.mark.parametrize(
    "name, data",
    [
        ("plain.jsonl", GOOD),
        ("no-extension", GOOD),
        ("windows.jsonl", GOOD.replace(b"\n", b"\r\n")),
        ("bom.jsonl", b"\xef\xbb\xbf" + GOOD),
        ("no-last-newline.jsonl", GOOD.rstrip()),
        ("a.jsonl.gz", gzip.compress(GOOD)),
        ("misnamed.jsonl", gzip.compress(GOOD)),
        ("members.gz", gzip.compress(lines(payload(0))) + gzip.compress(lines(*(payload(n) for n in range(1, 5))))),
        ("padded.gz", gzip.compress(GOOD) + bytes(512)),
        ("a.jsonl.zst", zstandard.compress(GOOD)),
        ("frames.zst", zstandard.compress(GOOD[:100]) + zstandard.compress(GOOD[100:])),
        ("skippable.zst", b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc" + zstandard.compress(GOOD)),
        ("array.json", json.dumps([payload(n) for n in range(5)]).encode()),
        ("pretty.json", json.dumps([payload(n) for n in range(5)], indent=2).encode()),
        ("wrapped.json", json.dumps({"meta": {"n": 5}, "data": [payload(n) for n in range(5)]}, indent=1).encode()),
        ("array-a-line.jsonl", lines([payload(n) for n in range(3)], [payload(n) for n in range(3, 5)])),
        ("wrapped-a-line.jsonl", lines({"records": [payload(n) for n in range(5)]})),
        ("blank-lines.jsonl", GOOD.replace(b"\n", b"\n\n   \n")),
    ],
)
def test_the_same_records_come_out_of_every_container(tmp_path: Path, name: str, data: bytes) -> None:
    assert outcome(put(tmp_path, name, data)) == (IDS, [])


def test_one_pretty_printed_object_is_one_record(tmp_path: Path) -> None:
    assert outcome(put(tmp_path, "one.json", json.dumps(payload(0), indent=4).encode())) == (["c0"], [])


def test_parquet_rows_keep_structs_and_row_numbers(tmp_path: Path) -> None:
    rows = [{k: v for k, v in payload(n).items() if k != "model_parameters"} for n in range(700)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=300)
    out = batches(tmp_path / "a.parquet")
    assert [row for b in out for row in b.exchanges.column("line").to_pylist()] == list(range(1, 701))
    assert not [reject for b in out for reject in b.rejects]


def test_a_damaged_parquet_file_is_one_reject(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([payload(n, model_parameters=None) for n in range(50)]), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    ids, rejects = outcome(put(tmp_path, "cut.parquet", whole[: len(whole) // 2]))
    assert not ids and [reason for _, _, reason in rejects] == ["corrupt"]


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_cut_compressed_file_gives_what_was_readable_and_says_that_it_is_cut(tmp_path: Path, kind: str) -> None:
    text = lines(*(payload(n, response={"choices": [], "id": os.urandom(40).hex()}) for n in range(5000)))
    data = gzip.compress(text) if kind == "gz" else zstandard.compress(text)
    ids, rejects = outcome(put(tmp_path, f"cut.{kind}", data[: len(data) // 2]))
    assert 1000 < len(ids) < 4000
    assert ids == [f"c{n}" for n in range(len(ids))]
    assert (None, None, "truncated") in rejects
    assert {reason for _, _, reason in rejects} == {"truncated"}


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("cut", [1, 2, 3, 5, 9, 12, 20])
def test_no_cut_of_a_compressed_file_passes_for_whole(tmp_path: Path, kind: str, cut: int) -> None:
    data = gzip.compress(GOOD) if kind == "gz" else zstandard.compress(GOOD)
    _, rejects = outcome(put(tmp_path, f"cut.{kind}", data[:-cut]))
    assert (None, None, "truncated") in rejects


def test_flipped_bytes_in_compressed_files_are_reported_as_corrupt(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(GOOD))
    data[len(data) // 2] ^= 0xFF
    _, rejects = outcome(put(tmp_path, "flipped.gz", bytes(data)))
    assert any(reason in ("corrupt", "truncated") for _, _, reason in rejects)


def test_a_gzip_bomb_and_a_giant_line_are_passed_over_in_bounded_memory(tmp_path: Path) -> None:
    giant = b'{"startTime": "' + b"x" * (100 << 20) + b'"}\n'
    path = put(tmp_path, "bomb.jsonl.gz", gzip.compress(lines(payload(0)) + giant + lines(payload(1)), compresslevel=1))
    del giant
    tracemalloc.start()
    ids, rejects = outcome(path, settings=IngestSettings(max_line_bytes=4 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ids == ["c0", "c1"] and rejects == [(2, None, "too_long")]
    assert peak < 40 << 20


def test_a_giant_element_of_a_json_array_is_passed_over_too(tmp_path: Path) -> None:
    records = [payload(0), payload(1, messages="y" * 3_000_000), payload(2)]
    path = put(tmp_path, "a.json", json.dumps(records, indent=1).encode())
    ids, rejects = outcome(path, settings=IngestSettings(max_line_bytes=1 << 20))
    assert ids == ["c0", "c2"] and [(field, reason) for _, field, reason in rejects] == [(None, "too_long")]


@pytest.mark.parametrize(
    "line, field, reason",
    [
        (b'{"litellm_call_id": "c9", "startTime": NaN}', None, "malformed"),
        (b'{"litellm_call_id": "c9", "startT', None, "malformed"),
        (b"[[[[" * 50_000, None, "malformed"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, None, "malformed"),
        (b'{"startTime": 1, "name": "M\xfcller"}', None, "encoding"),
        (b'{"startTime": "\x00\x00"}', None, "binary"),
        (b'"just text"', None, "type"),
        (b"12", None, "type"),
        (b"null", None, "type"),
        (b"{}", None, "unknown_format"),
        (json.dumps(payload(9, startTime=0)).encode(), "at", "clock"),
        (json.dumps(payload(9, startTime=2_145_916_800)).encode(), "at", "clock"),  # 2038
        (json.dumps(payload(9, startTime=1e300)).encode(), "startTime", "clock"),
        (json.dumps(payload(9, startTime=10**400)).encode(), None, "malformed"),
        (json.dumps(payload(9, startTime="yesterday")).encode(), "startTime", "type"),
        (json.dumps(payload(9, startTime=None)).encode(), "at", "missing"),
        (json.dumps(payload(9, endTime=START)).encode(), "end", "clock"),
        (json.dumps(payload(9, metadata=None)).encode(), "account_id", "missing"),
        (json.dumps(payload(9, metadata={"user_api_key_user_id": {"x": 1}})).encode(), "account_id", "type"),
        (json.dumps(payload(9, metadata={"user_api_key_user_id": "u" * 513})).encode(), "account_id", "too_long"),
        (json.dumps(payload(9, model=None)).encode(), "model", "missing"),
        (json.dumps(payload(9, litellm_call_id=None)).encode(), "exchange_id", "missing"),
        (json.dumps(payload(9, prompt_tokens=-1)).encode(), "tokens_in", "range"),
        (json.dumps(payload(9, prompt_tokens=10**30)).encode(), "tokens_in", "range"),
        (json.dumps(payload(9, prompt_tokens="many")).encode(), "tokens_in", "type"),
    ],
)
def test_a_bad_line_is_quarantined_by_line_field_and_reason_and_its_neighbours_stay(
    tmp_path: Path, line: bytes, field: str | None, reason: str
) -> None:
    path = put(tmp_path, "a.jsonl", lines(payload(0)) + line + b"\n" + lines(payload(1)))
    assert outcome(path) == (["c0", "c1"], [(2, field, reason)])


@pytest.mark.parametrize(
    "changes",
    [
        {"model_parameters": {"temperature": "hot", "max_tokens": 10**40, "n": [], "logprobs": "x", "stream": 7}},
        {"end_user": "e" * 600},
        {"end_user": {"a": 1}},
        {"messages": [{"role": 5, "content": {"type": 5}}, 7, None, {"content": [None, 3, {"type": "text"}]}]},
        {"messages": {"role": "user"}},
        {"messages": 12},
        {"response": {"choices": [{"message": {"content": [["x"]], "tool_calls": "no"}}]}},
        {"response": [1, None, {}]},
        {"messages": [{"role": "user", "content": "half \ud83d of an emoji"}]},
        {"metadata": {"user_api_key_user_id": "u1", "requester_metadata": {"headers": {"x-title": 5, "a\nb": "c"}}}},
        {"model_parameters": {"tools": [[[[]]]], "thinking": "yes", "reasoning": 4, "response_format": 3}},
    ],
)
def test_what_a_client_writes_into_its_own_request_cannot_hide_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert outcome(put(tmp_path, "a.jsonl", lines(payload(0, **changes)))) == (["c0"], [])


def test_a_lone_surrogate_becomes_a_replacement_character(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", b'{"x":0}\n' + lines(payload(0, messages="half \ud83d")))
    text = batches(path)[0].exchanges.column("messages").to_pylist()[0][0]["content"]
    assert text == "half \ufffd"


def test_a_last_line_without_newline_that_is_cut_is_truncated_and_read_again_when_it_is_whole(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", GOOD[:-30])
    out = batches(path)
    assert [reject.reason for batch in out for reject in batch.rejects] == ["truncated"]
    path.write_bytes(GOOD)
    rest = outcome(path, start_offset=out[-1].resume_offset, start_line=out[-1].resume_line)
    assert rest == (["c4"], [])


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.json", "a.parquet"])
def test_reading_goes_on_from_any_resume_position(tmp_path: Path, name: str) -> None:
    records = [payload(n) for n in range(40)]
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist([{**r, "model_parameters": None} for r in records]), path)
    else:
        text = json.dumps(records, indent=1).encode() if name.endswith("json") else lines(*records)
        wrap = {"z": gzip.compress, "t": zstandard.compress}.get(name[-1])
        path.write_bytes(wrap(text) if wrap else text)
    small = IngestSettings(batch_rows=7, block_bytes=2000)
    whole = [
        (b.exchanges.column("exchange_id").to_pylist(), b.resume_offset, b.resume_line)
        for b in batches(path, settings=small)
    ]
    assert [i for ids, _, _ in whole for i in ids] == [f"c{n}" for n in range(40)]
    for number, (_, offset, line) in enumerate(whole):
        rest = outcome(path, settings=small, start_offset=offset, start_line=line)[0]
        assert rest == [i for ids, _, _ in whole[number + 1 :] for i in ids]


def test_line_numbers_survive_a_resume(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", GOOD)
    first = batches(path, settings=IngestSettings(batch_rows=2))[0]
    rest = batches(path, start_offset=first.resume_offset, start_line=first.resume_line)
    assert rest[0].exchanges.column("line").to_pylist() == [3, 4, 5]


def test_a_rubbish_folder_is_explained_file_by_file(tmp_path: Path) -> None:
    put(tmp_path, "good.jsonl", GOOD)
    put(tmp_path, "photo.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 64)
    put(tmp_path, "utf16.jsonl", GOOD.decode().encode("utf-16"))
    put(tmp_path, "utf16le.jsonl", GOOD.decode().encode("utf-16-le"))
    put(tmp_path, "notes.md", b"# Notes\n\nNothing to see.\n")
    put(tmp_path, "empty.jsonl", b"")
    put(tmp_path, "logs.zip", b"PK\x03\x04" + bytes(50))
    put(tmp_path, ".hidden.jsonl", GOOD)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    out = {Path(entry.path).name: outcome_of(entry) for entry in expand([str(tmp_path)])}
    assert out == {
        "good.jsonl": (5, []),
        "photo.png": (0, ["unreadable"]),
        "utf16.jsonl": (0, ["unreadable"]),
        "utf16le.jsonl": (0, ["unreadable"]),
        "notes.md": (0, ["unreadable"]),
        "empty.jsonl": (0, ["empty"]),
        "logs.zip": (0, ["unreadable"]),
        ".hidden.jsonl": (0, ["hidden"]),
        "broken": (0, ["unreadable"]),
        "pipe": (0, ["unreadable"]),
    }


def outcome_of(entry: Any) -> tuple[int, list[str]]:
    out = list(read(entry, now_us=NOW))
    return sum(batch.exchanges.num_rows for batch in out), [reject.reason for batch in out for reject in batch.rejects]


def test_sources_are_sorted_read_once_and_a_missing_one_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl"):
        put(tmp_path, name, GOOD)
    found = expand([str(tmp_path), str(tmp_path / "*.jsonl"), str(tmp_path / "a.jsonl")])
    assert [Path(entry.path).name for entry in found] == ["a.jsonl", "b.jsonl"]
    with pytest.raises(InputError, match=r"did you mean `.*a\.jsonl`"):
        expand([str(tmp_path / "a.json")])
    with pytest.raises(InputError, match="nothing matches"):
        expand([str(tmp_path / "*.parquet")])


def test_many_alike_rejects_are_counted_not_listed(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", b'{"foreign": 1}\n' * 1000)
    (batch,) = batches(path, settings=IngestSettings(max_examples=10))
    assert len(batch.rejects) == 11
    assert sum(reject.records for reject in batch.rejects) == batch.records == 1000


def test_duplicate_ids_are_quarantined_within_a_batch_and_across_files(tmp_path: Path) -> None:
    first = put(tmp_path, "a.jsonl", lines(payload(0), payload(1), payload(0)))
    second = put(tmp_path, "b.jsonl", lines(payload(1), payload(2)))
    seen = Seen()
    assert outcome(first, seen=seen) == (["c0", "c1"], [(3, "exchange_id", "duplicate")])
    assert outcome(second, seen=seen) == (["c2"], [(1, "exchange_id", "duplicate")])


def test_a_csv_with_quoted_newlines_ragged_rows_and_bad_bytes(tmp_path: Path) -> None:
    head = b"litellm_call_id,call_type,status,startTime,model,metadata,messages,model_parameters\n"
    row = b'c%d,acompletion,success,1772446272,gpt-4o,"{""user_api_key_user_id"":""u1""}","two\nlines",{}\n'
    path = put(tmp_path, "a.csv", head + row % 0 + b"short,row\n" + b"bad\xff,b,c,d,e,f,g,h\n" + row % 1)
    ids, rejects = outcome(path)
    assert ids == ["c0", "c1"]
    assert [(line, reason) for line, _, reason in rejects] == [(4, "malformed"), (5, "encoding")]
    assert batches(path)[0].exchanges.column("messages").to_pylist()[0][0]["content"] == "two\nlines"


def test_the_compiled_path_gets_whole_blocks_and_may_decline(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", GOOD)
    seen: list[Block] = []

    def decline(block: Block) -> None:
        seen.append(block)

    assert outcome(path, fast=decline) == (IDS, [])
    assert b"".join(block.data for block in seen) == GOOD
    done = batches(path)[0]
    assert batches(path, fast=lambda block: done) == [done]
    other = put(tmp_path, "b.jsonl", b'{"schemaType":"ModelInvocationLog"}\n')
    seen.clear()
    outcome(other, fast=decline)
    assert not seen


def test_rejects_never_carry_prompt_text(tmp_path: Path) -> None:
    secret = "the quick brown fox"
    bad = [payload(0, startTime="x", messages=secret), payload(1, metadata={}, messages=secret), {secret: secret}]
    cut = b'{"messages": "'
    path = put(tmp_path, "a.jsonl", lines(*bad) + cut + secret.encode() + b'\n"' + secret.encode() + b'"\n')
    for batch in batches(path):
        assert batch.rejects and not any(secret in reject.detail for reject in batch.rejects)


@given(st.binary(max_size=3000))
@settings(max_examples=150, deadline=None)
def test_random_bytes_never_raise(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    settle(put(tmp_path_factory.getbasetemp(), "random.bin", data))


JUNK = [b"", b"\x00", b"\xff", b"{", b"]", b'"', b"\n", b"null", b"[]", b"-1e999", b"\\ud800"]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_samples_never_raise_and_every_line_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    samples = sorted((Path(__file__).parents[2] / "samples").glob("*.jsonl"))
    text = bytearray(data.draw(st.sampled_from(samples)).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        junk = data.draw(st.sampled_from(JUNK))
        text[at : at + data.draw(st.integers(0, 8))] = junk
    settle(put(tmp_path_factory.getbasetemp(), "mutated.jsonl", bytes(text)))


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "role",
                    "content",
                    "text",
                    "parts",
                    "message",
                    "choices",
                    "output",
                    "input",
                    "usage",
                    "headers",
                    "body",
                    "thinking",
                    "signature",
                    "tool_calls",
                    "attributes",
                    "key",
                    "value",
                    "stringValue",
                    "kvlistValue",
                    "values",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_records_with_any_value_in_any_field_never_raise(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    samples = sorted((Path(__file__).parents[2] / "samples").glob("*.jsonl"))
    records = [json.loads(line) for line in data.draw(st.sampled_from(samples)).read_text().splitlines()]
    record = data.draw(st.sampled_from(records))
    holder, key = data.draw(st.sampled_from(list(places(record))))
    holder[key] = data.draw(SHAPES)
    settle(put(tmp_path_factory.getbasetemp(), "shape.jsonl", lines(record)))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    for key, inner in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def settle(path: Path) -> None:
    """Read a file and check the books: records = exchanges + rejects, save for joins and several to a record."""
    out = batches(path)
    rejects = [reject for batch in out for reject in batch.rejects]
    assert all(isinstance(reject, Reject) and reject.detail for reject in rejects)
    if sum(batch.records for batch in out):
        assert rejects or sum(batch.exchanges.num_rows for batch in out)


def test_blocks_cover_the_file_without_gap_or_overlap(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", lines(*(payload(n) for n in range(200))))
    for size in (1, 100, 1000, 5000, 1 << 20):
        got = [b for b in blocks(inspect(str(path)), block_bytes=size) if isinstance(b, Block)]
        assert b"".join(block.data for block in got) == path.read_bytes()
        for before, after in pairwise(got):
            assert after.offset == before.offset + len(before.data)
            assert after.first_line == before.first_line + before.data.count(b"\n")
