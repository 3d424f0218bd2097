"""Inputs: which files there are, what they hold, and their text in blocks of whole lines.

Names are hints only: compression and kind are read from the content, so a gzip file called `.jsonl` works, and a
picture in the folder is set aside with its reason.
"""

from __future__ import annotations

import difflib
import glob
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from stillwatch.errors import InputError, Place
from stillwatch.ingest import codecs
from stillwatch.ingest.json_bytes import count_bytes
from stillwatch.ingest.records import Block, Reject
from stillwatch.ingest.sniff import HEAD_BYTES, kind_of

_FOREIGN = (
    (b"PK\x03\x04", "zip", "unpack it first"),
    (b"BZh", "bzip2", "recompress it with gzip or zstd"),
    (b"\xfd7zXZ\x00", "xz", "recompress it with gzip or zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z", "unpack it first"),
    (b"\x04\x22\x4d\x18", "lz4", "recompress it with gzip or zstd"),
    (b"SQLite format 3\x00", "SQLite", "export the table as JSONL, CSV or Parquet"),
    (b"Obj\x01", "Avro", "export it as JSONL, CSV or Parquet"),
    (b"ARROW1", "Arrow IPC", "write it as Parquet"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file to read. `skip` says why it is not read; such an input gives one `Reject` and no exchange."""

    path: str
    compression: str = "plain"  # plain | gzip | zstd
    kind: str = "lines"  # lines | json | csv | parquet | empty
    size: int = 0  # bytes on disk
    modified_us: int = 0
    skip: str = ""


def expand(sources: Sequence[str]) -> list[Input]:
    """Files named by paths, folders (searched through) and globs; sorted, each file once, with content sniffed.

    Hidden files, sockets, broken links and files in a foreign container come back too, with `skip` set: a source is
    never passed over in silence.

    Raises:
        InputError: a source that does not exist, or a glob that matches nothing.
    """
    found: dict[str, Input] = {}
    for source in sources:
        for path, skip in _paths(os.path.expanduser(source)):
            real = os.path.realpath(path)
            if real not in found:
                found[real] = Input(path=path, skip=skip) if skip else inspect(path)
    return sorted(found.values(), key=lambda entry: entry.path)


def _paths(source: str) -> Iterator[tuple[str, str]]:
    if os.path.isdir(source):
        yield from _walk(source)
    elif os.path.lexists(source):
        yield source, ""
    elif glob.has_magic(source):
        matches = sorted(glob.glob(source, recursive=True))
        if not matches:
            raise InputError(
                f"nothing matches `{source}`", at=Place(path=source), fix="check the pattern, and quote it"
            )
        for match in matches:
            if os.path.isdir(match):
                yield from _walk(match)
            else:
                yield match, ""
    else:
        parent = os.path.dirname(source) or "."
        names = os.listdir(parent) if os.path.isdir(parent) else []
        near = difflib.get_close_matches(os.path.basename(source), names, n=1)
        fix = f"did you mean `{os.path.join(os.path.dirname(source), near[0])}`?" if near else "check the path"
        raise InputError(f"`{source}` does not exist", at=Place(path=source), fix=fix)


def _walk(top: str) -> Iterator[tuple[str, str]]:
    seen: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(top, followlinks=True):
        about = os.stat(folder)
        if (about.st_dev, about.st_ino) in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add((about.st_dev, about.st_ino))
        for hidden in sorted(name for name in folders if name.startswith(".")):
            folders.remove(hidden)
            yield os.path.join(folder, hidden), "hidden folder; name it itself to read it"
        folders.sort()
        for name in sorted(names):
            hidden_file = name.startswith(".")
            yield os.path.join(folder, name), "hidden file; name it itself to read it" if hidden_file else ""


def inspect(path: str) -> Input:
    """What a file is, from its first bytes. Unreadable files come back with `skip` set."""
    try:
        about = os.stat(path)
        if not stat.S_ISREG(about.st_mode):
            return Input(path=path, skip="not a regular file; pass its content through a file")
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        return Input(path=path, skip=f"cannot be read ({error.strerror}); check the path and its permissions")
    size, modified_us = about.st_size, about.st_mtime_ns // 1000
    if not head:
        return Input(path=path, kind="empty", size=size, modified_us=modified_us)
    if head[:4] == b"PAR1":
        return Input(path=path, kind="parquet", size=size, modified_us=modified_us)
    for magic, name, fix in _FOREIGN:
        if head.startswith(magic):
            return Input(path=path, size=size, modified_us=modified_us, skip=f"a {name} file; {fix}")
    compression = "gzip" if head[:2] == codecs.GZIP_MAGIC else "zstd" if codecs.is_zstd(head) else "plain"
    entry = Input(path=path, compression=compression, size=size, modified_us=modified_us)
    head, damaged = _head(entry)
    kind, skip = kind_of(head, path)
    if damaged and kind == "empty":
        kind = "lines"  # not empty but unreadable: reading it says so
    return Input(path=path, compression=compression, kind=kind, size=size, modified_us=modified_us, skip=skip)


def _head(entry: Input) -> tuple[bytes, bool]:
    """The first decompressed bytes, and whether the stream broke within them."""
    head, damaged = b"", False
    try:
        with opened(entry) as chunks:
            for chunk in chunks:
                head += chunk
                if len(head) >= HEAD_BYTES:
                    break
    except (codecs.Truncated, codecs.Corrupt, OSError):
        damaged = True
    return head[:HEAD_BYTES], damaged


@contextmanager
def opened(entry: Input, *, start_offset: int = 0) -> Iterator[Iterator[bytes]]:
    """The decompressed bytes of an input from `start_offset` on, as chunks of bounded size.

    Iterating raises codecs.Truncated or codecs.Corrupt behind the last readable byte.
    """
    with Path(entry.path).open("rb") as file:
        if entry.compression == "plain":
            file.seek(start_offset)
            yield codecs.plain(file)
        else:
            decoder = codecs.gunzip if entry.compression == "gzip" else codecs.unzstd
            yield _from(decoder(file), start_offset)


def _from(chunks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    for chunk in chunks:
        if offset >= len(chunk):
            offset -= len(chunk)
        else:
            yield chunk[offset:] if offset else chunk
            offset = 0


def blocks(
    entry: Input,
    *,
    block_bytes: int = 4 << 20,
    start_offset: int = 0,
    start_line: int = 1,
    max_line_bytes: int = 32 << 20,
) -> Iterator[Block | Reject]:
    """Whole lines of a text input, in file order, about `block_bytes` at a time.

    A line longer than `max_line_bytes` is skipped without being held; a line with a NUL byte is set aside. A damaged
    or cut compressed file gives what was readable and then a `Reject`; so does a last line that lacks its newline
    and is not whole JSON. A byte-order mark in front is no part of the first line.

    Memory: `max_line_bytes` + `block_bytes`, whatever the file.
    """
    held: list[bytes] = []
    held_bytes, offset, line = 0, start_offset, start_line
    skipping = 0  # bytes of an over-long line passed so far
    damage: Reject | None = None
    with opened(entry, start_offset=start_offset) as chunks:
        source = iter(chunks)
        while True:
            try:
                chunk = next(source, b"")
            except codecs.Truncated:
                chunk = b""
                damage = Reject(
                    line=None,
                    field=None,
                    reason="truncated",
                    detail=f"the {entry.compression} stream ends before its end mark; what came before it was read: "
                    "copy the file again",
                )
            except codecs.Corrupt as error:
                chunk = b""
                damage = Reject(
                    line=None,
                    field=None,
                    reason="corrupt",
                    detail=f"the {entry.compression} stream is damaged ({error}); what came before it was read: "
                    "copy the file again",
                )
            if not chunk:
                break
            if offset == 0 and not held and not skipping and chunk.startswith(b"\xef\xbb\xbf"):
                chunk, offset = chunk[3:], 3
            if skipping:
                end = chunk.find(b"\n")
                if end < 0:
                    skipping += len(chunk)
                    continue
                yield _too_long(line, max_line_bytes)
                offset, line, chunk = offset + skipping + end + 1, line + 1, chunk[end + 1 :]
                skipping = 0
            held.append(chunk)
            held_bytes += len(chunk)
            if held_bytes < block_bytes or (b"\n" not in chunk and held_bytes <= max_line_bytes):
                continue
            last = held.pop()
            cut = last.rfind(b"\n") + 1
            if not cut:  # its last line end lies further back
                held, last = [], b"".join([*held, last])
                cut = last.rfind(b"\n") + 1
            if cut:
                data = b"".join([*held, memoryview(last)[:cut]])
                parts = list(_checked(data, line, offset, max_line_bytes))
                yield from parts
                whole = parts[0] if len(parts) == 1 else None
                line += whole.line_ends if isinstance(whole, Block) and whole.line_ends > 0 else data.count(b"\n")
                offset += len(data)
                held = []
            held.append(last[cut:])
            held_bytes = sum(map(len, held))
            if held_bytes > max_line_bytes:
                skipping, held, held_bytes = held_bytes, [], 0
    if skipping:
        yield _too_long(line, max_line_bytes)
    else:
        yield from _tail(b"".join(held), line, offset, max_line_bytes)
    if damage is not None:
        yield damage


def _tail(data: bytes, line: int, offset: int, max_line_bytes: int) -> Iterator[Block | Reject]:
    cut = data.rfind(b"\n") + 1
    last = data[cut:]
    if last.strip() and len(last) <= max_line_bytes and b"\0" not in last:
        try:
            orjson.loads(last)
        except orjson.JSONDecodeError:
            if cut:
                yield from _checked(data[:cut], line, offset, max_line_bytes)
            yield Reject(
                line=line + data.count(b"\n"),
                field=None,
                reason="truncated",
                detail="the last line has no newline and is not whole JSON: wait until it is written, or copy it again",
            )
            return
    if data:
        yield from _checked(data, line, offset, max_line_bytes)


def _checked(data: bytes, line: int, offset: int, max_line_bytes: int) -> Iterator[Block | Reject]:
    """The block, without lines that hold NUL bytes or are too long; those become rejects in their place."""
    ends, nuls = count_bytes(np.frombuffer(data, np.uint8))
    if not nuls and len(data) <= max_line_bytes:
        yield Block(data=data, first_line=line, offset=offset, line_ends=ends)
        return
    start = begin = 0  # start of the running good stretch; begin of the line
    first = line
    while begin < len(data):
        end = data.find(b"\n", begin) + 1 or len(data)
        too_long, binary = end - begin > max_line_bytes + 1, data.find(b"\0", begin, end) >= 0
        if too_long or binary:
            if start < begin:
                yield Block(data=data[start:begin], first_line=first, offset=offset + start)
            yield (
                _too_long(line, max_line_bytes)
                if too_long
                else Reject(
                    line=line,
                    field=None,
                    reason="binary",
                    detail="the line holds NUL bytes, so it is no text: export the log as UTF-8",
                )
            )
            start, first = end, line + 1
        begin, line = end, line + 1
    if start < len(data):
        yield Block(data=data[start:], first_line=first, offset=offset + start)


def _too_long(line: int, limit: int) -> Reject:
    return Reject(
        line=line,
        field=None,
        reason="too_long",
        detail=f"the line is longer than {limit} bytes: raise ingest.max_line_bytes, or log no attachments",
    )
