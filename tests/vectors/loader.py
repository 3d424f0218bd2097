"""Vectors: short lists of exchanges, and what a signal must say about them.

A vector's `given` is a list of rows; a row names the columns of `tables.SKETCH` that matter, the others are null.

    {account = "a", head = "T1", prompt = "p#", times = 5, every_s = 60}

    names      identifiers, hashes and blobs are words; the same word is the same hash
    at         seconds; without it, a row follows the one before by `every_s`
    times      so many exchanges; `#` in a word becomes 0, 1, 2, ...
    every_s    seconds between them, 60 if not said
    elicits    names of elicitation classes; [] is text that asks for nothing special, absence is no text
    endpoint   a name of `tables.ENDPOINTS`

`accounts` are rows of the accounts table, with `created_s` in seconds; `times` and `#` work there too. `sets` are
linked sets, measured as one unit each; a set is named by its accounts: "a+b". A pair is named "a-b".
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from stillwatch import signals, tables
from stillwatch.engine import ACCOUNTS, Engine
from stillwatch.signals.registry import ALL
from stillwatch.sketch.elicitation import CLASSES

FOLDER = Path(signals.__file__).parent
KINDS = ("fires", "quiet", "edge")
_HASHED = {f.name for f in tables.SKETCH if f.type == pa.uint64()}
_SHORTHAND = {"times", "every_s"}


class Measured(NamedTuple):
    """What a signal says about one unit or pair."""

    value: float
    n: float


def hashed(word: str) -> int:
    """A word as the sketches have it: 64 bits, never 0."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little") | 1


def vectors(folder: Path = FOLDER) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every vector of every signal, with the signal's id."""
    by_file = {Path(s.measure.__code__.co_filename).stem: s.id for s in ALL.values()}
    for file in sorted(folder.glob("*.vectors.toml")):
        name = file.name.removesuffix(".vectors.toml")
        assert name in by_file, f"{file.name}: no signal in {name}.py; give both files one name"
        for vector in tomllib.loads(file.read_text(encoding="utf-8"))["vector"]:
            yield by_file[name], vector


def rows_of(given: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows written out: one dictionary for each exchange, times in microseconds, words not yet hashed."""
    out: list[dict[str, Any]] = []
    clock: float | None = None
    for row in given:
        unknown = set(row) - set(tables.SKETCH.names) - _SHORTHAND
        assert not unknown, f"unknown columns {sorted(unknown)} in {row}"
        every = row.get("every_s", 60)
        clock = row.get("at", 0.0 if clock is None else clock + every)
        for i in range(row.get("times", 1)):
            clock = clock + every if i else clock
            filled = {k: _numbered(v, i) for k, v in row.items() if k not in _SHORTHAND}
            out.append({"exchange_id": f"x{len(out):05}", **filled, "at": round(clock * 1e6), "line": len(out) + 1})
    return out


def _numbered(value: Any, i: int) -> Any:
    if isinstance(value, str):
        return value.replace("#", str(i))
    return [_numbered(v, i) for v in value] if isinstance(value, list) else value


def sketches(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Written-out rows as a table of sketches, `tables.SKETCH`."""
    return pa.Table.from_pylist([_encoded(row) for row in rows], schema=tables.SKETCH)


def _encoded(row: Mapping[str, Any]) -> dict[str, Any]:
    out = {}
    for name, value in row.items():
        if isinstance(value, str) and name in _HASHED:
            value = hashed(value)
        elif name in ("blobs_in", "blobs_out") and value is not None:
            value = [hashed(v) for v in value]
        elif name == "elicits" and value is not None:
            value = sum(1 << CLASSES[c] for c in value)
        elif name == "endpoint" and value is not None:
            value = tables.ENDPOINTS.index(value)
        out[name] = value
    return out


def accounts_table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows of the accounts table, `ACCOUNTS`."""
    made = []
    for row in rows:
        created = {"created_at": round(row["created_s"] * 1e6)} if row.get("created_s") is not None else {}
        named = {k: v for k, v in row.items() if k not in ("created_s", "times") and v is not None}
        for i in range(row.get("times", 1)):
            made.append({k: hashed(_numbered(v, i)) for k, v in named.items()} | created)
    return pa.Table.from_pylist(made, schema=ACCOUNTS)


def measure(
    signal: str,
    rows: Sequence[Mapping[str, Any]],
    accounts: Sequence[Mapping[str, Any]] = (),
    sets: Sequence[Sequence[str]] = (),
    engine: Engine | None = None,
) -> dict[str, Measured]:
    """What a signal says about written-out rows: unit or pair -> value and sample size."""
    own = engine or Engine()
    try:
        own.load_table(sketches(rows), accounts_table(accounts) if accounts else None)
        if ALL[signal].shape == "pair":
            own.values()
        if sets:
            own.take(sorted({hashed(a) for s in sets for a in s}))
            held = own.query("SELECT place, account FROM taken").to_pylist()
            both = [(x["place"], i + 1) for i, s in enumerate(sets) for x in held if x["account"] in map(hashed, s)]
            own.by_units(np.array([p for p, _ in both]), np.array([u for _, u in both]))
        else:
            own.by_account()
        table = own.signal(signal).to_pylist()
    finally:
        if engine is None:
            own.close()
    if ALL[signal].shape == "unit" and sets:
        names = {i + 1: "+".join(s) for i, s in enumerate(sets)}
    else:
        names = {hashed(row["account"]): row["account"] for row in rows}
    found = {}
    for row in table:
        if ALL[signal].shape == "pair":
            assert row["a"] < row["b"], "pairs are ordered by hash"
            unit = "-".join(sorted((names[row["a"]], names[row["b"]])))
        else:
            unit = names[row["unit"]]
        assert unit not in found, f"{signal}: two readings of {unit}"
        found[unit] = Measured(row["value"], row["n"])
    return found
