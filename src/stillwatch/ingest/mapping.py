"""A mapping file (TOML): how to read JSON, CSV or Parquet that no built-in format knows.

    [columns]                       # column of the exchange table = dotted path in the record
    exchange_id = "req.id"
    at          = "ts"
    account_id  = ["customer.id", "key_id"]     # the first that is there
    model       = "req.body.model"

    [bodies]                        # whole bodies and headers, if they are logged
    request     = "req.body"        # OpenAI, Anthropic, Gemini or Bedrock shaped
    response    = "res.body"
    headers     = "req.headers"

    [time]                          # only where it cannot be told from the value
    at          = "ms"              # s | ms | us | ns | iso | a strptime format

    [constants]
    org_id      = "acme"

A number in a path indexes a list (`choices.0.text`); a key that holds dots itself is found too. Columns win over
bodies, constants fill what is left. `end` is the end of the exchange and gives `latency_ms`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from stillwatch.errors import InputError, Place
from stillwatch.ingest.formats import bodies, headers
from stillwatch.ingest.formats.base import (
    BadRecord,
    count,
    dump,
    first,
    flag,
    mapping,
    number,
    sequence,
    text,
    time_us,
    unjson,
)
from stillwatch.ingest.formats.content import messages_of
from stillwatch.ingest.settings import lookup
from stillwatch.tables import EXCHANGE

_COLUMNS = tuple(field.name for field in EXCHANGE if field.name != "line")
_SECTIONS = ("columns", "bodies", "time", "constants")
_BODIES = ("request", "response", "headers")
_UNITS = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A mapping that has been read and checked; stands where a `Format` stands."""

    name: str
    columns: Mapping[str, tuple[str, ...]]
    bodies: Mapping[str, str]
    time: Mapping[str, str]
    constants: Mapping[str, Any]

    def exchanges(self, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The one exchange of a record. Raises BadRecord for a time that does not have the stated form."""
        out: dict[str, Any] = {}
        if "request" in self.bodies:
            asked = unjson(lookup(record, self.bodies["request"]))
            if isinstance(asked, Mapping):
                out.update(bodies.request(asked))
                out["endpoint"] = bodies.endpoint_of(None, asked)
        if "response" in self.bodies:
            out.update(bodies.response(unjson(lookup(record, self.bodies["response"]))))
        if "headers" in self.bodies:
            out.update(headers.of(mapping(lookup(record, self.bodies["headers"]))))
        for column, paths in self.columns.items():
            path, value = self._found(record, paths)
            if value is None:
                continue
            if column in ("at", "end"):
                value = self._time(column, path, value)
                out["_end" if column == "end" else "at"] = value
            elif column == "messages":
                out["messages"], blobs = messages_of(value)
                out["reasoning_blobs_in"] = blobs or out.get("reasoning_blobs_in")
            else:
                out[column] = _coerced(column, value)
        for column, value in self.constants.items():
            if out.get(column) is None:
                out[column] = value
        yield {column: value for column, value in out.items() if value is not None}

    def _found(self, record: Mapping[str, Any], paths: tuple[str, ...]) -> tuple[str, Any]:
        for path in paths:
            value = first(lookup(record, path))
            if value is not None:
                return path, value
        return paths[0], None

    def _time(self, column: str, path: str, value: Any) -> int | None:
        form = self.time.get(column)
        if form is None or form == "iso":
            return time_us(value, path)
        if form in _UNITS:
            plain = number(value)
            if plain is None:
                raise BadRecord(path, "type", f'`{path}` is no number, but the mapping says `{column} = "{form}"`')
            exact = count(value)
            return exact // 1000 if form == "ns" and isinstance(exact, int) else round(plain * _UNITS[form])
        try:
            parsed = datetime.strptime(str(value), form)
        except ValueError:
            raise BadRecord(path, "type", f"`{path}` does not have the form `{form}` that the mapping states") from None
        return time_us(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC), path)


def _coerced(column: str, value: Any) -> Any:
    """A cell as its column wants it; what makes no sense is left for cleaning to name."""
    kind = EXCHANGE.field(column).type
    if pa.types.is_integer(kind):
        return int(value) if isinstance(value, bool) else count(value)
    if pa.types.is_floating(kind):
        understood = number(value)
        return value if understood is None else understood
    if pa.types.is_boolean(kind):
        truth = flag(value)
        return value if truth is None else truth
    if pa.types.is_list(kind):
        return [value] if isinstance(value, str) and not value.startswith("[") else sequence(value)
    if column == "ip":
        return headers.client_ip(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, Mapping | list):
        return dump(value)
    return value if isinstance(value, str) else text(value)


def load(path: str) -> Mapped:
    """Read and check a mapping file.

    Raises:
        InputError: naming file, key and the nearest known column, for every kind of mistake.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"the mapping file cannot be read ({error.strerror})", at=Place(path=path), fix="check the path"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"the mapping file is not valid TOML: {error}", at=Place(path=path), fix='write keys as `column = "path"`'
        ) from None
    return _checked(data, path)


