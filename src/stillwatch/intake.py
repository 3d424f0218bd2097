"""Logs into the store: read, sketch, drop what was there before, write parts that survive a kill.

Reading and decompressing run in the calling thread, parsing and sketching in worker threads (compiled code that lets
go of Python's lock), writing in file order again: the result does not depend on the number of workers.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from stillwatch import tables
from stillwatch.config import Settings
from stillwatch.ingest import mapping as mappings
from stillwatch.ingest import scan_litellm
from stillwatch.ingest.files import Input, expand
from stillwatch.ingest.joins import Joiner
from stillwatch.ingest.read import finish, read, read_lines
from stillwatch.ingest.records import Batch, Block
from stillwatch.ingest.settings import IngestSettings
from stillwatch.progress import Progress, Watcher
from stillwatch.sketch.elicitation import STRONG, Cues
from stillwatch.sketch.sketch import Sketcher
from stillwatch.store import known
from stillwatch.store.layout import InputState, Store
from stillwatch.store.parts import InputReport, Memory, Part, Worked

BLOCK_BYTES: Final = 8 << 20  # up to two for each worker wait, with what was read from them
EXCERPT_CHARS: Final = 600
ASKING: Final = 512  # exchanges of a batch that are looked at for excerpts
# Columns whose values are kept by name beside their hashes, so that people can read the results.
NAMED: Final = {
    "account": "account_id", "key": "key_id", "org": "org_id", "end_user": "end_user_id", "model": "model", "ip": "ip",
    "user_agent": "user_agent", "app": "title",
}  # fmt: skip
_NOTHING: Final = pa.RecordBatch.from_pylist([], schema=tables.EXCHANGE)


class Intake:
    """One run of reading inputs into a store."""

    def __init__(self, store: Store, settings: Settings, watch: Watcher) -> None:
        self.store = store
        self.settings = settings
        self._watch = watch
        secret = store.secret.seed("raw key").tobytes()
        self._ingest = IngestSettings(block_bytes=BLOCK_BYTES, account_from=settings.account_from, digest_key=secret)
        self._cues = Cues.compile()
        self._local = threading.local()
        self._memory = Memory()
        self._hash_only = {c for c, p in settings.policy.items() if p == "hash"}
        self._dropped = {c for c, p in settings.policy.items() if p == "drop"}

    def run(self, sources: Sequence[str]) -> list[InputReport]:
        """Read every input; what the store already holds is passed over.

        Raises:
            Interrupted: writing failed; what was written before counts, and the same run goes on from there.
            UsageError:  the store may not be written, or another scan is writing to it.
        """
        with self.store.writing():
            inputs = [self._not_accounts(entry) for entry in expand(sources)]
            self._take_back(inputs)
            self.store.sweep()
            return self._run(inputs)

    def _not_accounts(self, entry: Input) -> Input:
        """The accounts table often lies in the folder of the logs; it is no log."""
        given = self.settings.accounts
        if given and os.path.exists(given) and os.path.realpath(given) == os.path.realpath(entry.path):
            return replace(entry, skip="it is the accounts table")
        return entry

    def _take_back(self, inputs: Sequence[Input]) -> None:
        """After a kill, read files again whose records waited for halves in this file or another one."""
        paths = {known.shown(os.path.realpath(entry.path)) for entry in inputs}
        unfinished = [s for s in self.store.inputs().values() if not s.complete and s.path in paths]
        if any(state.held for state in unfinished):
            for state in unfinished:
                self.store.take_back(state)

    def _run(self, inputs: Sequence[Input]) -> list[InputReport]:
        states = self.store.inputs().values()
        seen = known.Known(states)
        self._memory.load(self.store, self._sketcher())
        mapped = mappings.load(str(self.settings.mapping)) if self.settings.mapping else None
        joiner = Joiner(self._ingest)
        reports: list[InputReport] = []
        opened: dict[str, tuple[Input, InputState, InputReport]] = {}
        total = float(sum(i.size for i in inputs)) or 1.0
        done = 0.0
        with ThreadPoolExecutor(self.settings.workers, thread_name_prefix="sketch") as pool:
            for entry in inputs:
                path = known.shown(entry.path)
                report = InputReport(path=path)
                reports.append(report)
                state = self._recognise(entry, seen, report)
                if state is not None:
                    opened[entry.path] = entry, state, report
                    self._one(entry, state, report, mapped, joiner, pool, done, total)
                    seen.note(entry, state)
                done += entry.size
                self._watch(Progress(stage="read", done=done, total=total, detail=path))
        for path, batch in finish(joiner, settings=self._ingest, now_us=self.settings.now_us):
            _, state, report = opened[path]
            part = Part(self.store, self._memory, state, report)
            part.add(self._work(batch, known.shown(path)), moves=False)
            part.flush()
        for entry, state, report in opened.values():
            self._complete(entry, state, report)
        return reports

    def _complete(self, entry: Input, state: InputState, report: InputReport) -> None:
        """Note that an input was read to its end. One that was replaced meanwhile stays unfinished."""
        about: dict[str, Any] = {"complete": True, "held": False, "size": entry.size}
        try:
            if entry.size and known.digest(entry.path, size=state.head_bytes) != state.head_digest:
                return
            about |= {
                "mtime_ns": os.stat(entry.path).st_mtime_ns, "digest": known.digest(entry.path, size=entry.size),
                "tail_digest": known.tail(entry.path, entry.size),
            }  # fmt: skip
        except OSError:  # gone since it was read
            return
        self.store.commit(state, [], **about)

    def _sketcher(self) -> Sketcher:
        if not hasattr(self._local, "sketcher"):
            self._local.sketcher = Sketcher(self.store.secret, self._cues)
        sketcher: Sketcher = self._local.sketcher
        return sketcher

    def _recognise(self, entry: Input, seen: known.Known, report: InputReport) -> InputState | None:
        """The state from which to read an input on, or None if there is nothing to do."""
        report.skipped = entry.skip
        if entry.skip.startswith("hidden"):
            report.reasons["not read"] += 1
            return None
        try:
            found = seen.recognise(entry)
        except OSError as err:
            report.skipped = f"cannot be read ({err.strerror}); check the path and its permissions"
            report.reasons["unreadable"] += 1
            report.records = report.rejected = 1
            return None
        if found.state is None or (entry.skip and not found.new):
            report.skipped = entry.skip or found.skipped
            return None
        state = found.state
        if found.new:
            self.store.start_input(state)
            seen.add(state)
        report.resume(state)
        return state

    def _one(
        self, entry: Input, state: InputState, report: InputReport, mapped: Any, joiner: Joiner,
        pool: ThreadPoolExecutor, base: float, total: float,
    ) -> None:  # fmt: skip
        path = known.shown(entry.path)
        part = Part(self.store, self._memory, state, report)
        waiting: deque[Future[Worked]] = deque()

        def settle(least: int) -> None:
            while len(waiting) > least:
                worked = waiting.popleft().result()
                part.add(worked)
                if part.due:
                    part.flush()
                share = (
                    min(worked.batch.resume_offset / (entry.size or 1), 1.0) if entry.compression == "plain" else 0.5
                )
                self._watch(Progress(stage="read", done=base + share * entry.size, total=total, detail=path))

        try:
            for item in self._items(entry, state, mapped, joiner):
                if isinstance(item, Block):
                    report.format = report.format or "litellm"
                    waiting.append(pool.submit(self._parse, item, path))
                else:
                    held = len(joiner) > 0 and joiner.earliest(entry.path) is not None
                    waiting.append(pool.submit(self._work, item, path, held))
                settle(2 * self.settings.workers)
            settle(0)
            part.flush()
        except KeyboardInterrupt:
            part.save()
            raise
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

    def _parse(self, block: Block, path: str) -> Worked:
        latest_us = self.settings.now_us + self._ingest.ahead_us
        done = scan_litellm.compiled(block, earliest_us=self._ingest.earliest_us, latest_us=latest_us)
        batch = Batch(
            exchanges=done.exchanges, records=done.exchanges.num_rows,
            resume_offset=block.offset + len(block.data),
            resume_line=block.first_line + done.lines - (not block.data.endswith(b"\n")),
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

    def _work(self, batch: Batch, path: str, held: bool = False) -> Worked:
        """Sketch a batch; pick the names and the few excerpts that are kept beside it."""
        sketcher = self._sketcher()
        exchanges = self._policed(batch.exchanges)
        sketches = sketcher(exchanges)
        ids = sketcher.hashes(exchanges.column("exchange_id"), "exchange_id")
        names = {kind: exchanges.column(source) for kind, source in NAMED.items() if source not in self._hash_only}
        excerpts = self._excerpts(exchanges, sketches, path)
        return Worked(replace(batch, exchanges=_NOTHING), sketches, ids, names, excerpts, held)  # the text goes here

    def _policed(self, exchanges: pa.RecordBatch) -> pa.RecordBatch:
        """Columns that the policy drops become null; a hashed exchange id becomes its hash."""
        for name in self._dropped:
            i = tables.EXCHANGE.get_field_index(name)
            column = tables.EXCHANGE.field(i)
            exchanges = exchanges.set_column(i, column, pa.nulls(len(exchanges), column.type))
        if "exchange_id" in self._hash_only:
            hashed = self._sketcher().hashes(exchanges.column("exchange_id"), "exchange_id")
            names = pa.array([f"{h:016x}" for h in hashed.tolist()], pa.string())
            exchanges = exchanges.set_column(0, tables.EXCHANGE.field(0), names)
        return exchanges

    def _excerpts(
        self, exchanges: pa.RecordBatch, sketches: pa.RecordBatch, path: str
    ) -> list[tuple[int, dict[str, Any]]]:
        """At most two for each account and template of the batch."""
        if self.settings.no_text or {"messages"} & (self._hash_only | self._dropped):
            return []
        bits = np.asarray(sketches.column("elicits").fill_null(0)).astype(np.uint32)
        rows = np.flatnonzero((bits & STRONG) != 0)[:ASKING]
        if not len(rows):
            return []
        accounts = np.asarray(sketches.column("account"))[rows].tolist()
        heads = np.asarray(sketches.column("head").fill_null(0))[rows].tolist()
        found: list[tuple[int, dict[str, Any]]] = []
        here: Counter[tuple[int, int]] = Counter()
        for row, account, head in zip(rows.tolist(), accounts, heads, strict=True):
            key = (account, head)
            if here[key] >= 2 or self._memory.excerpted[key] >= 2:
                continue
            messages = exchanges.column("messages")[row].as_py() or []
            texts = [m["content"] for m in messages if m["role"] == "user" and m["content"]] or [
                m["content"] for m in messages if m["content"]
            ]
            if texts:
                here[key] += 1
                kept = {name: exchanges.column(name)[row].as_py() for name in ("exchange_id", "at", "line")}
                kept |= {"account": account, "head": head or None, "elicits": int(bits[row]), "file": path}
                found.append((row, kept | {"text": texts[-1][:EXCERPT_CHARS]}))
        return found


__all__ = ["InputReport", "Intake"]
