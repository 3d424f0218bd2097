"""Is this file, or the beginning of it, in the store already?

Told by content: digests of a file's head, of the end of what was read, and of the whole. XXH3 (128 bits) is as fast
as the disk; it tells files apart, and proves nothing to anybody.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Final, NamedTuple

import xxhash

from stillwatch.ingest.files import Input
from stillwatch.store.journal import InputState

HEAD_BYTES: Final = 4096
TAIL_BYTES: Final = 65_536
_CHUNK: Final = 1 << 20
_APPENDED: Final = ("lines", "csv")  # kinds of file whose old content stays where it is when they grow


class Recognised(NamedTuple):
    """Which state an input goes on from; or, if there is nothing to read, why."""

    state: InputState | None
    skipped: str = ""
    new: bool = False  # the journal is yet to be opened


class Known:
    """Inputs that the store knows, and those that this run has read, found by how they begin."""

    def __init__(self, states: Iterable[InputState]) -> None:
        self._by_head: dict[tuple[int, str], list[InputState]] = {}
        self._this_run: dict[str, tuple[Input, InputState]] = {}
        self._count = 0
        for state in states:
            self.add(state)

    def add(self, state: InputState) -> None:
        """Take in a state of the store."""
        self._by_head.setdefault((state.head_bytes, state.head_digest), []).append(state)
        self._count += 1

    def note(self, entry: Input, state: InputState) -> None:
        """An input was read in this run; a copy of it need not be."""
        self._this_run[state.input_id] = (entry, state)

    def recognise(self, entry: Input) -> Recognised:
        """Where to read an input on.

        A file may have grown, been renamed and grown (log rotation), been copied, or been replaced by another one
        under its old name. Only whole reads are compared with other names; an unfinished one belongs to its path.

        Raises:
            OSError: the file cannot be read.
        """
        path, appendable = shown(os.path.realpath(entry.path)), entry.kind in _APPENDED
        modified_ns = os.stat(entry.path).st_mtime_ns
        grown: list[InputState] = []
        for state in self._alike(entry):
            if state.input_id in self._this_run:
                other = self._this_run[state.input_id][0]
                if other.size == entry.size and digest(other.path) == digest(entry.path):
                    return Recognised(None, f"the same content as `{state.path}`")
            elif state.path == path and not state.complete:
                if entry.kind != "lines" or entry.compression != "plain" or entry.size >= state.offset:
                    return Recognised(state)
            elif state.complete and state.size == entry.size:
                here = state.path == path
                if (here and state.mtime_ns == modified_ns) or (state.size and state.digest == digest(entry.path)):
                    return Recognised(None, "already in the store" if here else _twin(state))
            elif state.complete and state.size < entry.size and appendable and _goes_on(entry, state, path):
                grown.append(state)
        if not grown:
            return Recognised(self._new(entry, path), new=True)
        furthest = max(grown, key=lambda s: (s.size, s.path == path))
        if furthest.path == path:
            return Recognised(furthest)
        return Recognised(self._new(entry, path, offset=furthest.offset, line=furthest.line), new=True)

    def _alike(self, entry: Input) -> list[InputState]:
        """States of files that began like this one, in the order in which they were added."""
        with open(entry.path, "rb") as file:
            head = file.read(HEAD_BYTES)
        sizes = {size for size, _ in self._by_head if size <= len(head)}
        return [s for n in sorted(sizes) for s in self._by_head.get((n, xxhash.xxh3_128_hexdigest(head[:n])), ())]

    def _new(self, entry: Input, path: str, *, offset: int = 0, line: int = 1) -> InputState:
        head_bytes = min(HEAD_BYTES, entry.size)
        head = digest(entry.path, size=head_bytes)
        name = hashlib.blake2b(f"{path}\0{head}\0{self._count}".encode(), digest_size=8).hexdigest()
        return InputState(input_id=name, path=path, head_bytes=head_bytes, head_digest=head, offset=offset, line=line)


def _twin(state: InputState) -> str:
    return f"the same content as `{state.path}`, already in the store"


def digest(path: str, *, first: int = 0, size: int | None = None) -> str:
    """Digest of `size` bytes of a file from byte `first` on; of all of it if `size` is None."""
    total = xxhash.xxh3_128()
    buffer = memoryview(bytearray(_CHUNK))
    with open(path, "rb", buffering=0) as file:
        file.seek(first)
        left = size
        while got := file.readinto(buffer if left is None else buffer[: min(left, _CHUNK)]):
            total.update(buffer[:got])
            left = None if left is None else left - got
    return total.hexdigest()


def tail(path: str, size: int) -> str:
    """Digest of the last bytes before byte `size`."""
    first = max(size - TAIL_BYTES, 0)
    return digest(path, first=first, size=size - first)


def shown(path: str) -> str:
    """A path as text: bytes that are no UTF-8 as \\xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _goes_on(entry: Input, state: InputState, path: str) -> bool:
    if tail(entry.path, state.size) != state.tail_digest:
        return False
    return state.path == path or bool(state.size and digest(entry.path, size=state.size) == state.digest)
