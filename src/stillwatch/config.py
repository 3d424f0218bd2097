"""Settings: what a run was told, from `stillwatch.toml`, the environment and the command line, in that order.

Later sources win. The environment name of a key is `STILLWATCH_` and the key in capitals, as in `STILLWATCH_STORE`.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stillwatch.errors import InputError, Place, UsageError

FILE = "stillwatch.toml"
ENGINES = ("duckdb",)
POLICIES = ("keep", "hash", "drop")
# The four columns that an exchange cannot do without; a time that is hashed is no time.
_NEVER_DROPPED = ("exchange_id", "account_id", "model")
_ALWAYS_KEPT = ("at", "line")


def cores() -> int:
    """Cores that this process may use, at least 1 (a container often has fewer than the machine)."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def _key(means: str, **default: Any) -> Any:
    return field(metadata={"means": means}, **default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run depends on beside its input. Checked when made; a wrong value is a `UsageError`."""

    store: Path = _key("folder of the store", default=Path("stillwatch-store"))
    format: str = _key("log format, or `auto` to tell it from the content", default="auto")
    mapping: Path | None = _key("TOML file that says which field of a home-made log is which column", default=None)
    accounts: str | None = _key("table of accounts: JSONL, CSV, Parquet or a SQL query", default=None)
    no_text: bool = _key("keep keyed hashes and measures only, not a word of text", default=False)
    policy: Mapping[str, str] = _key(
        "what to do with single columns: `keep`, `hash` or `drop`", default_factory=lambda: MappingProxyType({})
    )
    until_us: int | None = _key("read exchanges before this moment only (key `until`; microseconds UTC)", default=None)
    engine: str = _key("engine for the relational steps", default="duckdb")
    workers: int = _key("threads that read and sketch; default: the cores of this machine", default_factory=cores)
    max_bad: float | int = _key(
        "records that may be quarantined before the run fails: a count, or a share such as `0.01`", default=0.01
    )
    calibration: Path | None = _key("calibration file; default: the one that comes with Stillwatch", default=None)
    account_from: str | None = _key(
        "account of a record whose log names none: `field:dotted.path` or `literal:text`", default=None
    )
    report: Path | None = _key("HTML report to write; default: `report.html` in the store", default=None)
    now_us: int = _key("the clock of the run, microseconds UTC; not a key of the file", default=0)

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise UsageError(f"`engine` is `{self.engine}`, which is not an engine", fix=_nearest(self.engine, ENGINES))
        if self.workers < 1:
            raise UsageError(f"`workers` is {self.workers}", fix="give 1 or more, or leave it out to use every core")
        share = isinstance(self.max_bad, float)
        if not math.isfinite(self.max_bad) or self.max_bad < 0 or (share and self.max_bad > 1):
            raise UsageError(
                f"`max_bad` is {self.max_bad}, which is neither a share nor a count",
                fix="give a share from 0.0 to 1.0 (or 5%), or a whole number of records such as 100",
            )
        _check_policy(self.policy)
        object.__setattr__(self, "policy", MappingProxyType(dict(self.policy)))

    @property
    def report_path(self) -> Path:
        """Where the report goes."""
        return self.report if self.report is not None else self.store / "report.html"

    @classmethod
    def load(cls, environ: Mapping[str, str], path: Path | None = None, *, now_us: int) -> Settings:
        """Settings of a file and the environment.

        Args:
            environ: environment variables.
            path:    the settings file. None: the one that STILLWATCH_CONFIG names, else `stillwatch.toml` in the
                     current folder if there is one.
            now_us:  the time now, microseconds UTC.
        Raises:
            InputError: the file cannot be read or is not TOML.
            UsageError: an unknown key or a wrong value; names file, line, and the nearest known key.
        """
        values: dict[str, Any] = {}
        named = path if path is not None else _path(environ.get("STILLWATCH_CONFIG"))
        file = named if named is not None else Path(FILE)
        if named is not None or file.is_file():
            values |= _read(file)
        for key, parse in PARSERS.items():
            name = f"STILLWATCH_{key.upper()}"
            if environ.get(name):
                values[_field(key)] = _parsed(key, parse, environ[name], Place(path="environment", field=name))
        try:
            return cls(**values, now_us=now_us)
        except UsageError as err:
            at = Place(path=str(file)) if file.is_file() else None
            raise UsageError(err.message, fix=err.fix, at=err.at or at) from None

    def replace(self, **options: Any) -> Settings:
        """These settings with other values; an option that is None changes nothing."""
        return dataclasses.replace(self, **{k: v for k, v in options.items() if v is not None})

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form, for a run's manifest."""
        out: dict[str, Any] = {}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            out[f.name] = str(value) if isinstance(value, Path) else dict(value) if f.name == "policy" else value
        return out


def parse_time(text: str) -> int:
    """Microseconds UTC of an ISO 8601 date or time, or of seconds since 1970. No zone means UTC.

    Raises:
        ValueError: it is neither.
    """
    text = text.strip()
    if re.fullmatch(r"-?\d{9,11}(\.\d{1,6})?", text):
        seconds, _, fraction = text.partition(".")
        return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0") or 0) * (-1 if text.startswith("-") else 1)
    moment = datetime.fromisoformat(text)
    return _us(moment)


def parse_max_bad(text: str) -> float | int:
    """Share (`0.01`, `1%`) or count (`100`) of records that may be bad.

    Raises:
        ValueError: it is neither.
    """
    text = text.strip()
    if text.endswith("%"):
        return float(text[:-1]) / 100
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)


