"""Parts of one exchange that stand apart in the logs, put together in bounded memory.

Three kinds of parts wait here:
- `request` and `response` halves (pairs, batch files): joined as soon as both are there. Custom ids that repeat
  across batches are matched in the order in which they are read: read one batch's files together.
- OpenTelemetry spans without content, and log records: any number for one span, so they are joined at the end.
- Langfuse observations without a user, which need their trace (`context`).
A `Joiner` given to several reads joins across files. Beyond its limits the oldest parts are let go as they are: what
is useful alone becomes an exchange, the rest goes to quarantine as `unmatched`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stillwatch.ingest.settings import IngestSettings

_CONTEXTS = 1_000_000  # traces whose user is remembered


@dataclass(slots=True)
class Part:
    """A part, and where it was read."""

    values: dict[str, Any]
    path: str
    line: int
    offset: int  # where its record begins, in the terms of Batch.resume_offset
    size: int = 0


@dataclass(slots=True)
class _Waiting:
    sides: dict[str, list[Part]] = field(default_factory=dict)


class Joiner:
    """Parts that wait for others."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._waiting: OrderedDict[tuple[str, str], _Waiting] = OrderedDict()
        self._contexts: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self._count = self._bytes = 0

    def add(self, part: Part) -> Iterator[Part]:
        """Take a part with its `_join`; gives what is complete now, or had to make room."""
        key, side = part.values.pop("_join")
        if side == "context":
            yield from self._context(key, part)
        elif side == "needs context" and key in self._contexts:
            yield _merged([part], self._contexts[key])
        else:
            waiting = self._waiting.get(key)
            other = {"request": "response", "response": "request"}.get(side)
            if waiting is not None and other is not None and waiting.sides.get(other):
                partner = waiting.sides[other].pop(0)
                self._forget(partner)
                if not any(waiting.sides.values()):
                    del self._waiting[key]
                asked, answered = (part, partner) if side == "request" else (partner, part)
                whole = {**asked.values, **{k: v for k, v in answered.values.items() if v is not None}}
                if asked.values.get("model"):
                    whole["model"] = asked.values["model"]
                yield Part(whole, part.path, part.line, part.offset)
            else:
                self._waiting.setdefault(key, _Waiting()).sides.setdefault(side, []).append(part)
                self._count += 1
                self._bytes += part.size
        while self._count > self._settings.max_pending or self._bytes > self._settings.max_pending_bytes:
            _, oldest = self._waiting.popitem(last=False)
            yield from self._released(oldest)

    def flush(self) -> Iterator[Part]:
        """Everything that still waits, joined as far as it goes."""
        while self._waiting:
            _, oldest = self._waiting.popitem(last=False)
            yield from self._released(oldest)

    def earliest(self, path: str) -> tuple[int, int] | None:
        """(offset, line) of the first part of a file that still waits: reading must resume there."""
        places = [
            (part.offset, part.line)
            for waiting in self._waiting.values()
            for parts in waiting.sides.values()
            for part in parts
            if part.path == path
        ]
        return min(places, default=None)

    def __len__(self) -> int:
        return self._count

    def _context(self, key: tuple[str, str], part: Part) -> Iterator[Part]:
        about = {name: value for name, value in part.values.items() if value is not None and not name.startswith("_")}
        self._contexts[key] = about
        while len(self._contexts) > _CONTEXTS:
            self._contexts.popitem(last=False)
        waiting = self._waiting.pop(key, None)
        for held in waiting.sides.get("needs context", []) if waiting else ():
            self._forget(held)
            yield _merged([held], about)

    def _released(self, waiting: _Waiting) -> Iterator[Part]:
        for parts in waiting.sides.values():
            for part in parts:
                self._forget(part)
        spans, logs = waiting.sides.get("span", []), waiting.sides.get("log", [])
        if spans or logs:
            ordered = sorted(logs, key=lambda part: (_time(part), part.line))
            yield _merged([*spans[:1], *ordered], {})
            yield from spans[1:]
        for side in ("request", "response", "needs context"):
            yield from waiting.sides.get(side, [])

    def _forget(self, part: Part) -> None:
        self._count -= 1
        self._bytes -= part.size


def _time(part: Part) -> int:
    at = part.values.get("at")
    return at if isinstance(at, int) else 0


def _merged(parts: list[Part], about: dict[str, Any]) -> Part:
    """One part: the first value of each column wins; messages follow each other, choices add up."""
    head = parts[0]
    out = dict(head.values)
    for part in parts[1:]:
        for name, value in part.values.items():
            if name == "messages" and value:
                out[name] = [*(out.get(name) or []), *value]
            elif name == "choices" and value is not None:
                out[name] = (out.get(name) or 0) + value
            elif name == "_source":
                out[name] = {**value, **out.get(name, {})}
            elif out.get(name) is None:
                out[name] = value
    for name, value in about.items():
        if out.get(name) is None:
            out[name] = value
    return Part(out, head.path, head.line, head.offset)
