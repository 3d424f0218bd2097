"""Generated traffic in the other log formats that Stillwatch reads: one file each.

The generator makes rows as LiteLLM logs them, which carry the most. A writer here says how the same exchange looks in
another log: `records(line)` takes one LiteLLM payload and yields the records of the other log, with what that log does
not carry left out. A new format is one file with `records`, and one line in `WRITERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from stillwatch.lab.traffic.formats import (
    anthropic,
    bedrock,
    helicone,
    langfuse,
    openai,
    openinference,
    openllmetry,
    otlp,
    otlp_events,
    spendlogs,
)
from stillwatch.lab.traffic.rows import Json


def _as_logged(line: Json) -> Iterator[Json]:
    yield line


Writer = Callable[[Json], Iterator[Json]]
WRITERS: Final[dict[str, Writer]] = {
    "litellm": _as_logged,
    "spendlogs": spendlogs.records,
    "openai": openai.records,
    "anthropic": anthropic.records,
    "otlp": otlp.records,
    "otlp-events": otlp_events.records,
    "openinference": openinference.records,
    "openllmetry": openllmetry.records,
    "bedrock": bedrock.records,
    "langfuse": langfuse.records,
    "helicone": helicone.records,
}

__all__ = ["WRITERS", "Writer"]
