"""Logs in, batches of exchanges out: the whole of ingest for one input.

    files.blocks / containers / tabular -> formats.recognise -> Format.exchanges -> (joins) -> clean.row -> Batch

Nothing raises for what a file holds: a bad record becomes a `Reject` in its batch. Records may come in any order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from stillwatch.ingest import clean, formats
from stillwatch.ingest.containers import Record, json_document, json_lines, parse
from stillwatch.ingest.duplicates import Seen
from stillwatch.ingest.files import Input, blocks
from stillwatch.ingest.formats.base import SHAPE_ERRORS, BadRecord, Format, time_us
from stillwatch.ingest.joins import Joiner, Part
from stillwatch.ingest.mapping import Mapped
from stillwatch.ingest.records import Batch, Block, Reject
from stillwatch.ingest.settings import IngestSettings, fallback
from stillwatch.ingest.sniff import LIST_KEYS
from stillwatch.ingest.tabular import csv_rows, parquet_rows

Fast = Callable[[Block], Batch | None]
_PLAIN_KEY = re.compile(r"[A-Za-z_][\w.\-]{0,31}")
_EMPTY = clean.to_batch([])


def read(
    entry: Input,
    *,
    format: str = "auto",
    mapping: Mapped | None = None,
    settings: IngestSettings | None = None,
    start_offset: int = 0,
    start_line: int = 1,
    now_us: int,
    fast: Fast | None = None,
    joiner: Joiner | None = None,
    seen: Seen | None = None,
) -> Iterator[Batch]:
    """Exchanges of one input, at most `settings.batch_rows` or one block at a time, in file order.

    Args:
        entry:        from files.expand.
        format:       name of a format, or `auto`: told per record, the last one that matched first.
        mapping:      a mapping file, which then reads every record.
        start_offset: `resume_offset` of the last batch that was kept (bytes for lines, records for other kinds).
        start_line:   its `resume_line`.
        now_us:       microseconds UTC; clocks may be ahead of it by settings.ahead_us.
        fast:         a compiled path: gets each block of a line-based LiteLLM input, and declines with None.
        joiner:       shared by several reads to join across files; call `finish` after the last. Without one, parts
                      are joined within this input. While parts wait, `resume_offset` stays at the first of them, and
                      exchanges read again after a restart are told by their id.
        seen:         exchange ids so far; later ones go to quarantine as `duplicate`.
    Raises:
        UsageError: an unknown `format`.
    """
    settings = settings or IngestSettings()
    chosen = None if format == "auto" else formats.named(format)
    own = joiner is None
    reader = _Reader(entry, settings, now_us, chosen, mapping, Joiner(settings) if joiner is None else joiner)
    reader.offset, reader.line = start_offset, start_line
    for batch in _batches(reader, start_offset, start_line, fast if mapping is None else None, own):
        yield seen.filter(batch) if seen is not None else batch


def finish(
    joiner: Joiner, *, settings: IngestSettings | None = None, now_us: int, seen: Seen | None = None
) -> Iterator[tuple[str, Batch]]:
    """(path, batch) of what still waits in a shared joiner, after the last read."""
    settings = settings or IngestSettings()
    readers: dict[str, _Reader] = {}
    for part in joiner.flush():
        reader = readers.get(part.path)
        if reader is None:
            reader = readers[part.path] = _Reader(Input(path=part.path), settings, now_us, None, None, joiner)
        reader.finish_part(part, unmatched=True)
        if reader.full:
            yield part.path, _filtered(reader.batch(), seen)
    for path, reader in readers.items():
        if reader.holds_something:
            yield path, _filtered(reader.batch(), seen)


def _filtered(batch: Batch, seen: Seen | None) -> Batch:
    return batch if seen is None else seen.filter(batch)


def read_lines(
    lines: Iterable[tuple[int, bytes]],
    *,
    settings: IngestSettings | None = None,
    now_us: int,
    path: str = "",
    format: str = "auto",
) -> Batch:
    """(line number, line) pairs, record by record: what the compiled path hands over where it declines.

    For formats whose records stand alone; parts that would need a join are let go as they are. The resume position
    is left to the caller.
    """
    settings = settings or IngestSettings()
    chosen = None if format == "auto" else formats.named(format)
    reader = _Reader(Input(path=path), settings, now_us, chosen, None, Joiner(settings))
    for number, line in lines:
        for item in json_lines(Block(data=line, first_line=number, offset=0)):
            reader.take(item)
    for part in reader.joiner.flush():
        reader.finish_part(part, unmatched=True)
    return reader.batch()


def _batches(reader: _Reader, start_offset: int, start_line: int, fast: Fast | None, own: bool) -> Iterator[Batch]:
    entry, settings = reader.entry, reader.settings
    if entry.skip or entry.kind == "empty":
        hidden = entry.skip.startswith("hidden") or not entry.skip
        why = f"the file was not read: {entry.skip}" if entry.skip else "the file holds nothing"
        reason = ("hidden" if hidden else "unreadable") if entry.skip else "empty"
        reader.reject(Reject(line=None, field=None, reason=reason, detail=why, records=0 if hidden else 1))
        yield reader.batch()
        return
    try:
        if entry.kind == "lines":
            yield from _from_lines(reader, start_offset, start_line, fast)
        else:
            for item in _items(entry, settings, start_offset):
                reader.take(item)
                if reader.full:
                    yield reader.batch()
    except OSError as error:
        reader.reject(
            Reject(
                line=reader.line,
                field=None,
                reason="unreadable",
                detail=f"reading stopped here ({error.strerror or type(error).__name__}): check the disk",
            )
        )
    if own:
        for part in reader.joiner.flush():
            reader.finish_part(part, unmatched=True)
            if reader.full:
                yield reader.batch()
    if reader.holds_something:
        yield reader.batch()


def _items(entry: Input, settings: IngestSettings, skip: int) -> Iterator[Record | Reject]:
    if entry.kind == "json":
        return json_document(entry, max_bytes=settings.max_line_bytes, skip=skip)
    if entry.kind == "csv":
        return csv_rows(entry, max_bytes=settings.max_line_bytes, skip=skip)
    return parquet_rows(entry, skip=skip)


def _from_lines(reader: _Reader, start_offset: int, start_line: int, fast: Fast | None) -> Iterator[Batch]:
    settings = reader.settings
    for block in blocks(
        reader.entry,
        block_bytes=settings.block_bytes,
        start_offset=start_offset,
        start_line=start_line,
        max_line_bytes=settings.max_line_bytes,
    ):
        if isinstance(block, Reject):
            reader.reject(block)
            continue
        ends = block.line_ends if block.line_ends >= 0 else block.data.count(b"\n")
        after, next_line = block.offset + len(block.data), block.first_line + ends
        if fast is not None and reader.reads_litellm(block):
            done = fast(block)
            if done is not None:
                if reader.holds_something:
                    yield reader.batch()
                reader.offset, reader.line = after, next_line
                yield done
                continue
        for item in json_lines(block):
            reader.take(item)
            if reader.full:
                yield reader.batch()
        reader.offset, reader.line = after, next_line
        if reader.holds_something:
            yield reader.batch()


class _Reader:
    """State of one read: the rows and rejects of the batch under way."""

    def __init__(
        self,
        entry: Input,
        settings: IngestSettings,
        now_us: int,
        chosen: Format | None,
        mapped: Mapped | None,
        joiner: Joiner,
    ) -> None:
        self.entry, self.settings, self.now_us, self.joiner = entry, settings, now_us, joiner
        self.offset, self.line = 0, 1
        self._chosen, self._mapped, self._last = chosen, mapped, chosen
        self._rows: list[dict[str, Any]] = []
        self._bytes = self._records = self._skipped = 0
        self._rejects: list[Reject] = []
        self._alike: dict[tuple[str, str | None], int] = {}
        self._more: dict[tuple[str, str | None], Reject] = {}

    @property
    def full(self) -> bool:
        return len(self._rows) >= self.settings.batch_rows or self._bytes >= self.settings.batch_bytes

    @property
    def holds_something(self) -> bool:
        return bool(self._rows or self._rejects or self._records)

    def reads_litellm(self, block: Block) -> bool:
        """Whether the first record of a block is a LiteLLM payload (or the caller said that all are)."""
        if self._chosen is not None:
            return self._chosen.name == "litellm"
        try:
            value = parse(block.data[: block.data.find(b"\n") + 1] or block.data)
        except ValueError:
            return self._last is not None and self._last.name == "litellm"
        found = formats.recognise(value, self._last) if isinstance(value, Mapping) else None
        self._last = found or self._last
        return found is not None and found.name == "litellm"

    def reject(self, reject: Reject) -> None:
        """Take a reject; beyond the listed examples, alike ones are only counted."""
        self._records += reject.records
        self._list(reject)

    def _list(self, reject: Reject) -> None:
        kind = (reject.reason, reject.field)
        self._alike[kind] = self._alike.get(kind, 0) + 1
        if self._alike[kind] <= self.settings.max_examples:
            self._rejects.append(reject)
        else:
            kept = self._more.get(kind)
            self._more[kind] = (
                replace(reject, detail=f"and more of this kind from here on: {reject.detail}")
                if kept is None
                else replace(kept, records=kept.records + reject.records)
            )

    def take(self, item: Record | Reject) -> None:
        """One record (or reject) of the input."""
        if isinstance(item, Reject):
            self.reject(item)
            return
        before = self.offset
        value = item.value
        if isinstance(value, Mapping) and self._mapped is None and self._chosen is None:
            value = self._unwrapped(value)
        if isinstance(value, list):
            for element in value:
                self._one(element, item.line, before)
            if not value:
                self._skipped += 1
        else:
            self._one(value, item.line, before)
        self.offset, self.line = item.after, item.line + 1

    def _unwrapped(self, value: Mapping[str, Any]) -> Any:
        """The list in {"data": [...]} and the like, unless a format knows the object itself."""
        self._last = formats.recognise(value, self._last) or self._last
        if self._last is not None and self._last.detect(value):
            return value
        for key in LIST_KEYS:
            inner = value.get(key)
            if isinstance(inner, list) and inner and all(isinstance(element, Mapping) for element in inner):
                return inner
        return value

    def _one(self, value: Any, line: int, offset: int) -> None:
        self._records += 1
        if not isinstance(value, Mapping):
            kind = {str: "text", list: "a list", type(None): "null"}.get(type(value), "a bare value")
            self._list(
                _reject(line, None, "type", f"the record is {kind}, not a JSON object: export one object a line")
            )
            return
        if self._mapped is not None:
            found: Any = self._mapped
        else:
            found = self._chosen or formats.recognise(value, self._last)
            if found is None:
                self._list(_unknown(value, line))
                return
            self._last = found
        parts = 0
        try:
            for canonical in found.exchanges(value):
                parts += 1
                self._canonical(canonical, value, line, offset)
            self._skipped += not parts  # an empty envelope
        except BadRecord as bad:
            self._list(_reject(line, bad.field, bad.reason, bad.detail))
        except SHAPE_ERRORS as error:
            self._list(
                _reject(
                    line,
                    None,
                    "malformed",
                    f"the record has a shape that format `{found.name}` does not know ({type(error).__name__}): "
                    "check the exporter's version, or write a mapping file",
                )
            )

    def _canonical(self, canonical: dict[str, Any], raw: Mapping[str, Any], line: int, offset: int) -> None:
        self._skipped += canonical.pop("_skipped", 0)
        bad = canonical.pop("_bad", None)
        if bad is not None:
            self._list(_reject(line, bad.field, bad.reason, bad.detail))
        source = canonical.pop("_source", raw)
        if not canonical:
            return
        join = canonical.get("_join")
        if join is None or join[1] != "context":
            self._fall_back(canonical, source, alone=join is None)
        part = Part(canonical, self.entry.path, line, offset)
        if join is None:
            self.finish_part(part, unmatched=False)
            return
        if join[1] != "context":
            part.values["_source"] = _small(source, self.settings)
        part.size = _weight(canonical)
        for done in self.joiner.add(part):
            self.finish_part(done, unmatched=False)

    def _fall_back(self, canonical: dict[str, Any], source: Mapping[str, Any], *, alone: bool) -> None:
        """Account and time from the options, where the record has none. A half that waits may still be given one."""
        if not alone:
            return
        if canonical.get("account_id") in (None, ""):
            canonical["account_id"] = fallback(self.settings.account_from, source)
        if canonical.get("at") is None:
            value = fallback(self.settings.at_from, source, mtime_us=self.entry.modified_us)
            canonical["at"] = time_us(value, "at") if value is not None else None

    def finish_part(self, part: Part, *, unmatched: bool) -> None:
        """Clean what is complete, or has waited long enough, into the batch."""
        canonical = part.values
        source = canonical.pop("_source", None)
        try:
            if source is not None:
                self._fall_back(canonical, source, alone=True)
            row = clean.row(canonical, line=part.line, settings=self.settings, now_us=self.now_us)
        except BadRecord as bad:
            row = _reject(part.line, bad.field, bad.reason, bad.detail)
        if isinstance(row, Reject):
            if row.reason == "missing" and (unmatched or source is not None):
                row = replace(row, reason="unmatched" if unmatched else row.reason)
                if unmatched:
                    row = replace(row, detail=f"its other part was not found, and alone {row.detail}")
            self._list(row)
            return
        self._rows.append(row)
        self._bytes += _weight(row)

    def batch(self) -> Batch:
        """The batch so far; the next one begins empty."""
        rejects = [*self._rejects, *self._more.values()]
        if self._skipped:
            rejects.append(
                _reject(
                    None,
                    None,
                    "not_an_exchange",
                    f"{self._skipped} spans or rows of this stretch are no calls of a model; nothing needs fixing",
                    records=0,
                )
            )
        offset, line = self.offset, self.line
        held = self.joiner.earliest(self.entry.path) if len(self.joiner) else None
        if held is not None and held[0] < offset:
            offset, line = held
        batch = Batch(
            exchanges=clean.to_batch(self._rows) if self._rows else _EMPTY,
            rejects=rejects,
            records=self._records,
            resume_offset=offset,
            resume_line=line,
        )
        self._rows, self._rejects, self._alike, self._more = [], [], {}, {}
        self._bytes = self._records = self._skipped = 0
        return batch


def _reject(line: int | None, field: str | None, reason: str, detail: str, records: int = 1) -> Reject:
    return Reject(line=line, field=field, reason=reason, detail=detail, records=records)


def _unknown(value: Mapping[str, Any], line: int) -> Reject:
    keys = [key if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else "?" for key in list(value)[:6]]
    shown = ", ".join(f"`{key}`" for key in keys) or "no keys"
    return _reject(
        line, None, "unknown_format", f"no known format has the keys {shown}: say --format, or write a mapping file"
    )


def _small(source: Mapping[str, Any], settings: IngestSettings) -> dict[str, Any]:
    """What a fall-back rule may need of a part that waits."""
    out: dict[str, Any] = {}
    for rule in (settings.account_from, settings.at_from):
        if rule is not None and rule.startswith("field:"):
            found = fallback(rule, source)
            if found is not None:
                out[rule.removeprefix("field:")] = found
    return out


def _weight(values: Mapping[str, Any]) -> int:
    """Bytes of text in a row, roughly."""
    size = 200
    for name, value in values.items():
        if isinstance(value, str):
            size += len(value)
        elif name == "messages" and value:
            size += sum(80 + len(m.get("content") or "") + len(m.get("extra") or "") for m in value)
        elif isinstance(value, list):
            size += sum(len(item) for item in value if isinstance(item, str))
    return size
