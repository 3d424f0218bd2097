"""The error tree and its exit codes.

    StillwatchError            base; never raised itself
    |- UsageError        2     the command line or the settings are wrong
    |- InputError        3     the input is wrong, and the run cannot go on
    |- ComponentError    4     something that must be installed is missing
    '- Interrupted       5     stopped half-way; the same command goes on from there

A bad *record* is not an error: it goes to quarantine as a `Reject` and the run goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the input something is: file, 1-based line (or row), field."""

    path: str
    line: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        field = "" if self.field is None else f" field `{self.field}`"
        return f"{self.path}{line}{field}"


class StillwatchError(Exception):
    """An error that a user can act on: what is wrong, where, and the fix."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, fix: str, at: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.at = at

    def __str__(self) -> str:
        place = "" if self.at is None else f"\n --> {self.at}"
        return f"error: {self.message}{place}\n fix: {self.fix}"


class UsageError(StillwatchError):
    """The command line or the settings are wrong."""

    exit_code = 2


class InputError(StillwatchError):
    """The input is wrong, and the run cannot go on."""

    exit_code = 3


class ComponentError(StillwatchError):
    """A component that the command needs is not installed or does not work."""

    exit_code = 4


class Interrupted(StillwatchError):
    """The run was stopped half-way (Ctrl-C, full disk); running it again goes on from there."""

    exit_code = 5
