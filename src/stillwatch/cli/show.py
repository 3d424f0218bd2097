"""What a command prints: results on stdout, progress and errors on stderr. Data from logs is hostile text."""

from __future__ import annotations

import contextlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from stillwatch.errors import StillwatchError
from stillwatch.progress import Progress, Watcher

# Characters that steer a terminal or hide what is shown: C0 and C1 controls, DEL, soft hyphen, bidi marks and
# overrides, zero-width characters, line and paragraph separators, lone surrogates, byte order mark, tag characters.
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)


class Result(Protocol):
    """What a library call hands back for printing."""

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""

    def text(self) -> str:
        """The same for people, plain lines."""


def safe(text: object, limit: int = 200) -> str:
    r"""`text` for one line of a terminal: steering characters as \xNN or \uNNNN, cut after `limit` characters."""
    raw = str(text)
    kept = _STEERING.sub(_escaped, raw[:limit])
    return kept + "…" if len(raw) > limit else kept


def safe_lines(text: str) -> str:
    """`text` for a terminal, line feeds kept, each line safe."""
    return "\n".join(safe(line, 100_000) for line in text.split("\n"))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def as_json(value: Any) -> str:
    """One line of JSON in ASCII; what JSON cannot say (NaN, infinity) becomes null."""
    return json.dumps(plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def plain(value: Any) -> Any:
    """`value` as JSON types: bytes as hex, NaN and infinity as null, anything else unknown as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return str(value)


def result(value: Result, *, json: bool, quiet: bool) -> None:
    """Print a result: one JSON object, or text, or nothing."""
    if json:
        print(as_json(value.as_dict()))
    elif not quiet:
        print(safe_lines(value.text()))


def error(err: StillwatchError, *, as_json: bool) -> None:
    """Print an error on stderr."""
    if as_json:
        at = None if err.at is None else {"path": err.at.path, "line": err.at.line, "field": err.at.field}
        body = {"kind": type(err).__name__, "message": err.message, "at": at, "fix": err.fix}
        print(json.dumps({"error": {**body, "exit_code": err.exit_code}}), file=sys.stderr)
    else:
        print(safe_lines(str(err)), file=sys.stderr)


@contextlib.contextmanager
def progress(*, quiet: bool) -> Iterator[Watcher]:
    """A watcher that draws bars on stderr if that is a terminal, and does nothing otherwise."""
    if quiet or not sys.stderr.isatty():
        yield lambda note: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _drawing(bars, escape)


def _drawing(bars: Any, escape: Callable[[str], str]) -> Watcher:
    tasks: dict[str, Any] = {}

    def watch(note: Progress) -> None:
        if note.stage not in tasks:
            tasks[note.stage] = bars.add_task(escape(safe(note.stage, 20)), total=note.total, amount="", detail="")
        bars.update(
            tasks[note.stage],
            completed=note.done,
            total=note.total,
            amount=_amount(note),
            detail=escape(safe(note.detail, 40)),
        )

    return watch


def _amount(note: Progress) -> str:
    if note.unit == "bytes":
        done = f"{note.done / 1e6:,.0f}"
        return f"{done} MB" if note.total is None else f"{done}/{note.total / 1e6:,.0f} MB"
    return f"{note.done:,.0f} {note.unit}" if note.total is None else f"{note.done:,.0f}/{note.total:,.0f} {note.unit}"
