"""The rows have the shape of real LiteLLM rows: same keys, same JSON types, same order of headers."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from stillwatch.lab.traffic.clients import CLIENTS

# What LiteLLM logs for clients and models that no capture drove: headers of Node and of routers, thinking blocks.
BEYOND = {
    "metadata.requester_metadata.headers.accept-language": {"str"},
    "metadata.requester_metadata.headers.sec-fetch-mode": {"str"},
    "metadata.requester_metadata.headers.http-referer": {"str"},
    "metadata.requester_metadata.headers.x-title": {"str"},
    "messages[].thinking_blocks": {"list"},
    "messages[].thinking_blocks[]": {"dict"},
    "messages[].thinking_blocks[].type": {"str"},
    "messages[].thinking_blocks[].thinking": {"str"},
    "messages[].thinking_blocks[].signature": {"str"},
    "response.choices[].message.thinking_blocks": {"list"},
    "response.choices[].message.thinking_blocks[]": {"dict"},
    "response.choices[].message.thinking_blocks[].type": {"str"},
    "response.choices[].message.thinking_blocks[].thinking": {"str"},
    "response.choices[].message.thinking_blocks[].signature": {"str"},
    "response.choices[].message.provider_specific_fields.thinking_blocks": {"list"},
    "response.choices[].message.provider_specific_fields.thinking_blocks[]": {"dict"},
    "response.choices[].message.provider_specific_fields.thinking_blocks[].type": {"str"},
    "response.choices[].message.provider_specific_fields.thinking_blocks[].thinking": {"str"},
    "response.choices[].message.provider_specific_fields.thinking_blocks[].signature": {"str"},
}
PROPERTIES = "model_parameters.response_format.json_schema.schema.properties."  # names are the caller's own
SOMETIMES = {"metadata.requester_metadata.headers.accept-encoding"}  # every captured client sends it; curl does not


def paths(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    yield at, type(value).__name__
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, at + "[]")


def shape(rows: Iterator[dict[str, Any]]) -> tuple[dict[str, set[str]], set[str]]:
    """Types seen at each path, and the paths that every row has."""
    types: dict[str, set[str]] = defaultdict(set)
    always: set[str] | None = None
    for row in rows:
        here = set()
        for path, kind in paths(row):
            types[path].add(kind)
            here.add(path)
        always = here if always is None else always & here
    assert always is not None
    return types, always


def captured(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("*.jsonl.zst")):
        if "truth" not in file.name:
            with file.open("rb") as raw:
                for line in io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(raw)):
                    yield orjson.loads(line)


def header_orders(rows: Iterator[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {tuple(row["metadata"]["requester_metadata"]["headers"]) for row in rows}


@pytest.mark.shared
def test_rows_have_the_keys_and_types_of_captured_rows(fortnight, captures):
    world, _ = fortnight
    ours, our_always = shape(orjson.loads(line.data) for line in world.lines)
    theirs, their_always = shape(captured(captures))
    unknown = {
        path: kinds
        for path, found in ours.items()
        if not path.startswith(PROPERTIES)
        if (kinds := found - theirs.get(path, set()) - BEYOND.get(path, set()))
    }
    assert unknown == {}
    assert their_always - our_always - SOMETIMES == set()


@pytest.mark.shared
def test_headers_of_captured_clients_arrive_in_the_captured_order(captures):
    orders = header_orders(captured(captures))
    captured_kinds = [
        c for c in CLIENTS.values() if c.name.startswith(("openai-python", "aiohttp", "requests", "httpx"))
    ]
    assert len(captured_kinds) >= 10
    for client in captured_kinds:
        assert tuple(client.headers("192.0.2.1", 10)) in orders, client.name


@pytest.mark.shared
def test_no_prompt_of_a_capture_occurs_in_generated_traffic(fortnight, captures):
    world, _ = fortnight
    texts = {
        message["content"]
        for row in captured(captures)
        for message in row["messages"] or ()
        if isinstance(message["content"], str) and len(message["content"]) >= 40
    }
    ours = {
        message["content"]
        for line in world.lines
        for message in orjson.loads(line.data)["messages"]
        if len(message["content"]) >= 40
    }
    assert texts and ours and texts.isdisjoint(ours)
