"""The store's folders and its two guarantees: a part counts once its journal line is on disk, and only once.

    store.json            format and sketch version, name of the secret
    secret.key            16 bytes, readable by the owner only
    store.lock            held while a scan writes
    inputs/<id>.jsonl     journal of one input: a line for each part that is complete
    sketches/day=D/*.parquet, names/*.parquet, excerpts/*.parquet, quarantine/*.parquet
    results/*.parquet     what the last scan concluded

Files that no journal names are leftovers of a run that was killed: never read, removed by the next scan.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from stillwatch import tables
from stillwatch.errors import InputError, Place, UsageError
from stillwatch.sketch.hashing import SECRET_BYTES, Secret
from stillwatch.sketch.sketch import SKETCH_VERSION
from stillwatch.store.journal import InputState, append, read_journal, saving

FORMAT_VERSION: Final = 1
FAMILIES: Final = ("sketches", "names", "excerpts", "quarantine")
_OURS: Final = frozenset({"inputs", "results", *FAMILIES, "secret.key", "store.lock"})
_ROW_GROUP: Final = 65_536


class Store:
    """One store folder. Opening makes it if need be."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._held = 0
        meta = path / "store.json"
        if not meta.exists():
            if not create:
                raise UsageError(f"there is no store at `{path}`", fix="run `stillwatch scan` first, or give --store")
            self._make(meta)
        try:
            about = json.loads(meta.read_bytes())
            key = (path / "secret.key").read_bytes()
            self.secret = Secret(key)
            made = (about.get("format"), about.get("sketch"))
        except (OSError, ValueError, AttributeError) as err:
            raise InputError(
                f"the store cannot be read: {err}",
                at=Place(path=str(meta)),
                fix="restore the file, or scan anew into an empty folder",
            ) from err
        if made != (FORMAT_VERSION, SKETCH_VERSION):
            raise InputError(
                f"the store was written by another version (format {made[0]}, sketch {made[1]})",
                at=Place(path=str(meta)),
                fix="scan the logs again into a new folder "
                f"(this version writes format {FORMAT_VERSION}, sketch {SKETCH_VERSION})",
            )
        if about.get("secret") != self.secret.digest:
            raise InputError(
                "the secret is not the one that this store was made with",
                at=Place(path=str(path / "secret.key")),
                fix="put back the right secret.key: hashes under another one cannot be compared",
            )

    def _make(self, meta: Path) -> None:
        """Folders and secret. `store.json` comes last: without it nothing was ever read into the folder."""
        path = meta.parent
        with saving(path):
            if path.exists() and not path.is_dir():
                raise UsageError(f"`{path}` is a file", fix="give --store a new or an empty folder")
            if path.exists() and any(f.name not in _OURS and f.suffix != ".partial" for f in path.iterdir()):
                raise UsageError(
                    f"`{path}` is a folder with other things in it", fix="give --store a new or an empty folder"
                )
            for name in ("inputs", "results", *FAMILIES):
                (path / name).mkdir(parents=True, exist_ok=True)
        key = secrets.token_bytes(SECRET_BYTES)
        write_bytes(path / "secret.key", key, mode=0o600)
        about = {"format": FORMAT_VERSION, "sketch": SKETCH_VERSION, "secret": Secret(key).digest}
        write_bytes(meta, json.dumps(about, indent=1).encode())

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep other scans out. May be nested; the system lets go of it when the process ends, however it ends.

        Raises:
            UsageError: another process is writing to the store.
        """
        if self._held:
            self._held += 1
            try:
                yield
            finally:
                self._held -= 1
            return
        with saving(self.path):
            handle = (self.path / "store.lock").open("ab")
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"another scan is writing to `{self.path}`", fix="wait until it is done, or give another --store"
                ) from None
            self._held = 1
            try:
                yield
            finally:
                self._held = 0

    def inputs(self) -> dict[str, InputState]:
        """State of every input, from the journals; a torn line is ignored."""
        states = map(read_journal, sorted((self.path / "inputs").glob("*.jsonl")))
        return {state.input_id: state for state in states if state is not None}

    def start_input(self, state: InputState) -> None:
        """Open the journal of a new input."""
        names = ("input_id", "path", "head_bytes", "head_digest", "offset", "line")
        append(self._journal(state), {k: getattr(state, k) for k in names})
        state.remember()

    def commit(self, state: InputState, files: list[str], **changes: Any) -> None:
        """Make a part count: its files are whole and on disk before the journal names them."""
        line = {"files": files, **changes}
        append(self._journal(state), line)
        state.apply(line)

    def take_back(self, state: InputState) -> None:
        """Undo the parts that an unfinished read of an input has left."""
        append(self._journal(state), {"taken_back": True})
        state.take_back()

    def _journal(self, state: InputState) -> Path:
        return self.path / "inputs" / f"{state.input_id}.jsonl"

    def write_part(self, family: str, name: str, table: pa.Table, *, folder: str = "") -> str:
        """Write one Parquet file whole or not at all; its path relative to the store."""
        relative = f"{family}/{folder}/{name}.parquet" if folder else f"{family}/{name}.parquet"
        write_table(self.path / relative, table)
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
        leftovers = [
            file
            for family in FAMILIES
            for file in (self.path / family).rglob("*")
            if file.is_file() and str(file.relative_to(self.path)) not in committed
        ]
        for pattern in ("*.partial", "results/*.partial", "inputs/*.partial", "duckdb_temp_*"):
            leftovers += self.path.glob(pattern)
        with saving(self.path):
            for file in leftovers:
                file.unlink(missing_ok=True)
        return len(leftovers)

    def write_result(self, name: str, table: pa.Table) -> None:
        """Replace one table of results."""
        self.write_part("results", name, table)

    def result(self, name: str) -> pa.Table:
        """One table of the last scan's results, or `quarantine`: every record that was ever left out."""
        if name == "quarantine":
            parts = [pq.read_table(file, schema=tables.QUARANTINE, partitioning=None) for file in self.files(name)]
            return pa.concat_tables([tables.QUARANTINE.empty_table(), *parts])
        file = self.path / "results" / f"{name}.parquet"
        if not file.exists():
            raise UsageError(f"the store holds no `{name}` yet", fix="run `stillwatch scan` with this --store first")
        return pq.read_table(file, partitioning=None)


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whole or not at all, and wait until it is on disk."""
    partial = path.with_name(path.name + ".partial")
    with saving(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            pq.write_table(
                table, partial, compression="zstd", compression_level=1, use_dictionary=_dictionary_columns(table),
                write_statistics=["at"] if "at" in table.column_names else False, row_group_size=_ROW_GROUP,
                store_schema=True,
            )  # fmt: skip
            with partial.open("rb") as handle:
                os.fsync(handle.fileno())
            _replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a small file whole or not at all, and wait until it is on disk."""
    partial = path.with_name(path.name + ".partial")
    with saving(path):
        partial.unlink(missing_ok=True)  # one that was left behind may be readable by more people than `mode` says
        try:
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(handle, view) :]
                os.fsync(handle)
            finally:
                os.close(handle)
            _replace(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _replace(partial: Path, path: Path) -> None:
    """Put a whole file in its place; after a power cut, too, it is there before anything that names it."""
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _dictionary_columns(table: pa.Table) -> list[str]:
    """Columns of few values: a dictionary pays there and costs time elsewhere."""
    few = {
        "account", "key", "org", "model", "endpoint", "temperature", "max_tokens", "n", "logprobs", "params", "status",
        "ip_kind", "tls", "header_order", "user_agent", "client", "app", "router_marks", "system", "system_head",
        "script", "language", "obfuscation", "elicits", "format_shape", "tools_shape", "turns", "ip", "ip_net", "kind",
        "file", "reason", "field", "head",
    }  # fmt: skip
    return [name for name in table.column_names if name in few]


__all__ = ["FAMILIES", "FORMAT_VERSION", "InputState", "Store", "write_bytes", "write_table"]
