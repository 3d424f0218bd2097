"""Public agent harnesses. Very many people share the prompt and the tools of one, so neither tells who is who."""

from __future__ import annotations

from random import Random

from stillwatch.lab.traffic.grammar import Texts
from stillwatch.lab.traffic.rows import Json


def tools(names: list[str]) -> list[Json]:
    """Definitions of a harness's tools."""
    return [
        {
            "type": "function",
            "function": {"name": name, "description": name.lower(), "parameters_keys": ["path", "text"]},
        }
        for name in names
    ]


def public(texts: Texts, side: str, rng: Random) -> tuple[str, list[str]]:
    """System prompt and tool names of one public harness of a side."""
    grammar = texts.grammars[f"{side}_harness"]
    rule = rng.choice([r for r in ("first", "second", "third") if r in grammar])
    return grammar.all(rule)[0], grammar.all(f"{rule}_tools")[0].split("|")