def _checked(data: Mapping[str, Any], path: str) -> Mapped:
    for key in data:
        if key != "name" and key not in _SECTIONS:
            raise _unknown(path, key, "section", _SECTIONS)
    parts = {}
    for section in _SECTIONS:
        parts[section] = data.get(section, {})
        if not isinstance(parts[section], Mapping):
            raise InputError(f"`{section}` is no section", at=Place(path=path, field=section), fix=f"write [{section}]")
    columns: dict[str, tuple[str, ...]] = {}
    for column, value in parts["columns"].items():
        if column not in (*_COLUMNS, "end"):
            raise _unknown(path, f"columns.{column}", "column", (*_COLUMNS, "end"))
        paths = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
        if not paths or not all(isinstance(item, str) and item for item in paths):
            raise InputError(
                f"`{column}` names no field", at=Place(path=path, field=f"columns.{column}"),
                fix=f'write {column} = "path.to.field", or a list of such paths',
            )  # fmt: skip
        columns[column] = paths
    for name, value in parts["bodies"].items():
        if name not in _BODIES:
            raise _unknown(path, f"bodies.{name}", "body", _BODIES)
        if not isinstance(value, str) or not value:
            raise InputError(
                f"`{name}` names no field", at=Place(path=path, field=f"bodies.{name}"), fix=f'write {name} = "path"'
            )
    for name, form in parts["time"].items():
        if name not in ("at", "end"):
            raise _unknown(path, f"time.{name}", "time", ("at", "end"))
        if not isinstance(form, str) or (form not in (*_UNITS, "iso") and "%" not in form):
            raise InputError(
                f"`{form}` is no unit of time", at=Place(path=path, field=f"time.{name}"),
                fix="write s, ms, us, ns, iso, or a strptime format such as %d/%m/%Y %H:%M:%S",
            )  # fmt: skip
    for name, value in parts["constants"].items():
        if name not in _COLUMNS:
            raise _unknown(path, f"constants.{name}", "column", _COLUMNS)
        if not isinstance(value, str | int | float | bool):
            raise InputError(
                f"constant `{name}` is no single value", at=Place(path=path, field=f"constants.{name}"),
                fix="write text, a number, true or false",
            )  # fmt: skip
    if not columns and not parts["bodies"]:
        raise InputError(
            "the mapping maps nothing", at=Place(path=path), fix='add [columns] with `at = "path"` and so on'
        )
    name = data.get("name", Path(path).stem)
    return Mapped(
        name=str(name), columns=columns, bodies=parts["bodies"], time=parts["time"], constants=parts["constants"]
    )


def _unknown(path: str, key: str, kind: str, known: tuple[str, ...]) -> InputError:
    near = difflib.get_close_matches(key.rpartition(".")[2], known, n=1, cutoff=0.5)
    fix = f"did you mean `{near[0]}`?" if near else f"use one of {', '.join(known)}"
    return InputError(f"there is no {kind} `{key.rpartition('.')[2]}`", at=Place(path=path, field=key), fix=fix)
