"""Logs into the store: read, sketch, drop what was there before, write parts that survive a kill.

Reading and decompressing run in the calling thread, parsing and sketching in worker threads (compiled code that lets
go of Python's lock), writing in file order again: the result does not depend on the number of workers.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch import tables
from stillwatch.config import Settings
from stillwatch.errors import Interrupted
from stillwatch.ingest import mapping as mappings
from stillwatch.ingest import scan_litellm
from stillwatch.ingest.files import Input, expand
from stillwatch.ingest.joins import Joiner
from stillwatch.ingest.read import finish, read, read_lines
from stillwatch.ingest.records import Batch, Block, Reject
from stillwatch.ingest.settings import IngestSettings
from stillwatch.progress import Progress, Watcher
from stillwatch.sketch.elicitation import STRONG, Cues
from stillwatch.sketch.sketch import Sketcher, valid_of
from stillwatch.store.idset import IdSet
from stillwatch.store.layout import InputState, Store

PART_ROWS: Final = 65_536  # exchanges of a part; a kill loses at most one part of work
PART_SECONDS: Final = 30.0
BLOCK_BYTES: Final = 8 << 20
LATE_US: Final = 3_600_000_000  # an exchange this much older than an earlier line is counted as out of order
EXCERPT_CHARS: Final = 600
EXCERPTS: Final = 20_000  # pieces of text kept by one scan, two for each account and template
# Columns whose values are kept by name beside their hashes, so that people can read the results.
NAMED: Final = {
    "account": "account_id", "key": "key_id", "org": "org_id", "end_user": "end_user_id", "model": "model", "ip": "ip",
    "user_agent": "user_agent", "app": "title",
}  # fmt: skip
NAMES: Final = pa.schema([("kind", pa.string()), ("hash", pa.uint64()), ("value", pa.string())])
EXCERPT: Final = pa.schema(
    [("exchange_id", pa.string()), ("at", pa.int64()), ("account", pa.uint64()), ("head", pa.uint64()),
     ("elicits", pa.uint32()), ("file", pa.string()), ("line", pa.int64()), ("text", pa.string())]
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class InputReport:
    """What became of one input in this run."""

    path: str
    format: str = ""
    records: int = 0
    kept: int = 0
    rejected: int = 0
    first_at: int | None = None
    last_at: int | None = None
    skipped: str = ""  # why nothing was read: already in the store, hidden, ...
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Worked:
    """A batch after the worker: sketches and what else is kept."""

    batch: Batch
    sketches: pa.RecordBatch
    ids: np.ndarray
    names: list[tuple[str, int, str]]
    excerpts: list[dict[str, Any]]


class Intake:
    """One run of reading inputs into a store."""

    def __init__(self, store: Store, settings: Settings, watch: Watcher) -> None:
        self.store = store
        self.settings = settings
        self._watch = watch
        self._ingest = IngestSettings(
            block_bytes=BLOCK_BYTES, account_from=settings.account_from, digest_key=store.secret.seed("raw key").tobytes()
        )
        self._cues = Cues.compile()
        self._local = threading.local()
        self._ids = IdSet()
        self._named: set[tuple[str, int]] = set()
        self._excerpted: Counter[tuple[int, int]] = Counter()
        self._hash_only = {c for c, p in settings.policy.items() if p == "hash"}
        self._dropped = {c for c, p in settings.policy.items() if p == "drop"}

    def run(self, sources: Sequence[str]) -> list[InputReport]:
        """Read every input; what the store already holds is passed over."""
        self.store.sweep()
        inputs = expand(sources)
        known = self.store.inputs()
        self._remember()
        mapped = mappings.load(str(self.settings.mapping)) if self.settings.mapping else None
        joiner = Joiner(self._ingest)
        reports: list[InputReport] = []
        open_states: list[tuple[Input, InputState, InputReport]] = []
        total = float(sum(i.size for i in inputs)) or 1.0
        done = 0.0
        with ThreadPoolExecutor(self.settings.workers, thread_name_prefix="sketch") as pool:
            for entry in inputs:
                report = InputReport(path=entry.path)
                reports.append(report)
                state = self._recognise(entry, known, report)
                if state is not None:
                    base = done
                    self._one(entry, state, report, mapped, joiner, pool, base, total)
                    open_states.append((entry, state, report))
                done += entry.size
                self._watch(Progress(stage="read", done=done, total=total, detail=entry.path))
        by_path = {entry.path: (state, report) for entry, state, report in open_states}
        for path, batch in finish(joiner, settings=self._ingest, now_us=self.settings.now_us):
            state, report = by_path[path]
            part = _Part(self, state, report, path)
            part.add(self._work(batch, path))
            part.flush(offset=state.offset, line=state.line)
        for entry, state, report in open_states:
            stat = os.stat(entry.path)
            self.store.commit(
                state, [], complete=True, size=entry.size, mtime_ns=stat.st_mtime_ns, digest=_digest(entry.path),
                format=report.format or state.format,
            )  # fmt: skip
        return reports

    def _remember(self) -> None:
        for file in self.store.files("sketches"):
            column = pq.read_table(file, columns=["exchange_id"]).column(0).combine_chunks()
            self._ids.add(self._sketcher().hashes(column, "exchange_id"))
        for file in self.store.files("names"):
            table = pq.read_table(file, columns=["kind", "hash"])
            self._named.update(zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True))

    def _sketcher(self) -> Sketcher:
        if not hasattr(self._local, "sketcher"):
            self._local.sketcher = Sketcher(self.store.secret, self._cues)
        sketcher: Sketcher = self._local.sketcher
        return sketcher

    def _recognise(self, entry: Input, known: dict[str, InputState], report: InputReport) -> InputState | None:
        """The state from which to read an input on, or None if there is nothing to do."""
        if entry.skip:
            report.skipped = entry.skip
            report.reasons["not read"] += 1
            return None
        path = os.path.realpath(entry.path)
        stat = os.stat(entry.path)
        for state in known.values():
            if state.path != path or state.head_digest != _head(entry.path, state.head_bytes):
                continue
            if state.complete and state.size == entry.size and (
                state.mtime_ns == stat.st_mtime_ns or state.digest == _digest(entry.path)
            ):
                report.skipped = "already in the store"
                return None
            if entry.size >= state.size and entry.kind in ("lines", "csv"):
                state.complete = False
                return state
            if not state.complete:
                return state
        same_size = [s for s in known.values() if s.complete and s.size == entry.size and s.digest]
        if same_size and (digest := _digest(entry.path)) in {s.digest for s in same_size}:
            twin = next(s for s in same_size if s.digest == digest)
            report.skipped = f"the same content as `{twin.path}`, already in the store"
            return None
        head_bytes = min(4096, entry.size)
        head = _head(entry.path, head_bytes)
        name = hashlib.blake2b(f"{path}\0{head}\0{len(known)}".encode(), digest_size=8).hexdigest()
        state = InputState(input_id=name, path=path, head_bytes=head_bytes, head_digest=head)
        self.store.start_input(state)
        known[name] = state
        return state

    def _one(
        self, entry: Input, state: InputState, report: InputReport, mapped: Any, joiner: Joiner,
        pool: ThreadPoolExecutor, base: float, total: float,
    ) -> None:  # fmt: skip
        part = _Part(self, state, report, entry.path)
        waiting: deque[Future[_Worked]] = deque()

        def settle(least: int) -> None:
            while len(waiting) > least:
                worked = waiting.popleft().result()
                part.add(worked)
                if part.due:
                    part.flush(offset=worked.batch.resume_offset, line=worked.batch.resume_line)
                share = min(worked.batch.resume_offset / entry.size, 1.0) if entry.compression == "plain" else 0.5
                self._watch(Progress(stage="read", done=base + share * entry.size, total=total, detail=entry.path))

        try:
            for item in self._items(entry, state, mapped, joiner):
                if isinstance(item, Block):
                    report.format = report.format or "litellm"
                    waiting.append(pool.submit(self._parse, item, entry.path))
                else:
                    waiting.append(pool.submit(self._work, item, entry.path))
                settle(2 * self.settings.workers)
            settle(0)
            part.flush(offset=part.offset, line=part.line)
        except OSError as err:
            raise Interrupted(
                f"writing stopped: {err.strerror or err}",
                fix=f"free space under `{self.store.path}` and run the same command again: it goes on where it stopped",
            ) from err
        finally:
            for future in waiting:
                future.cancel()

    def _items(self, entry: Input, state: InputState, mapped: Any, joiner: Joiner) -> Iterator[Batch | Block]:
        """Batches of the record reader, and blocks for the compiled one."""
        def taken(block: Block) -> Any:
            return block

        yield from read(
            entry, format=self.settings.format, mapping=mapped, settings=self._ingest, start_offset=state.offset,
            start_line=state.line, now_us=self.settings.now_us, fast=taken, joiner=joiner,
        )  # fmt: skip

    def _parse(self, block: Block, path: str) -> _Worked:
        done = scan_litellm.compiled(block, earliest_us=self._ingest.earliest_us, latest_us=self.settings.now_us + self._ingest.ahead_us)
        batch = Batch(
            exchanges=done.exchanges, records=done.exchanges.num_rows,
            resume_offset=block.offset + len(block.data), resume_line=block.first_line + block.data.count(b"\n"),
        )  # fmt: skip
        if done.left:
            rest = read_lines(done.left, settings=self._ingest, now_us=self.settings.now_us, path=path)
            both = pa.Table.from_batches([done.exchanges, rest.exchanges]).sort_by("line").combine_chunks()
            merged = both.to_batches()
            batch = replace(
                batch, exchanges=merged[0] if merged else done.exchanges, rejects=rest.rejects,
                records=batch.records + rest.records,
            )  # fmt: skip
        return self._work(batch, path)

    def _work(self, batch: Batch, path: str) -> _Worked:
        """Sketch a batch; pick the names and the few excerpts that are kept beside it."""
        sketcher = self._sketcher()
        exchanges = self._policed(batch.exchanges)
        sketches = sketcher(exchanges)
        ids = sketcher.hashes(exchanges.column("exchange_id"), "exchange_id")
        names: list[tuple[str, int, str]] = []
        for kind, source in NAMED.items():
            if source in self._hash_only:
                continue
            hashes = sketches.column(kind)
            column = exchanges.column(source)
            distinct, first = np.unique(np.asarray(hashes.fill_null(0)), return_index=True)
            for h, i in zip(distinct.tolist(), first.tolist(), strict=True):
                if h and (kind, h) not in self._named and (value := column[i].as_py()):
                    names.append((kind, h, value))
        return _Worked(batch, sketches, ids, names, self._excerpts(exchanges, sketches, path))

    def _policed(self, exchanges: pa.RecordBatch) -> pa.RecordBatch:
        """Columns that the policy drops become null; a hashed exchange id becomes its hash."""
        for name in self._dropped:
            i = exchanges.schema.get_field_index(name)
            if i >= 0:
                exchanges = exchanges.set_column(i, tables.EXCHANGE.field(i), pa.nulls(len(exchanges), tables.EXCHANGE.field(i).type))
        if "exchange_id" in self._hash_only:
            hashed = self._sketcher().hashes(exchanges.column("exchange_id"), "exchange_id")
            exchanges = exchanges.set_column(0, tables.EXCHANGE.field(0), pa.array([f"{h:016x}" for h in hashed.tolist()]))
        return exchanges

    def _excerpts(self, exchanges: pa.RecordBatch, sketches: pa.RecordBatch, path: str) -> list[dict[str, Any]]:
        if self.settings.no_text or {"messages"} & (self._hash_only | self._dropped):
            return []
        bits = np.asarray(sketches.column("elicits").fill_null(0)).astype(np.uint32)
        asking = np.flatnonzero((bits & STRONG) != 0)
        heads, accounts = sketches.column("head"), sketches.column("account")
        found: list[dict[str, Any]] = []
        for row in asking[:512].tolist():
            key = (accounts[row].as_py(), heads[row].as_py() or 0)
            if self._excerpted[key] >= 2 or len(self._excerpted) > EXCERPTS:
                continue
            self._excerpted[key] += 1
            messages = exchanges.column("messages")[row].as_py() or []
            texts = [m["content"] for m in messages if m["role"] == "user" and m["content"]] or [
                m["content"] for m in messages if m["content"]
            ]
            if texts:
                found.append({
                    "exchange_id": exchanges.column("exchange_id")[row].as_py(), "at": exchanges.column("at")[row].as_py(),
                    "account": key[0], "head": key[1] or None, "elicits": int(bits[row]), "file": path,
                    "line": exchanges.column("line")[row].as_py(), "text": texts[-1][:EXCERPT_CHARS],
                })  # fmt: skip
        return found


class _Part:
    """The part of one input that is being gathered."""

    def __init__(self, intake: Intake, state: InputState, report: InputReport, path: str) -> None:
        self._intake, self._state, self._report, self._path = intake, state, report, path
        self.offset, self.line = state.offset, state.line
        self._latest = state.last_at or 0
        self._clear()

    def _clear(self) -> None:
        self._sketches: list[pa.RecordBatch] = []
        self._names: list[tuple[str, int, str]] = []
        self._excerpts: list[dict[str, Any]] = []
        self._rejects: list[Reject] = []
        self._rows = self._records = self._rejected = 0
        self._began = time.monotonic()

    @property
    def due(self) -> bool:
        return self._rows >= PART_ROWS or time.monotonic() - self._began > PART_SECONDS

    def add(self, worked: _Worked) -> None:
        """Take a batch, without the exchanges that were read before."""
        sketches, rejects = worked.sketches, list(worked.batch.rejects)
        fresh = self._intake._ids.add(worked.ids)
        if not fresh.all():
            lines = np.asarray(sketches.column("line"))[~fresh]
            detail = "an exchange of this id was read before; this one was left out: deliver each record once"
            rejects += [Reject(line=int(x), field="exchange_id", reason="duplicate", detail=detail) for x in lines[:100]]
            if len(lines) > 100:
                rejects.append(
                    Reject(line=int(lines[100]), field="exchange_id", reason="duplicate", records=len(lines) - 100,
                           detail=f"and more of this kind from here on: {detail}")
                )  # fmt: skip
            sketches = sketches.filter(pa.array(fresh))
        if sketches.num_rows:
            at = np.asarray(sketches.column("at"))
            before = np.maximum.accumulate(np.concatenate([[self._latest], at]))[:-1]
            late = np.flatnonzero(at < before - LATE_US)
            if len(late):
                rejects.append(
                    Reject(line=int(sketches.column("line")[int(late[0])].as_py()), field="at", reason="out_of_order",
                           records=0, detail=f"{len(late)} exchanges came over an hour after later ones; they were kept and sorted")
                )  # fmt: skip
                self._report.reasons["out_of_order (kept)"] += len(late)
            self._latest = max(self._latest, int(at.max()))
            first, last = int(at.min()), int(at.max())
            report = self._report
            report.first_at = first if report.first_at is None else min(report.first_at, first)
            report.last_at = last if report.last_at is None else max(report.last_at, last)
        bad = sum(r.records for r in rejects)
        for reject in rejects:
            if reject.records:
                self._report.reasons[reject.reason] += reject.records
        self._report.records += worked.batch.records
        self._report.kept += sketches.num_rows
        self._report.rejected += bad
        self._sketches.append(sketches)
        self._names += worked.names
        self._excerpts += worked.excerpts
        self._rejects += rejects
        self._rows += sketches.num_rows
        self._records += worked.batch.records
        self._rejected += bad
        self.offset, self.line = worked.batch.resume_offset, worked.batch.resume_line

    def flush(self, *, offset: int, line: int) -> None:
        """Write the part and make it count."""
        if not (self._rows or self._rejects or self._records):
            return
        store, state = self._intake.store, self._state
        name = f"{state.input_id}-{state.parts:06d}"
        files: list[str] = []
        if self._rows:
            table = pa.Table.from_batches(self._sketches)
            for day, rows in _by_day(table):
                files.append(store.write_part("sketches", name, rows, folder=f"day={day}"))
        names = {(k, h): v for k, h, v in self._names if (k, h) not in self._intake._named}
        if names:
            rows = pa.table([pa.array([k for k, _ in names]), pa.array([h for _, h in names], pa.uint64()), pa.array(list(names.values()))], schema=NAMES)
            files.append(store.write_part("names", name, rows))
            self._intake._named.update(names)
        if self._excerpts:
            files.append(store.write_part("excerpts", name, pa.Table.from_pylist(self._excerpts, EXCERPT)))
        if self._rejects:
            listed = [
                {"file": self._path, "line": r.line, "field": r.field, "reason": r.reason, "detail": r.detail, "records": r.records}
                for r in self._rejects
            ]
            files.append(store.write_part("quarantine", name, pa.Table.from_pylist(listed, tables.QUARANTINE)))
        report = self._report
        store.commit(
            state, files, offset=offset, line=line, parts=state.parts + 1, records=state.records + self._records,
            kept=state.kept + self._rows, rejected=state.rejected + self._rejected,
            first_at=_least(state.first_at, report.first_at), last_at=_most(state.last_at, report.last_at),
            format=report.format or state.format,
        )  # fmt: skip
        self._clear()


def _least(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else min(a, b)


def _most(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)


def _by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    days = pc.divide(table.column("at"), 86_400_000_000)
    distinct = np.unique(np.asarray(days))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for day in distinct.tolist():
        rows = table if len(distinct) == 1 else table.filter(pc.equal(days, day))
        yield (epoch + timedelta(days=day)).strftime("%Y-%m-%d"), rows


def _head(path: str, size: int) -> str:
    with open(path, "rb") as handle:
        return hashlib.blake2b(handle.read(size), digest_size=16).hexdigest()


def _digest(path: str) -> str:
    import xxhash

    found = xxhash.xxh3_128()
    with open(path, "rb") as handle:
        while chunk := handle.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


__all__ = ["EXCERPT", "NAMES", "InputReport", "Intake", "Path", "valid_of"]
