"""The share of prompts that count as training material, over folders of published prompt sets.

A folder holds `MANIFEST.json`, a list of sets with `name`, `kind` and `rows`, and a `NAME.jsonl.zst` for each, whose
rows have `prompt` and may have `system` and `response`. Rows are read where they lie and never copied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import zstandard

from stillwatch import tables
from stillwatch.engine import Engine
from stillwatch.errors import InputError, Place
from stillwatch.progress import Progress, Watcher, ignore
from stillwatch.signals.order_share import ORDERED
from stillwatch.sketch.elicitation import Cues
from stillwatch.sketch.hashing import Secret
from stillwatch.sketch.sketch import Sketcher

# What a set of a kind is, for the reader of the table; other kinds (traces, lists) hold no prompts.
KINDS: Final = {
    "generator_prompt": "harvest", "harvest_prompt": "harvest", "trajectory": "harvest",
    "synthesized_dialogue": "harvest", "human_prompt": "honest", "benchmark": "honest", "etl_text": "honest",
    "etl_prompt": "honest", "rag_prompt": "honest", "agent_trajectory": "honest", "safety_prompt": "honest",
}  # fmt: skip
FLAGS: Final = {
    "material": "material",
    "made": "made",
    "judges": "judges",
    "ordered": f"(intent >= {ORDERED})::INT",
}  # as SQL over the measured sketches
_LONGEST: Final = 1 << 24  # bytes of a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Shares of one set."""

    name: str
    kind: str
    rows: int
    shares: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusTable:
    """All sets of a folder."""

    corpora: list[Corpus]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "corpora": [
                {"name": c.name, "kind": c.kind, "label": KINDS[c.kind], "rows": c.rows, **c.shares}
                for c in self.corpora
            ]
        }

    def text(self) -> str:
        """A Markdown table, a row a set."""
        lines = ["| label | kind | set | rows | material | by its form | judges | reads like an order |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| {KINDS[c.kind]} | {c.kind} | {c.name} | {c.rows} | "
            + " | ".join(f"{c.shares[flag]:.3f}" for flag in FLAGS)
            + " |"
            for c in self.corpora
        ]
        return "\n".join(lines)


def run(folder: Path, *, most: int = 400, progress: Watcher = ignore) -> CorpusTable:
    """Sketch up to `most` rows of each set, evenly spread over it, and count.

    Raises:
        InputError: there is no MANIFEST.json, or it names no set of a known kind.
    """
    manifest = folder / "MANIFEST.json"
    if not manifest.exists():
        raise InputError(
            "the prompt sets have no manifest", at=Place(path=str(manifest)),
            fix="write a JSON list of objects with name, kind and rows",
        )  # fmt: skip
    named = [entry for entry in json.loads(manifest.read_text(encoding="utf-8")) if entry.get("kind") in KINDS]
    if not named:
        raise InputError(
            "the manifest names no set of a known kind", at=Place(path=str(manifest)), fix=f"kinds: {', '.join(KINDS)}"
        )
    sketcher = Sketcher(Secret(bytes(16)), Cues.compile())
    found = []
    for number, entry in enumerate(named):
        progress(Progress(stage="corpora", done=number, total=len(named), unit="steps", detail=entry["name"]))
        rows = list(_spread(folder / f"{entry['name']}.jsonl.zst", int(entry.get("rows") or most), most))
        if rows:
            found.append(
                Corpus(name=entry["name"], kind=entry["kind"], rows=len(rows), shares=_shares(sketcher(_batch(rows))))
            )
    return CorpusTable(corpora=sorted(found, key=lambda c: (KINDS[c.kind], c.kind, c.name)))


def _spread(file: Path, size: int, most: int) -> Iterator[dict[str, Any]]:
    step = max(1, size // most)
    with file.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        held, number, taken = b"", 0, 0
        while taken < most and (more := stream.read(1 << 20)):
            lines = (held + more).split(b"\n")
            held = lines.pop()[:_LONGEST]
            for line in lines:
                if line and number % step == 0 and taken < most:
                    taken += 1
                    yield orjson.loads(line)
                number += 1


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    def text(value: object) -> str | None:
        return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def messages(row: dict[str, Any]) -> list[dict[str, Any]]:
        parts = (("system", text(row.get("system"))), ("user", text(row["prompt"])))
        return [{"role": role, "content": content, "extra": None} for role, content in parts if content]

    made = [
        {
            "exchange_id": str(i), "at": i, "account_id": "a", "model": "m", "line": i + 1,
            "messages": messages(row), "response": text(row.get("response")),
        }
        for i, row in enumerate(rows)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(made, schema=tables.EXCHANGE)


def _shares(sketches: pa.RecordBatch) -> dict[str, float]:
    engine = Engine()
    try:
        engine.load_table(pa.Table.from_batches([sketches]), None)
        engine.by_account()
        counted = ", ".join(f"coalesce(avg({sql}), 0) AS {flag}" for flag, sql in FLAGS.items())
        row: dict[str, float] = engine.query(f"SELECT {counted} FROM exchanges").to_pylist()[0]
    finally:
        engine.close()
    return row
