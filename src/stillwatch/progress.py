"""How far a long step has come: what the pipeline tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One note about one stage. Notes of a stage come in order; `done` never falls."""

    stage: str  # what is being done, a few words: "read", "sketch", "link"
    done: float  # in `unit`
    total: float | None = None  # null: not known
    unit: str = "bytes"  # bytes | exchanges | accounts | steps
    detail: str = ""  # what is being worked on, for example a file name; shown escaped


def ignore(note: Progress) -> None:
    """Watch nothing."""


Watcher = Callable[[Progress], None]
