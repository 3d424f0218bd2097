"""SQL that signals compile to, kept in the user's cache folder.

Ibis takes a second to load and to compile all signals. What it makes depends on nothing but code, so a start that finds
the statements of this very code needs no Ibis. The file is named by the digest of every source file of this package and
of the modules of signals that others have registered; it is read only if nobody else could have written it.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from stillwatch.signals.registry import ALL
from stillwatch.sketch.cues.own_files import read_own, user_cache_dir, write_atomically

_PACKAGE = Path(__file__).parent.parent


class Statements:
    """Statements by name; what is missing is made."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        data = read_own(path) if path is not None else None
        self._held: dict[str, str] = {} if data is None else _read(data)
        self._new = False

    def get(self, name: str, make: Callable[[], str]) -> str:
        """The statement of a name."""
        if name not in self._held:
            self._held[name] = make()
            self._new = True
        return self._held[name]

    def save(self) -> None:
        """Keep what was made, for the next process."""
        if self._new and self._path is not None:
            data = json.dumps(self._held).encode()
            write_atomically(self._path, hashlib.blake2b(data).hexdigest().encode() + data)
            self._new = False


@cache
def statements() -> Statements:
    """The statements of this process."""
    folder = user_cache_dir()
    return Statements(None if folder is None else folder / f"statements-{_digest()}.json")


def _digest() -> str:
    digest = hashlib.blake2b(f"{version('ibis-framework')}\0{version('sqlglot')}".encode(), digest_size=8)
    files = {*_PACKAGE.rglob("*.py"), *(Path(inspect.getfile(s.measure)) for s in ALL.values())}
    for file in sorted(files):
        digest.update(f"\0{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _read(data: bytes) -> dict[str, str]:
    seal, text = data[:128], data[128:]
    if hashlib.blake2b(text).hexdigest().encode() != seal:
        return {}
    held: dict[str, str] = json.loads(text)
    return held
