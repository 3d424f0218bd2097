"""Parts: the pieces in which one input is written, each whole or not at all, each counted once."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stillwatch import tables
from stillwatch.ingest.records import Batch, Reject
from stillwatch.sketch.sketch import Sketcher
from stillwatch.store.idset import IdSet
from stillwatch.store.layout import InputState, Store

PART_ROWS: Final = 65_536  # exchanges of a part; a kill loses at most one part of work
PART_SECONDS: Final = 30.0
DAY_US: Final = 86_400_000_000
MOST_DAYS: Final = 62  # days of one part that get a file each
LATE_US: Final = 3_600_000_000  # an exchange this much older than an earlier line is counted as out of order
EXCERPTS: Final = 20_000  # pieces of text kept by one scan, two for each account and template
NAMES: Final = pa.schema([("kind", pa.string()), ("hash", pa.uint64()), ("value", pa.string())])
EXCERPT: Final = pa.schema(
    [("exchange_id", pa.string()), ("at", pa.int64()), ("account", pa.uint64()), ("head", pa.uint64()),
     ("elicits", pa.uint32()), ("file", pa.string()), ("line", pa.int64()), ("text", pa.string())]
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class InputReport:
    """What became of one input in this run, and in the unfinished one that it goes on with."""

    path: str
    format: str = ""
    records: int = 0
    kept: int = 0
    rejected: int = 0
    first_at: int | None = None
    last_at: int | None = None
    skipped: str = ""  # why nothing was read: already in the store, hidden, ...
    reasons: Counter[str] = field(default_factory=Counter)

    def resume(self, state: InputState) -> None:
        """Count what an unfinished run has read of the input as read by this one."""
        before = state.before
        if before is None or state.complete:
            return
        self.records, self.kept = state.records - before.records, state.kept - before.kept
        self.rejected, self.reasons = state.rejected - before.rejected, Counter(state.reasons) - Counter(before.reasons)
        if self.records:
            self.format, self.first_at, self.last_at = state.format, state.first_at, state.last_at


@dataclass(frozen=True, slots=True)
class Worked:
    """A batch after the worker: sketches and what else is kept."""

    batch: Batch
    sketches: pa.RecordBatch
    ids: np.ndarray
    names: dict[str, pa.Array]  # column of the sketches -> values behind its hashes
    excerpts: list[tuple[int, dict[str, Any]]]  # row of the batch, and what would be kept of it
    held: bool  # records of the input wait for their other half


class Memory:
    """What the store holds already: exchange ids, named hashes, excerpts for each account and template."""

    def __init__(self) -> None:
        self.ids = IdSet()
        self.named: defaultdict[str, IdSet] = defaultdict(IdSet)  # kind -> hashes
        self.excerpted: Counter[tuple[int, int]] = Counter()

    def load(self, store: Store, sketcher: Sketcher) -> None:
        """Read the committed files."""
        for file in store.files("sketches"):
            column = pq.read_table(file, columns=["exchange_id"]).column(0).combine_chunks()
            self.ids.add(sketcher.hashes(column, "exchange_id"))
        for file in store.files("names"):
            table = pq.read_table(file, columns=["kind", "hash"])
            for kind in table.column("kind").unique().to_pylist():
                rows = table.filter(pc.equal(table.column("kind"), kind))
                self.named[kind].add(rows.column("hash").to_numpy())
        for file in store.files("excerpts"):
            table = pq.read_table(file, columns=["account", "head"])
            heads = (head or 0 for head in table.column(1).to_pylist())
            self.excerpted.update(zip(table.column(0).to_pylist(), heads, strict=True))


class Part:
    """The part of one input that is being gathered."""

    def __init__(self, store: Store, memory: Memory, state: InputState, report: InputReport) -> None:
        self._store, self._memory, self._state, self._report = store, memory, state, report
        self._offset, self._line, self._held = state.offset, state.line, state.held
        self._latest = state.last_at or 0
        # Reading may resume before the last reject that was written: a line is put into quarantine once.
        self._rejected_before = _rejects(store, state) if state.offset or state.line > 1 else frozenset()
        self._clear()

    def _clear(self) -> None:
        self._sketches: list[pa.RecordBatch] = []
        self._names: list[tuple[str, int, str]] = []
        self._excerpts: list[dict[str, Any]] = []
        self._rejects: list[Reject] = []
        self._reasons: Counter[str] = Counter()
        self._rows = self._records = self._rejected = 0
        self._first: int | None = None
        self._last: int | None = None
        self._began = time.monotonic()
        self._whole = True

    @property
    def due(self) -> bool:
        return self._rows >= PART_ROWS or time.monotonic() - self._began > PART_SECONDS

    def add(self, worked: Worked, *, moves: bool = True) -> None:
        """Take a batch, without the exchanges that were read before.

        Args:
            moves: whether the batch says where reading goes on; what waited for its other half does not.
        """
        self._whole = False
        sketches, batch = worked.sketches, worked.batch
        fresh = self._memory.ids.add(worked.ids)
        rejects = [r for r in batch.rejects if (r.line, r.field, r.reason) not in self._rejected_before]
        records = batch.records - sum(r.records for r in batch.rejects) + sum(r.records for r in rejects)
        if not fresh.all():
            rejects += _duplicates(np.asarray(sketches.column("line"))[~fresh])
            sketches = sketches.filter(pa.array(fresh))
        if sketches.num_rows:
            self._times(sketches, rejects)
        for reject in rejects:
            if reject.records:
                self._reasons[reject.reason] += reject.records
        self._keep_excerpts(worked, fresh)
        self._sketches.append(sketches)
        self._keep_names(worked)
        self._rejects += rejects
        self._rows += sketches.num_rows
        self._records += records
        self._rejected += sum(r.records for r in rejects)
        if moves:
            self._offset, self._line, self._held = batch.resume_offset, batch.resume_line, worked.held
        self._whole = True

    def _times(self, sketches: pa.RecordBatch, rejects: list[Reject]) -> None:
        at = np.asarray(sketches.column("at"))
        before = np.maximum.accumulate(np.concatenate([[self._latest], at]))[:-1]
        late = np.flatnonzero(at < before - LATE_US)
        if len(late):
            line = int(sketches.column("line")[int(late[0])].as_py())
            detail = f"{len(late)} exchanges came over an hour after later ones; they were kept and sorted"
            rejects.append(Reject(line=line, field="at", reason="out_of_order", records=0, detail=detail))
            self._reasons["out_of_order (kept)"] += len(late)
        self._latest = max(self._latest, int(at.max()))
        self._first, self._last = _least(self._first, int(at.min())), _most(self._last, int(at.max()))

    def _keep_names(self, worked: Worked) -> None:
        """Values that have no name yet, once for each hash."""
        for kind, values in worked.names.items():
            if values.null_count == len(values):
                continue
            hashes = np.asarray(worked.sketches.column(kind).fill_null(0))
            rows = np.flatnonzero(self._memory.named[kind].add(hashes))
            if len(rows):
                found = values.take(pa.array(rows)).to_pylist()
                self._names += zip(repeat(kind), hashes[rows].tolist(), found, strict=False)

    def _keep_excerpts(self, worked: Worked, fresh: np.ndarray) -> None:
        """Two for each account and template. Chosen here, in file order: workers finish in any order."""
        kept = self._memory.excerpted
        for row, excerpt in worked.excerpts:
            key = (excerpt["account"], excerpt["head"] or 0)
            if fresh[row] and kept[key] < 2 and len(kept) <= EXCERPTS:
                kept[key] += 1
                self._excerpts.append(excerpt)

    def save(self) -> None:
        """Write what is there when the run is interrupted, unless that came in the middle of a step."""
        if self._whole:
            self.flush()

    def flush(self) -> None:
        """Write the part and make it count."""
        if not (self._rows or self._rejects or self._records):
            return
        store, state, report = self._store, self._state, self._report
        name = f"{state.input_id}-{state.parts:06d}"
        files: list[str] = []
        if self._rows:
            for day, rows in _by_day(pa.Table.from_batches(self._sketches)):
                files.append(store.write_part("sketches", name, rows, folder=f"day={day}"))
        if self._names:
            kinds, hashes, values = zip(*self._names, strict=True)
            columns = [pa.array(kinds), pa.array(hashes, pa.uint64()), pa.array(values)]
            files.append(store.write_part("names", name, pa.table(columns, schema=NAMES)))
        if self._excerpts:
            files.append(store.write_part("excerpts", name, pa.Table.from_pylist(self._excerpts, EXCERPT)))
        if self._rejects:
            listed = [{"file": report.path, **asdict(reject)} for reject in self._rejects]
            files.append(store.write_part("quarantine", name, pa.Table.from_pylist(listed, tables.QUARANTINE)))
        self._whole = False  # once the line is begun, the part must not be written again
        store.commit(
            state, files, complete=False, held=self._held, offset=self._offset, line=self._line, parts=state.parts + 1,
            records=state.records + self._records, kept=state.kept + self._rows,
            rejected=state.rejected + self._rejected, first_at=_least(state.first_at, self._first),
            last_at=_most(state.last_at, self._last), reasons=dict(Counter(state.reasons) + self._reasons),
            format=report.format or state.format,
        )  # fmt: skip
        report.records += self._records
        report.kept += self._rows
        report.rejected += self._rejected
        report.reasons.update(self._reasons)
        report.first_at, report.last_at = _least(report.first_at, self._first), _most(report.last_at, self._last)
        self._clear()


def _duplicates(lines: np.ndarray) -> list[Reject]:
    detail = "an exchange of this id was read before; this one was left out: deliver each record once"
    found = [Reject(line=int(x), field="exchange_id", reason="duplicate", detail=detail) for x in lines[:100]]
    if len(lines) > 100:
        found.append(
            Reject(line=int(lines[100]), field="exchange_id", reason="duplicate", records=len(lines) - 100,
                   detail=f"and more of this kind from here on: {detail}")
        )  # fmt: skip
    return found


def _rejects(store: Store, state: InputState) -> frozenset[tuple[int | None, str | None, str]]:
    """(line, field, reason) of what an input has in quarantine from the line on at which reading resumes."""
    found: set[tuple[int | None, str | None, str]] = set()
    for name in state.files:
        if name.startswith("quarantine/"):
            rows = pq.read_table(store.path / name, columns=["line", "field", "reason"]).to_pylist()
            found.update((r["line"], r["field"], r["reason"]) for r in rows if r["line"] and r["line"] >= state.line)
    return frozenset(found)


def _least(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else min(a, b)


def _most(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)


def _by_day(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Rows by day, in file order within each; one piece where the clock jumps about too much for that."""
    days = np.asarray(pc.divide(table.column("at"), DAY_US))
    distinct = np.unique(days)
    if len(distinct) > MOST_DAYS:
        yield "mixed", table
        return
    if (days[1:] < days[:-1]).any():
        order = np.argsort(days, kind="stable")
        table, days = table.take(order), days[order]
    bounds = [*np.searchsorted(days, distinct).tolist(), len(days)]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for day, first, last in zip(distinct.tolist(), bounds[:-1], bounds[1:], strict=True):
        yield (epoch + timedelta(days=day)).strftime("%Y-%m-%d"), table.slice(first, last - first)