def _us(moment: datetime) -> int:
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    gap = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def _path(value: Any) -> Path | None:
    return Path(_text(value)).expanduser() if value else None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text in quotes")
    return value


def _flag(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("1", "true", "yes", "0", "false", "no"):
        return value.lower() in ("1", "true", "yes")
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise ValueError("a whole number")
    return int(value)


def _bad(value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("a share such as 0.01 or a count such as 100")
    try:
        return parse_max_bad(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("a share such as 0.01 or a count such as 100") from None


def _moment(value: Any) -> int:
    if isinstance(value, datetime):
        return _us(value)
    if isinstance(value, date):
        return _us(datetime(value.year, value.month, value.day))
    try:
        return parse_time(_text(value))
    except ValueError:
        raise ValueError("a time such as 2026-03-02T00:00:00Z") from None


def _policy(value: Any) -> Mapping[str, str]:
    if isinstance(value, str):  # from the environment: ip=hash,user_agent=drop
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        value = {name.strip(): what.strip() for name, _, what in pairs}
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError('a table such as [policy] with lines like ip = "hash"')
    return value


PARSERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "store": _path,
        "format": _text,
        "mapping": _path,
        "accounts": _text,
        "no_text": _flag,
        "policy": _policy,
        "until": _moment,
        "engine": _text,
        "workers": _whole,
        "max_bad": _bad,
        "calibration": _path,
        "account_from": _text,
        "report": _path,
    }
)


def _field(key: str) -> str:
    return "until_us" if key == "until" else key


def _read(file: Path) -> dict[str, Any]:
    """Fields of a settings file. Every problem of the file is reported at once."""
    try:
        text = file.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except OSError as err:
        raise InputError(
            f"the settings file cannot be read: {err.strerror}",
            at=Place(path=str(file)),
            fix="check the path and its permissions, or leave --config out",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise InputError(
            f"the settings file is not TOML: {err}",
            at=Place(path=str(file)),
            fix='write one key a line, as in store = "stillwatch-store"',
        ) from None
    values: dict[str, Any] = {}
    problems: list[UsageError] = []
    for key, value in raw.items():
        at = Place(path=str(file), line=_line(text, key), field=key)
        try:
            if key not in PARSERS:
                raise UsageError(f"`{key}` is not a setting", at=at, fix=_nearest(key, PARSERS))
            values[_field(key)] = _parsed(key, PARSERS[key], value, at)
        except UsageError as err:
            problems.append(err)
    if problems:
        first, more = problems[0], problems[1:]
        also = "".join(f"; also `{p.at.field if p.at else '?'}`: {p.message}, {p.fix}" for p in more)
        raise UsageError(first.message, at=first.at, fix=first.fix + also)
    return values


def _parsed(key: str, parse: Callable[[Any], Any], value: Any, at: Place) -> Any:
    try:
        return parse(value)
    except (ValueError, OverflowError) as err:
        raise UsageError(f"`{key}` has a wrong value", at=at, fix=f"`{key}` is {err}") from None


def _line(text: str, key: str) -> int | None:
    found = re.search(rf"^[ \t]*(?:\[+[ \t]*)?[\"']?{re.escape(key)}[\"']?[ \t]*[.=\]]", text, re.MULTILINE)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def _nearest(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"known are {', '.join(f'`{n}`' for n in names)}"


def _check_policy(policy: Mapping[str, str]) -> None:
    if not policy:
        return
    from stillwatch.tables import EXCHANGE  # late: pyarrow takes a tenth of a second

    for column, what in policy.items():
        at = Place(path="policy", field=column)
        if column not in EXCHANGE.names:
            raise UsageError(f"`{column}` is not a column", at=at, fix=_nearest(column, EXCHANGE.names))
        if what not in POLICIES:
            raise UsageError(f"`{column}` has the policy `{what}`", at=at, fix=_nearest(what, POLICIES))
        if what != "keep" and column in _ALWAYS_KEPT:
            raise UsageError(f"`{column}` cannot be left out", at=at, fix=f'remove it, or write {column} = "keep"')
        if what == "drop" and column in _NEVER_DROPPED:
            raise UsageError(f"`{column}` cannot be dropped", at=at, fix=f'write {column} = "hash" instead')
        if what == "hash" and "string" not in str(EXCHANGE.field(column).type):
            raise UsageError(f"`{column}` is not text, so there is nothing to hash", at=at, fix='use "keep" or "drop"')
