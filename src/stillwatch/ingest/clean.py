"""From a format's dict to a typed row: the last look at types, clocks, lengths and required columns.

A row that is wrong in a column written by the gateway goes to quarantine. Over-long ids that *clients* write
(end user, session, parent) are replaced by a digest instead: an attacker must not drop out of sight by sending one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from stillwatch.ingest.formats.base import BadRecord, time_us
from stillwatch.ingest.records import Reject
from stillwatch.ingest.secrets import digest, without_secrets
from stillwatch.ingest.settings import IngestSettings
from stillwatch.tables import EXCHANGE

_REQUIRED = ("exchange_id", "at", "account_id", "model")
_IDS = frozenset({"exchange_id", "account_id", "key_id", "org_id", "end_user_id", "session_id", "parent_id", "model"})
_CLIENT_IDS = frozenset({"end_user_id", "session_id", "parent_id"})
_SECRET_PRONE = (_IDS - {"model"}) | {"title", "referer", "client_headers", "user_agent"}
_MAX_TEXT = {"user_agent": 2048, "title": 512, "referer": 2048, "client_headers": 8192, "header_names": 4096}
_NOT_NEGATIVE = frozenset(
    {"tokens_in", "tokens_out", "tokens_reasoning", "tokens_cached", "latency_ms", "choices", "asn", "logprobs", "n"}
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS: dict[str, str] = {
    field.name: (
        "id"
        if field.name in _IDS
        else "text"
        if pa.types.is_string(field.type)
        else "int"
        if pa.types.is_integer(field.type)
        else "float"
        if pa.types.is_floating(field.type)
        else "bool"
        if pa.types.is_boolean(field.type)
        else field.name  # the three lists
    )
    for field in EXCHANGE
}
_MISSING_FIX = {
    "account_id": "log the user, team or key of the request, or say `--account-from field:NAME` or `literal:NAME`",
    "at": "log the start of the request, or say `--at-from field:NAME`, `literal:TIME` or `mtime`",
    "exchange_id": "log the request id",
    "model": "log the model that was asked for",
}


class _Bad(Exception):
    def __init__(self, field: str, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.reason, self.detail = field, reason, detail


def row(canonical: Mapping[str, Any], *, line: int, settings: IngestSettings, now_us: int) -> dict[str, Any] | Reject:
    """A row of tables.EXCHANGE, or why there can be none.

    Args:
        canonical: a format's dict; `_end` (microseconds UTC) gives `latency_ms` where that is missing.
        line:      1-based line or row, for evidence.
        now_us:    clocks may be ahead of it by `settings.ahead_us`.
    """
    try:
        return _row(canonical, line, settings, now_us)
    except _Bad as bad:
        return Reject(line=line, field=bad.field, reason=bad.reason, detail=bad.detail)
    except BadRecord as bad:
        return Reject(line=line, field=bad.field, reason=bad.reason, detail=bad.detail)


def _row(canonical: Mapping[str, Any], line: int, settings: IngestSettings, now_us: int) -> dict[str, Any]:
    out: dict[str, Any] = {"line": line}
    for name, value in canonical.items():
        kind = _KINDS.get(name)
        if value is None or kind is None or name == "line":
            continue
        if kind == "id" or kind == "text":
            value = _text(name, value, kind, settings)
        elif kind == "int":
            value = _int(name, value)
        elif kind == "float":
            value = _float(name, value)
        elif kind == "bool":
            if not isinstance(value, bool):
                raise _Bad(name, "type", f"`{name}` is a {_kind(value)}, not true or false: map another field to it")
        elif kind == "messages":
            value = _messages(value)
        else:
            value = _blobs(name, value)
        if value is not None:
            out[name] = value
    for name in _REQUIRED:
        if name not in out:
            raise _Bad(name, "missing", f"`{name}` is missing: {_MISSING_FIX[name]}")
    _clocks(out, canonical.get("_end"), settings, now_us)
    return out


def _kind(value: Any) -> str:
    names = {str: "text", bool: "truth value", int: "number", float: "number", list: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _text(name: str, value: Any, kind: str, settings: IngestSettings) -> str | None:
    if not isinstance(value, str):
        if isinstance(value, int | float) and not isinstance(value, bool) and kind == "id":
            value = str(value)
        else:
            raise _Bad(name, "type", f"`{name}` is a {_kind(value)}, not text: map another field to it")
    if kind == "id":
        value = value.strip()
    if not value:
        return None
    if not value.isascii() and _SURROGATE.search(value):
        if kind == "id" and name not in _CLIENT_IDS:
            raise _Bad(name, "encoding", f"`{name}` holds half a surrogate pair: export the log as UTF-8")
        value = _SURROGATE.sub("\ufffd", value)
    if name in _SECRET_PRONE:
        value = without_secrets(value, settings.digest_key)
    if kind == "id" and len(value) > settings.max_id_chars:
        if name not in _CLIENT_IDS:
            raise _Bad(
                name, "too_long", f"`{name}` is {len(value)} characters long, above {settings.max_id_chars}: map an id"
            )
        value = "long:" + digest(value, settings.digest_key)
    limit = _MAX_TEXT.get(name)
    return value if limit is None else value[:limit]


def _int(name: str, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Bad(name, "type", f"`{name}` is a {_kind(value)}, not a whole number: map another field to it")
    if not -(2**63) <= value < 2**63:
        raise _Bad(name, "range", f"`{name}` does not fit 64 bits: check the unit of the field")
    if value < 0 and name in _NOT_NEGATIVE:
        raise _Bad(name, "range", f"`{name}` is negative: check the exporter")
    return value


def _float(name: str, value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Bad(name, "type", f"`{name}` is a {_kind(value)}, not a number: map another field to it")
    try:
        value = float(value)
    except OverflowError:
        raise _Bad(name, "range", f"`{name}` is too large for a number: check the exporter") from None
    return value if value - value == 0 else None  # NaN and infinities, which CSV can carry, say nothing


def _messages(value: Any) -> list[dict[str, str | None]] | None:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise _Bad("messages", "type", f"`messages` is a {_kind(value)}, not a list: map another field to it")
    out: list[dict[str, str | None]] = []
    for number, message in enumerate(value):
        if not isinstance(message, Mapping):
            raise _Bad(f"messages.{number}", "type", "a message is no object: write {role, content}")
        clean: dict[str, str | None] = {}
        for key in ("role", "content", "extra"):
            part = message.get(key)
            if part is not None and not isinstance(part, str):
                raise _Bad(
                    f"messages.{number}.{key}", "type", f"`{key}` is a {_kind(part)}, not text: fix the exporter"
                )
            if part and not part.isascii() and _SURROGATE.search(part):
                part = _SURROGATE.sub("\ufffd", part)
            clean[key] = part
        out.append(clean)
    return out


def _blobs(name: str, value: Any) -> list[str] | None:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise _Bad(name, "type", f"`{name}` is a {_kind(value)}, not a list of texts: map another field to it")
    return [_SURROGATE.sub("\ufffd", blob) for blob in value if isinstance(blob, str) and blob] or None


def _clocks(out: dict[str, Any], end: Any, settings: IngestSettings, now_us: int) -> None:
    at: int = out["at"]
    if at < settings.earliest_us:
        raise _Bad("at", "clock", f"`at` is {_shown(at)}, before {_shown(settings.earliest_us)}: fix the clock or unit")
    if at > now_us + settings.ahead_us:
        raise _Bad("at", "clock", f"`at` is {_shown(at)}, in the future: fix the clock, or its unit or time zone")
    end_us = end if isinstance(end, int) else time_us(end, "end")
    if end_us is None:
        return
    if end_us < at - settings.max_skew_us:
        raise _Bad(
            "end",
            "clock",
            f"the exchange ends {(at - end_us) / 1e6:g} s before it starts: export both clocks in UTC, "
            f"or set ingest.max_skew_us = {at - end_us}",
        )
    if end_us > now_us + settings.ahead_us:
        raise _Bad("end", "clock", f"the exchange ends at {_shown(end_us)}, in the future: fix the clock or its unit")
    out.setdefault("latency_ms", max(0, end_us - at) // 1000)


def _shown(at_us: int) -> str:
    try:
        return datetime.fromtimestamp(at_us // 1_000_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{at_us} microseconds"


def to_batch(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Rows from `row` as a record batch of tables.EXCHANGE."""
    return pa.RecordBatch.from_arrays(
        [pa.array([entry.get(field.name) for entry in rows], field.type) for field in EXCHANGE], schema=EXCHANGE
    )
