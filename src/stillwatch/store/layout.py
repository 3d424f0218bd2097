"""The store's folders and its two guarantees: a part counts once its journal line is on disk, and only once.

    store.json            format and sketch version, name of the secret
    secret.key            16 bytes, readable by the owner only
    inputs/<id>.jsonl     journal of one input: a line for each part that is complete
    sketches/day=D/*.parquet, names/*.parquet, excerpts/*.parquet, quarantine/*.parquet
    results/*.parquet     what the last scan concluded

Files that no journal names are leftovers of a run that was killed: never read, removed by the next scan.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch.errors import InputError, Place, UsageError
from stillwatch.sketch.hashing import SECRET_BYTES, Secret
from stillwatch.sketch.sketch import SKETCH_VERSION

FORMAT_VERSION: Final = 1
FAMILIES: Final = ("sketches", "names", "excerpts", "quarantine")


@dataclass(slots=True, kw_only=True)
class InputState:
    """What is known of one input file: how it was recognised and how far it was read."""

    input_id: str
    path: str
    head_bytes: int
    head_digest: str
    size: int = 0  # bytes of the raw file when it was last read to its end
    mtime_ns: int = 0
    digest: str = ""  # of the whole raw file, once it was read to its end
    complete: bool = False
    offset: int = 0  # where reading goes on: bytes of the decompressed stream, or rows
    line: int = 1
    parts: int = 0
    records: int = 0
    kept: int = 0
    rejected: int = 0
    format: str = ""
    first_at: int | None = None
    last_at: int | None = None
    files: list[str] = field(default_factory=list)


class Store:
    """One store folder. Opening makes it if need be."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        meta = path / "store.json"
        if not meta.exists():
            if not create:
                raise UsageError(f"there is no store at `{path}`", fix="run `stillwatch scan` first, or give --store")
            if path.exists() and any(path.iterdir()):
                raise UsageError(
                    f"`{path}` is a folder with other things in it", fix="give --store a new or an empty folder"
                )
            for name in ("inputs", "results", *FAMILIES):
                (path / name).mkdir(parents=True, exist_ok=True)
            key = secrets.token_bytes(SECRET_BYTES)
            write_bytes(path / "secret.key", key, mode=0o600)
            about = {"format": FORMAT_VERSION, "sketch": SKETCH_VERSION, "secret": Secret(key).digest}
            write_bytes(meta, json.dumps(about, indent=1).encode())
        try:
            about = json.loads(meta.read_bytes())
            key = (path / "secret.key").read_bytes()
        except (OSError, ValueError) as err:
            raise InputError(
                f"the store cannot be read: {err}", at=Place(path=str(meta)), fix="restore the file, or scan anew into an empty folder"
            ) from err
        if (about.get("format"), about.get("sketch")) != (FORMAT_VERSION, SKETCH_VERSION):
            raise InputError(
                f"the store was written by another version (format {about.get('format')}, sketch {about.get('sketch')})",
                at=Place(path=str(meta)),
                fix=f"scan the logs again into a new folder (this version writes format {FORMAT_VERSION}, sketch {SKETCH_VERSION})",
            )
        self.secret = Secret(key)
        if about.get("secret") != self.secret.digest:
            raise InputError(
                "the secret is not the one that this store was made with",
                at=Place(path=str(path / "secret.key")),
                fix="put back the right secret.key: hashes under another one cannot be compared",
            )

    def inputs(self) -> dict[str, InputState]:
        """State of every input, from the journals; a torn last line is ignored."""
        found: dict[str, InputState] = {}
        for journal in sorted((self.path / "inputs").glob("*.jsonl")):
            state: InputState | None = None
            for line in _whole_lines(journal):
                if state is None:
                    state = InputState(**line)
                else:
                    state.files.extend(line.pop("files", []))
                    for name, value in line.items():
                        setattr(state, name, value)
            if state is not None:
                found[state.input_id] = state
        return found

    def start_input(self, state: InputState) -> None:
        """Open the journal of a new input."""
        head = {k: getattr(state, k) for k in ("input_id", "path", "head_bytes", "head_digest")}
        _append(self.path / "inputs" / f"{state.input_id}.jsonl", head)

    def commit(self, state: InputState, files: list[str], **changes: Any) -> None:
        """Make a part count: its files are whole and on disk before the journal names them."""
        state.files.extend(files)
        for name, value in changes.items():
            setattr(state, name, value)
        _append(self.path / "inputs" / f"{state.input_id}.jsonl", {"files": files, **changes})

    def write_part(self, family: str, name: str, table: pa.Table, *, folder: str = "") -> str:
        """Write one Parquet file whole or not at all; its path relative to the store."""
        relative = f"{family}/{folder}/{name}.parquet" if folder else f"{family}/{name}.parquet"
        target = self.path / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        try:
            pq.write_table(
                table, partial, compression="zstd", compression_level=1, use_dictionary=_dictionary_columns(table),
                write_statistics=["at"] if "at" in table.column_names else False,
            )  # fmt: skip
            with partial.open("rb") as handle:
                os.fsync(handle.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return relative

    def files(self, family: str) -> list[str]:
        """Absolute paths of the committed files of a family."""
        return [
            str(self.path / name)
            for state in self.inputs().values()
            for name in state.files
            if name.startswith(f"{family}/")
        ]

    def sweep(self) -> int:
        """Remove leftovers of a run that was killed; how many files."""
        committed = {name for state in self.inputs().values() for name in state.files}
        removed = 0
        for family in FAMILIES:
            for file in (self.path / family).rglob("*"):
                if file.is_file() and str(file.relative_to(self.path)) not in committed:
                    file.unlink()
                    removed += 1
        return removed

    def write_result(self, name: str, table: pa.Table) -> None:
        """Replace one table of results."""
        self.write_part("results", name, table)

    def result(self, name: str) -> pa.Table:
        """One table of the last scan's results."""
        file = self.path / "results" / f"{name}.parquet"
        if not file.exists():
            raise UsageError(f"the store holds no `{name}` yet", fix="run `stillwatch scan` with this --store first")
        return pq.read_table(file)


def write_bytes(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a small file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    partial.replace(path)


def _append(path: Path, line: dict[str, Any]) -> None:
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("ab") as handle:
        handle.write((b"\n" if torn else b"") + json.dumps(line).encode() + b"\n")
        handle.flush()
        os.fsync(handle.fileno())


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().split(b"\n"):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError:  # torn by a kill; what it would have committed is written again
                continue


def _dictionary_columns(table: pa.Table) -> list[str]:
    """Columns of few values: a dictionary pays there and costs time elsewhere."""
    few = {
        "account", "key", "org", "model", "endpoint", "temperature", "max_tokens", "n", "logprobs", "params", "status",
        "ip_kind", "tls", "header_order", "user_agent", "client", "app", "router_marks", "system", "system_head",
        "script", "language", "obfuscation", "elicits", "format_shape", "tools_shape", "turns", "ip", "ip_net", "kind",
        "file", "reason", "field", "head",
    }  # fmt: skip
    return [name for name in table.column_names if name in few]
