"""What every log format shares: its description, bad records, and careful reading of values.

Gateway-written values (times, counts, ids) are passed on as they stand when they make no sense, so that cleaning can
name them. Values that the *client* wrote (temperature, max_tokens, ...) become null instead: nobody may drop out of
sight by sending `"temperature": "hot"`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

Exchanges = Callable[[Mapping[str, Any]], Iterator[dict[str, Any]]]


class BadRecord(Exception):
    """A record that its format cannot turn into exchanges."""

    def __init__(self, field: str | None, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.reason = reason
        self.detail = detail


SHAPE_ERRORS = (TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError, OverflowError)


def guarded(build: Callable[[], Iterator[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Exchanges of one part of a record; if the part is bad, `_bad` says so and the other parts stay."""
    try:
        yield from build()
    except BadRecord as bad:
        yield {"_bad": bad}
    except SHAPE_ERRORS as error:
        detail = f"a part of the record has an unknown shape ({type(error).__name__}): check the exporter's version"
        yield {"_bad": BadRecord(None, "malformed", detail)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One log format.

    `exchanges` gives dicts keyed by tables.EXCHANGE. Further keys steer reading: `_join` = (key, side) marks a part
    that waits for others (see joins.py), `_source` is the mapping in which a fall-back field is looked up, `_skipped`
    counts things in the record that are no exchange, `_bad` is a BadRecord for a part of it.
    """

    name: str
    title: str
    docs: str  # what to switch on in the gateway to get more fields
    provides: tuple[str, ...]  # columns of tables.EXCHANGE that it can carry
    detect: Callable[[Mapping[str, Any]], bool]
    exchanges: Exchanges


def names(words: str) -> tuple[str, ...]:
    """The column names in a line of text."""
    return tuple(words.split())


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` as an object: itself, parsed if it is JSON text, or {}."""
    value = unjson(value, "{")
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """`value` as a list: itself, parsed if it is JSON text, or []."""
    value = unjson(value, "[")
    return list(value) if isinstance(value, list | tuple) else []


def unjson(value: Any, begins: str = "{[") -> Any:
    """JSON text parsed; anything else, also text that only looks like JSON, as it stands."""
    if isinstance(value, str) and value.lstrip()[:1] in tuple(begins):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def dump(value: Any) -> str | None:
    """Compact JSON text of `value`; null for nothing. What nests too deeply for JSON is only named as such."""
    if value is None or value == [] or value == {}:
        return None
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        return '{"unreadable":"nested too deeply"}'


def first(*values: Any) -> Any:
    """The first value that is not null, empty text or an empty container."""
    for value in values:
        if value is not None and value != "" and value != {} and value != []:
            return value
    return None


def text(value: Any) -> str | None:
    """`value` as text if it is text or a number, else null. For values that clients write."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def number(value: Any) -> float | None:
    """`value` as a finite float, else null. For values that clients write."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if value - value == 0 else None


def integer(value: Any) -> int | None:
    """`value` as an int of 64 bits, else null. For values that clients write."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**63 else None
    real = number(value)
    return int(real) if real is not None and real == int(real) and abs(real) < 2**63 else None


def flag(value: Any) -> bool | None:
    """`value` as a truth value, else null. For values that clients write."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
        return value.lower() in ("true", "1")
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


def count(value: Any) -> Any:
    """A gateway's count: numbers written as text or as 12.0 are understood, all else is left for cleaning to name."""
    if value is None or value == "":
        return None
    understood = integer(value)
    return value if understood is None else understood


def total(*values: Any) -> Any:
    """Sum of the counts that are there; null if none is."""
    there = [count(value) for value in values if value not in (None, "")]
    if not there:
        return None
    return sum(there) if all(isinstance(value, int) for value in there) else there[0]


# Numbers without a unit: seconds reach 1e11 in the year 5138, milliseconds in 1973, and so on upwards.
_UNITS = ((1e11, 1_000_000.0), (1e14, 1_000.0), (1e17, 1.0))


def time_us(value: Any, field: str) -> int | None:
    """Microseconds since 1970 in UTC of a number (unit told by its size), ISO 8601 text or datetime; null for null.

    Text without a zone is UTC: ClickHouse and PostgreSQL exports write it so.

    Raises:
        BadRecord: anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        stripped = value.strip()
        try:
            value = float(stripped) if "." in stripped or len(stripped) < 16 else int(stripped)
        except ValueError:
            return _iso_us(stripped, field)
    if isinstance(value, bool):
        raise BadRecord(field, "type", f"`{field}` is a truth value, not a time: write ISO 8601 or epoch seconds")
    if isinstance(value, int | float):
        return _epoch_us(value, field)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return _since_1970(aware)
    if isinstance(value, date):
        return _since_1970(datetime(value.year, value.month, value.day, tzinfo=UTC))
    raise BadRecord(
        field, "type", f"`{field}` is a {type(value).__name__}, not a time: write ISO 8601 or epoch seconds"
    )


def _epoch_us(value: float, field: str) -> int:
    size = abs(value)
    if not size < 1e20:
        raise BadRecord(field, "clock", f"`{field}` is no time that a clock can show: write ISO 8601 or epoch seconds")
    for below, factor in _UNITS:
        if size < below:
            return round(value * factor)
    return int(value) // 1000


def _iso_us(value: str, field: str) -> int:
    plain = value.removesuffix(" UTC").removesuffix(" +0000 UTC")
    try:
        parsed = datetime.fromisoformat(plain)
        return _since_1970(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise BadRecord(
            field, "type", f"`{field}` cannot be read as a time: write ISO 8601 (2026-03-02T10:11:12Z) or epoch seconds"
        ) from None


def _since_1970(value: datetime) -> int:
    gap = value - datetime(1970, 1, 1, tzinfo=UTC)
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds
