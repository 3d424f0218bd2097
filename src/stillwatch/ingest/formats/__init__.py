"""The log formats that Stillwatch reads. A new one is a file with a `FORMAT` and a line here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from stillwatch.errors import UsageError
from stillwatch.ingest.formats import anthropic, bedrock, helicone, langfuse, litellm, openai, otlp, spendlogs
from stillwatch.ingest.formats.base import BadRecord, Format

# The most distinctive first: the first that recognises a record takes it.
FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        litellm.FORMAT,
        otlp.FORMAT,
        spendlogs.FORMAT,
        bedrock.FORMAT,
        helicone.FORMAT,
        langfuse.FORMAT,
        anthropic.FORMAT,
        openai.FORMAT,
    )
}

__all__ = ["FORMATS", "BadRecord", "Format", "named", "recognise"]


def named(name: str) -> Format:
    """The format of that name. Raises UsageError, with the nearest name, if there is none."""
    if name in FORMATS:
        return FORMATS[name]
    near = difflib.get_close_matches(name, FORMATS, n=1)
    raise UsageError(
        f"there is no log format `{name}`",
        fix=f"did you mean `{near[0]}`?" if near else f"use one of auto, {', '.join(FORMATS)}, or a mapping file",
    )


def recognise(record: Mapping[str, Any], last: Format | None = None) -> Format | None:
    """The format of a record. `last`, the one that matched before it, is asked first."""
    if last is not None and last.detect(record):
        return last
    for entry in FORMATS.values():
        if entry is not last and entry.detect(record):
            return entry
    return None
