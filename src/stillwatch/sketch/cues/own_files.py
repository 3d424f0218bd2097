"""Compiled databases and tables that are kept between runs, in files that nobody else can have written."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def user_cache_dir() -> Path | None:
    """Return where compiled databases are kept between runs; None if there is no home folder."""
    root = os.environ.get("STILLWATCH_CACHE") or os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(root) / "stillwatch" if root else Path.home() / ".cache" / "stillwatch"
    except RuntimeError:
        return None


def read_own(path: Path) -> bytes | None:
    """Return the file's bytes, if it is ours alone to write; what others could have written is not loaded."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            ours = not hasattr(os, "getuid") or status.st_uid == os.getuid()
            if not ours or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
            return file.read()
    except OSError:
        return None


def write_atomically(path: Path, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the cache is a convenience: a read-only home must not stop a scan
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".cues-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
            raise
