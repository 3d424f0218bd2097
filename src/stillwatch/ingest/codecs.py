"""Decompression of gzip and Zstandard in bounded memory, which also tells a whole stream from a cut one.

The decoders of the libraries stop silently (zstandard) or throw away what they had (gzip) when a file is cut short.
Here what was readable comes out first, then `Truncated` or `Corrupt`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO, Any

import zstandard

_gzip: Any
try:  # three times the speed of zlib; the interface is the same
    from isal import isal_zlib

    _gzip = isal_zlib
except ImportError:  # pragma: no cover - depends on the machine
    _gzip = zlib

READ = 1 << 18  # bytes of compressed input at a time
PIECE = 1 << 20  # bytes of output at a time
MAX_WINDOW = 1 << 27  # `zstd` itself decodes no larger window unless told to (--long=27 is its limit)
BLOCKS = 16  # Zstandard blocks fed at once; one gives 128 KiB at most (RFC 8878 section 3.1.1.2)

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Truncated(Exception):
    """The compressed stream ends before its end mark."""


class Corrupt(Exception):
    """The compressed stream cannot be decoded further."""


def is_zstd(head: bytes) -> bool:
    """Whether the bytes begin a Zstandard or a skippable frame."""
    return head[:4] == ZSTD_MAGIC or (len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50)


def plain(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of an uncompressed file."""
    while chunk := file.read(PIECE):
        yield chunk


def gunzip(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of one or several gzip members; zero padding after a member is allowed.

    Raises:
        Truncated, Corrupt: after everything before the damage has been given out.
    """
    decoder: Any = None
    pending = b""
    while True:
        if not pending:
            pending = file.read(READ)
            if not pending:
                if decoder is not None:
                    raise Truncated
                return
        if decoder is None:
            pending = pending.lstrip(b"\0")
            if not pending:
                continue
            if len(pending) < 2:
                pending += file.read(READ)
            if pending[:2] != GZIP_MAGIC:
                raise Corrupt("bytes that are not gzip follow a gzip member")
            decoder = _gzip.decompressobj(wbits=31)
        try:
            out = decoder.decompress(pending, PIECE)
        except Exception as error:  # zlib.error and isal's own class, which is not derived from it
            raise Corrupt(str(error)) from None
        if out:
            yield out
        if decoder.eof:
            pending, decoder = decoder.unused_data, None
        else:
            pending = decoder.unconsumed_tail
            while not pending and len(out) == PIECE:  # output is held back inside the decoder
                try:
                    out = decoder.decompress(b"", PIECE)
                except Exception as error:
                    raise Corrupt(str(error)) from None
                if out:
                    yield out
                if decoder.eof:
                    pending, decoder = decoder.unused_data, None
                    break


class _Cursor:
    """Exact-length reads over a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes. Raises Truncated with fewer left."""
        data = self._file.read(size)
        if len(data) < size:
            raise Truncated
        return data

    def magic(self) -> bytes:
        """Four bytes, or none at the end of the file."""
        data = self._file.read(4)
        if data and len(data) < 4:
            raise Truncated
        return data


def unzstd(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of one or several Zstandard frames; skippable frames are skipped.

    The frames are walked block by block (RFC 8878 section 3.1.1), so that no more than `BLOCKS` blocks of output
    are ever held, and so that a cut is noticed.

    Raises:
        Truncated, Corrupt: after everything before the damage has been given out.
    """
    cursor = _Cursor(file)
    while magic := cursor.magic():
        if magic != ZSTD_MAGIC:
            if not is_zstd(magic):
                raise Corrupt("bytes that are not Zstandard follow a frame")
            size = int.from_bytes(cursor.take(4), "little")
            while size:
                size -= len(cursor.take(min(size, READ)))
            continue
        yield from _frame(cursor)


def _frame(cursor: _Cursor) -> Iterator[bytes]:
    decoder = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
    descriptor = cursor.take(1)
    flags = descriptor[0]
    single = flags >> 5 & 1
    rest = (0 if single else 1) + (0, 1, 2, 4)[flags & 3] + ((1 if single else 0), 2, 4, 8)[flags >> 6]
    held = [ZSTD_MAGIC, descriptor, cursor.take(rest)]
    blocks, last = 0, False
    while not last:
        try:
            header = cursor.take(3)
            word = int.from_bytes(header, "little")
            last, kind, size = bool(word & 1), word >> 1 & 3, word >> 3
            if kind == 3:
                raise Corrupt("reserved block type")
            body = cursor.take(1 if kind == 1 else size)
        except (Truncated, Corrupt):
            if out := _decode(decoder, held):
                yield out
            raise
        held += (header, body)
        blocks += 1
        if blocks == BLOCKS or last:
            if last and flags & 4:
                held.append(cursor.take(4))
            if out := _decode(decoder, held):
                yield out
            held, blocks = [], 0


def _decode(decoder: Any, held: list[bytes]) -> bytes:
    try:
        return decoder.decompress(b"".join(held))
    except zstandard.ZstdError as error:
        raise Corrupt(str(error)) from None
