"""Records out of containers: JSON lines, JSON documents, CSV and Parquet, each streamed in bounded memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from stillwatch.ingest import codecs
from stillwatch.ingest.files import Input, opened
from stillwatch.ingest.records import Block, Reject
from stillwatch.ingest.sniff import LIST_KEYS


class Record(NamedTuple):
    """One raw record and where it stands."""

    value: Any  # usually a dict; what else a JSON line may hold is judged later
    line: int  # 1-based line, or row for Parquet
    after: int  # where reading goes on: bytes for JSON lines, records for the others


def parse(data: bytes | str) -> Any:
    """A JSON value.

    A lone surrogate (half an emoji, cut by a streaming client) is no reason to lose a record: it becomes U+FFFD.

    Raises:
        ValueError: with a short reason that never quotes the data.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if (b"\\u" in data) if isinstance(data, bytes) else ("\\u" in data):
            try:
                return _mended(json.loads(data, parse_constant=_no_constant))
            except (ValueError, RecursionError):
                pass
        raise ValueError(f"{error.msg.split(':')[0]}, column {error.colno}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_SURROGATE = re.compile("[\ud800-\udfff]")


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value


def malformed(data: bytes, line: int, why: str) -> Reject:
    """The reject for bytes that are no JSON value, told apart from text in another encoding."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return Reject(
            line=line,
            field=None,
            reason="encoding",
            detail=f"not UTF-8 at byte {error.start} of the record: convert the log, e.g. `iconv -f LATIN1 -t UTF-8`",
        )
    if re.search(rb"[:\[,]\s*-?(?:NaN|Infinity)\b", data):
        why = "NaN and Infinity are not JSON"
    return Reject(line=line, field=None, reason="malformed", detail=f"not valid JSON ({why}): fix the exporter")


def json_lines(block: Block) -> Iterator[Record | Reject]:
    """One value per non-empty line of a block."""
    data, begin, line = block.data, 0, block.first_line
    size = len(data)
    while begin < size:
        end = data.find(b"\n", begin) + 1 or size
        text = data[begin:end]
        if text.strip():
            try:
                yield Record(parse(text), line, block.offset + end)
            except ValueError as error:
                yield malformed(text, line, str(error))
        begin, line = end, line + 1


# Up to the next bracket; strings in between are passed over. A quote matches only where its string is not complete.
_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+([\[\]{}"])', re.DOTALL)
_STRING_END = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*\Z', re.DOTALL)
_KEY_BYTES = 64  # the longest list name, its quotes and some space
_LIST_KEYS = frozenset(name.encode() for name in LIST_KEYS)
_MAX_DEPTH = 1024  # as far as orjson goes
_BETWEEN = re.compile(rb"[\s,]*\Z")


def json_document(entry: Input, *, max_bytes: int, skip: int = 0) -> Iterator[Record | Reject]:
    """Records of a JSON document: the elements of a top-level array, of the list in an object such as
    `{"data": [...]}` or `{"resourceSpans": [...]}`, or one object. Several documents may follow each other.

    Elements of `resourceSpans` and the like come back wrapped in their key, as one record each. `skip` leaves out
    the first records (to resume). Memory: one element, at most `max_bytes`, plus one chunk.
    """
    scanner = _Scanner(max_bytes)
    count = 0
    with opened(entry) as chunks:
        source = iter(chunks)
        while True:
            try:
                chunk = next(source, b"")
            except (codecs.Truncated, codecs.Corrupt) as error:
                yield damaged(entry, error)
                break
            if not chunk:
                break
            if scanner.fresh and chunk.startswith(b"\xef\xbb\xbf"):
                chunk = chunk[3:]
            for line, data, key in scanner.feed(chunk):
                if isinstance(data, Reject):
                    if count >= skip:
                        yield data
                    continue
                count += 1
                if count <= skip:
                    continue
                try:
                    value = parse(data)
                except ValueError as error:
                    yield malformed(data, line, str(error))
                else:
                    yield Record({key: [value]} if key.startswith("resource") else value, line, count)
            if scanner.too_deep:
                yield Reject(
                    line=scanner.line,
                    field=None,
                    reason="malformed",
                    detail=f"more than {_MAX_DEPTH} nested brackets, as no log has; the rest of the file was not read",
                )
                return
    if scanner.unfinished:
        yield Reject(
            line=scanner.line,
            field=None,
            reason="truncated",
            detail="the JSON document ends in the middle of a value: copy the file again",
        )


class _Scanner:
    """Cuts a JSON byte stream into records by its brackets; holds at most one record.

    Modes: `document` (a top-level object may be a record itself), `list` (each element is one), `rest` (what is left
    of an object whose list has been read holds no record, unless another list opens).
    """

    def __init__(self, max_bytes: int) -> None:
        self._max = max_bytes
        self._mode = "document"
        self._stack: list[int] = []  # open brackets
        self._depth = 0  # in `list`: open brackets around an element
        self._key = ""  # name of the list that is being read
        self._held = bytearray()
        self._record_line = 1
        self._dropped = False  # the record is too long and is being passed over
        self._in_string = self._escaped = False
        self.line = 1
        self.fresh = True
        self.too_deep = False

    @property
    def unfinished(self) -> bool:
        """Whether the bytes so far stop inside a value."""
        return bool(self._stack) or self._in_string or self._dropped or bool(self._held.strip())

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes | Reject, str]]:
        """(line, record, name of its list) of every record that this chunk completes."""
        self.fresh = False
        at = begun = 0  # bytes of the chunk before `begun` are dealt with
        while at < len(chunk):
            if self._in_string:
                if self._escaped:
                    at, self._escaped = at + 1, False
                match = _STRING_END.match(chunk, at)
                if not match:
                    tail = chunk[at:]
                    self._escaped = bool((len(tail) - len(tail.rstrip(b"\\"))) % 2)
                    break
                at, self._in_string = match.end(), False
                continue
            match = _BRACKET.match(chunk, at)
            if not match:
                break
            at = match.end()
            symbol = match.group(1)[0]
            if symbol == 0x22:  # a string that this chunk does not end
                self._in_string = True
                continue
            if symbol in b"[{":
                if self._opens_record(symbol):
                    yield from self._between(chunk[begun : at - 1])
                    begun, self._record_line = at - 1, self.line
                elif self._opens_list(symbol, chunk, begun, at):
                    self._pass(chunk[begun:at])
                    begun = at
                self._stack.append(symbol)
                if len(self._stack) > _MAX_DEPTH:
                    self.too_deep = True
                    return
                continue
            if not self._stack or (self._stack[-1] == 0x7B) != (symbol == 0x7D):
                yield self._broken(chunk[begun:at])
                begun = at
                continue
            self._stack.pop()
            depth = len(self._stack)
            if self._mode == "list" and depth < self._depth:
                yield from self._between(chunk[begun : at - 1])
                begun, self._key = at, ""
                self._mode = "rest" if depth else "document"
            elif (self._mode == "list" and depth == self._depth) or (self._mode == "document" and not depth):
                record = self._take(chunk[begun:at])
                begun = at
                yield self._record_line, record, self._key
            elif self._mode == "rest" and not depth:
                self._pass(chunk[begun:at])
                begun, self._mode = at, "document"
        self._keep(chunk[begun:])

    def _opens_record(self, symbol: int) -> bool:
        if self._mode == "list":
            return len(self._stack) == self._depth
        return self._mode == "document" and not self._stack and symbol == 0x7B

    def _opens_list(self, symbol: int, chunk: bytes, begun: int, at: int) -> bool:
        """Whether this bracket opens a list of records; if so, goes over to reading it."""
        if symbol != 0x5B or self._mode == "list":
            return False
        if self._stack == [0x7B]:
            match = _KEY.search(bytes(self._held[-_KEY_BYTES:]) + chunk[max(begun, at - _KEY_BYTES) : at - 1])
            if not match or match.group(1) not in _LIST_KEYS:
                return False
            self._key = match.group(1).decode()
        elif self._stack:
            return False
        self._mode, self._depth = "list", len(self._stack) + 1
        return True

    def _pass(self, data: bytes) -> None:
        self._count(data)
        self._held.clear()
        self._dropped = False

    def _count(self, data: bytes) -> None:
        self.line += data.count(b"\n")

    def _keep(self, data: bytes) -> None:
        self._count(data)
        if self._dropped:
            return
        self._held += data
        if self._mode == "rest":
            del self._held[:-_KEY_BYTES]
        if len(self._held) > self._max:
            self._dropped = True
            self._held.clear()

    def _take(self, data: bytes) -> bytes | Reject:
        self._keep(data)
        dropped, record = self._dropped, bytes(self._held)
        self._held.clear()
        self._dropped = False
        if dropped:
            return Reject(
                line=self._record_line,
                field=None,
                reason="too_long",
                detail=f"the element is longer than {self._max} bytes: raise ingest.max_line_bytes",
            )
        return record

    def _between(self, data: bytes) -> Iterator[tuple[int, bytes | Reject, str]]:
        """Only spaces and commas may stand between records."""
        held = bytes(self._held)
        data = held + data
        self._held.clear()
        self._count(data.removeprefix(held))
        if not self._dropped and not _BETWEEN.match(data):
            yield (
                self.line,
                Reject(
                    line=self.line,
                    field=None,
                    reason="malformed",
                    detail="text that is no JSON object stands between two records: fix the exporter",
                ),
                "",
            )
        self._dropped = False

    def _broken(self, data: bytes) -> tuple[int, Reject, str]:
        self._pass(data)
        self._stack.clear()
        self._mode, self._key = "document", ""
        return (
            self.line,
            Reject(
                line=self.line,
                field=None,
                reason="malformed",
                detail="a closing bracket does not match the one that was opened: copy the file again",
            ),
            "",
        )


def damaged(entry: Input, error: Exception) -> Reject:
    """The reject for a compressed file that could not be read to its end."""
    cut = isinstance(error, codecs.Truncated)
    return Reject(
        line=None,
        field=None,
        reason="truncated" if cut else "corrupt",
        detail=f"the {entry.compression} stream {'ends before its end mark' if cut else f'is damaged ({error})'}; "
        "what came before it was read: copy the file again",
    )
