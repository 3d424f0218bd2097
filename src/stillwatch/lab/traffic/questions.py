"""Where questions, tasks and documents come from: our own grammars, or folders of real prompt sets read in place.

A folder of prompt sets holds `NAME.jsonl[.zst]` files with a `prompt` in each row and, beside them, a MANIFEST.json
with `name` and `kind` of each. Sets are dealt to the two sides by `split.side_of`; nothing is copied.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import zstandard

from stillwatch.errors import InputError, Place
from stillwatch.lab.traffic import split
from stillwatch.lab.traffic.grammar import Texts

KINDS: Final = {  # what a family asks for -> kinds of sets that hold it
    "problem": ("benchmark",),
    "instruction": ("harvest_prompt", "human_prompt"),
    "chat": ("human_prompt",),
    "generator": ("generator_prompt",),
    "document": ("rag_prompt", "etl_text"),
    "boundary": ("safety_prompt",),
}
_MOST = 4000  # rows of one set that are held


class Questions:
    """Draws questions for one side."""

    def __init__(self, texts: Texts, side: str, folder: Path | None = None) -> None:
        self._texts = texts
        self._side = side
        self._sets = _sets(folder, side) if folder is not None else {}

    @property
    def real(self) -> bool:
        """Are there prompt sets beside our own grammars?"""
        return bool(self._sets)

    def draw(self, rng: Random, kind: str) -> str:
        """One question of a kind of `KINDS`."""
        found = self._sets.get(kind)
        if found:
            return rng.choice(rng.choice(found))
        section, rule = rng.choice(_OWN[kind])
        own = f"{self._side}_{section}"
        return self._texts.say(own if own in self._texts.grammars else section, rule)


_OWN: Final = {  # sections of the side's own grammar, else of the common ones
    "problem": (("maths", "item"), ("code", "item"), ("science", "item"), ("systems", "item")),
    "instruction": (("world", "item"), ("systems", "item"), ("code", "item")),
    "chat": (("en", "ask"),),
    "generator": (("world", "item"),),
    "document": (("doc", "ticket"),),
    "boundary": (("boundary", "item"),),
}


@cache
def _sets(folder: Path, side: str) -> dict[str, list[list[str]]]:
    manifest = folder / "MANIFEST.json"
    try:
        listed = json.loads(manifest.read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise InputError(
            f"the list of prompt sets cannot be read: {err}", at=Place(path=str(manifest)),
            fix='give a folder whose MANIFEST.json lists {"name", "kind"} of each NAME.jsonl.zst',
        ) from err  # fmt: skip
    found: dict[str, list[list[str]]] = {}
    for entry in listed:
        kinds = [k for k, of in KINDS.items() if entry.get("kind") in of]
        if not kinds or split.side_of_set(entry["name"]) != side:
            continue
        rows = _prompts(folder, entry["name"])
        for kind in kinds if rows else ():
            found.setdefault(kind, []).append(rows)
    return found


def _prompts(folder: Path, name: str) -> list[str]:
    for file in (folder / f"{name}.jsonl.zst", folder / f"{name}.jsonl"):
        if file.exists():
            raw = file.read_bytes()
            if file.suffix == ".zst":
                raw = zstandard.ZstdDecompressor().stream_reader(raw).read()
            rows = [json.loads(line) for line in raw.splitlines()[:_MOST] if line.strip()]
            return [r["prompt"] for r in rows if isinstance(r.get("prompt"), str) and r["prompt"]]
    return []
