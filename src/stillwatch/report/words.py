"""Numbers, times and verdicts in words a reader takes in at a glance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context

VERDICT_WORDS = {
    "distilling": "distilling",
    "reseller": "reseller",
    "watch": "watch",
    "not_observable": "not observable",
    "clear": "clear",
}
VERDICT_MEANS = {
    "distilling": "the traffic looks gathered to train another model",
    "reseller": "the account looks run for others who pay someone else",
    "watch": "something is unusual, but it is not enough to say what",
    "not_observable": "the log holds too little to judge",
    "clear": "nothing that stands out from ordinary traffic",
}
KIND_MEANS = {
    "direct": "from accounts of its own",
    "routed": "through a router or aggregator that also serves others",
    "resold": "through accounts that look resold",
    "hydra": "spread thinly over many accounts",
}
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
# Ties are rounded as the page's script rounds them, so that one figure never reads in two ways.
_HALVES_UP_3 = Context(prec=3, rounding=ROUND_HALF_UP)
_HALVES_UP_2 = Context(prec=2, rounding=ROUND_HALF_UP)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def count(n: int | None) -> str:
    """An exact count with thousands separators: "12,345"; a dash for None."""
    return "–" if n is None else f"{n:,}"


def plural(n: int, one: str, many: str = "") -> str:
    """The count and its noun: "1 account", "1,200 accounts"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def compact(n: float | None) -> str:
    """A size in three digits: "912", "4.1 thousand", "38.2 million"; a dash for None."""
    if n is None or math.isnan(n):
        return "–"
    for scale, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e4, "thousand")):
        if abs(n) >= scale:
            return f"{_three(n / (1e3 if word == 'thousand' else scale))} {word}"
    return f"{n:,.0f}" if float(n).is_integer() or abs(n) >= 100 else _three(n)


def number(x: float | None) -> str:
    """A measured value in three digits; a dash for None."""
    if x is None or math.isnan(x):
        return "–"
    if math.isinf(x):
        return "∞" if x > 0 else "-∞"
    if x == 0 or 1e-3 <= abs(x) < 1e5:
        return f"{x:,.0f}" if abs(x) >= 1000 else _three(x)
    return _power(x)


def reading(value: float | None, unit: str) -> str:
    """A signal's value with its unit; a share of one is written in percent."""
    if value is not None and unit.startswith("share") and 0 <= value <= 1:
        return percent(value)
    short = unit.partition(",")[0].partition("(")[0].strip()
    return f"{number(value)} {short}".strip() if value is not None and len(short) <= 30 else number(value)


def percent(p: float | None) -> str:
    """A share or probability. Never rounds up to certainty: 0.9999 is "over 99.9 %"."""
    if p is None or math.isnan(p):
        return "–"
    if 0.999 < p < 1:
        return "over 99.9 %"
    if 0 < p < 0.001:
        return "under 0.1 %"
    return f"{_three(100 * p)} %"


def e_value(e: float | None) -> str:
    """An e-value in three digits or as a power of ten; a dash for None."""
    if e is None or math.isnan(e):
        return "–"
    if e >= 1e300:
        return "over 10³⁰⁰"
    return compact(e) if 1e-3 <= e < 1e6 else "0" if e == 0 else _power(e)


def moment(iso: str | None) -> datetime | None:
    """The time an ISO 8601 string names, in UTC; None for None and for what is no time."""
    if not iso:
        return None
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def when(iso: str | None, *, clock: bool = True) -> str:
    """A time as "2 Mar 2026, 14:05"; what is no time comes back as it is; a dash for None."""
    at = moment(iso)
    if at is None:
        return iso or "–"
    day = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
    return f"{day}, {at:%H:%M}" if clock else day


def span(first: str | None, last: str | None) -> str:
    """From when to when, the day written once where it can be."""
    a, b = moment(first), moment(last)
    if a is None or b is None:
        return when(first) if first == last or last is None else f"{when(first)} to {when(last)}"
    if a.date() == b.date():
        return f"{when(first, clock=False)}, {a:%H:%M} to {b:%H:%M}"
    return f"{when(first, clock=False)} to {when(last, clock=False)}"


def duration(seconds: float) -> str:
    """A length of time in its largest fitting unit: "40 s", "hour", "3 hours", "12 days"."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            n = round(seconds / size)
            return unit if n == 1 else f"{n} {unit}s"
    return f"{seconds:.0f} s"


def listed(items: Sequence[str], most: int = 4) -> str:
    """Items as running text: "a, b and c"; beyond `most`, "a, b, c and 9 more"."""
    if len(items) > most + 1:
        return f"{', '.join(items[:most])} and {len(items) - most:,} more"
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def _three(x: float) -> str:
    return f"{float(_HALVES_UP_3.create_decimal(x)):.3g}"


def _power(x: float) -> str:
    mantissa, exponent = f"{float(_HALVES_UP_2.create_decimal(x)):.1e}".split("e")
    return f"{mantissa.removesuffix('.0')} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"
