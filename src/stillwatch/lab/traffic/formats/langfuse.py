"""Langfuse's denormalised observation export: the user is what the application said; no address, no headers."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.formats import parts
from stillwatch.lab.traffic.rows import Json


def records(line: Json) -> Iterator[Json]:
    """One generation."""
    failed = parts.status(line) != 200
    sent = {k: v for k, v in line["model_parameters"].items() if k not in ("stream", "stream_options", "user")}
    usage = parts.set_only(
        input=line["prompt_tokens"], output=line["completion_tokens"],
        output_reasoning_tokens=parts.reasoning_tokens(line),
    )  # fmt: skip
    answers = parts.answers(line)
    yield {
        "id": line["litellm_call_id"],
        "trace_id": line["trace_id"],
        "project_id": "project",
        "type": "EMBEDDING" if "embedding" in line["call_type"] else "GENERATION",
        "parent_observation_id": None,
        "start_time": parts.iso(line["startTime"]),
        "end_time": parts.iso(line["endTime"]),
        "name": "completion",
        "level": "ERROR" if failed else "DEFAULT",
        "status_message": line.get("error_str") if failed else None,
        "user_id": line["metadata"]["user_api_key_user_id"],
        "input": orjson.dumps(line["messages"]).decode(),
        "output": orjson.dumps(answers[0]["message"]).decode() if answers else None,
        "provided_model_name": line["model_group"],
        "model_parameters": orjson.dumps(sent).decode(),
        "usage_details": usage,
    }
