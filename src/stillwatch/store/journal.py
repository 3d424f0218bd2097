"""Journals: what is known of each input, one JSON line for every part that is complete.

A line counts once it is on disk with its newline; the files it names were on disk before. Everything else follows:
a kill at any moment leaves whole parts that count, and leftovers that no line names.
"""

from __future__ import annotations

import copy
import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from stillwatch.errors import InputError, Interrupted, Place, UsageError

_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


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
    tail_digest: str = ""  # of its last bytes: enough to see that a longer file begins with it
    complete: bool = False
    held: bool = False  # records wait for their other half: after a kill the input is read again from `before`
    offset: int = 0  # where reading goes on: bytes of the decompressed stream, or rows
    line: int = 1
    parts: int = 0
    records: int = 0
    kept: int = 0
    rejected: int = 0
    format: str = ""
    first_at: int | None = None
    last_at: int | None = None
    reasons: dict[str, int] = field(default_factory=dict)  # of quarantine -> records
    files: list[str] = field(default_factory=list)
    before: InputState | None = None  # as it was when last read to its end; not in the journal

    def apply(self, line: dict[str, Any]) -> None:
        """Take in one line of the journal after the first."""
        if line.get("taken_back"):
            self.take_back()
            return
        self.files.extend(line.get("files", ()))
        for name, value in line.items():
            if name != "files":
                setattr(self, name, value)
        if self.complete:
            self.remember()

    def remember(self) -> None:
        """Keep the state as the one to go back to."""
        self.before = None
        self.before = copy.deepcopy(self)

    def take_back(self) -> None:
        """Forget the parts since the input was last read to its end; their names are not used again."""
        parts, before = self.parts, self.before
        assert before is not None
        for name in self.__slots__:
            if name != "before":
                setattr(self, name, copy.copy(getattr(before, name)))
        self.parts = parts


def read_journal(path: Path) -> InputState | None:
    """The state that a journal tells; None if not even its first line is whole.

    Raises:
        InputError: a whole line that is not one of ours.
    """
    state: InputState | None = None
    for number, line in _whole_lines(path):
        try:
            if state is None:
                state = InputState(**line)
                state.remember()
            else:
                state.apply(line)
        except (TypeError, AttributeError) as err:
            raise InputError(
                f"the journal holds a line that is none of ours ({type(err).__name__})",
                at=Place(path=str(path), line=number),
                fix="restore the file from a backup, or scan the logs again into a new folder",
            ) from None
    return state


def append(path: Path, line: dict[str, Any]) -> None:
    """Add a line and wait until it is on disk. A torn line before it is closed first."""
    data = json.dumps(line).encode() + b"\n"
    with saving(path), path.open("a+b") as handle:
        size = handle.seek(0, os.SEEK_END)
        if size:
            handle.seek(size - 1)
            if handle.read(1) != b"\n":
                data = b"\n" + data
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _whole_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:  # torn by a kill; what it would have committed is written again
                continue


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Turn what can go wrong with a disk into an error that says what to do."""
    try:
        yield
    except OSError as err:
        why = os.strerror(err.errno) if err.errno else str(err)
        at = Place(path=str(path))
        if err.errno in _FORBIDDEN:
            raise UsageError(
                f"the file cannot be written: {why}",
                at=at,
                fix="change its permissions, or give another --store or --report",
            ) from err
        raise Interrupted(
            f"writing stopped: {why}",
            at=at,
            fix=f"free space under `{path.parent}` and run the same command again: it goes on where it stopped",
        ) from err
