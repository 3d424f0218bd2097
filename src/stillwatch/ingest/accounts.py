"""The optional account table: what the operator knows of each account, from a file or a SQL query.

Columns under their own names (tables.ACCOUNT), or exports of LiteLLM's UserTable and VerificationToken. E-mail
addresses, card numbers and keys are never kept: an address leaves its domain and a digest, a number its digest.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

import pyarrow as pa

from stillwatch.errors import InputError, Place
from stillwatch.ingest.containers import Record, json_document, json_lines
from stillwatch.ingest.files import blocks, inspect
from stillwatch.ingest.formats.base import BadRecord, first, mapping, sequence, time_us
from stillwatch.ingest.records import Block, Reject
from stillwatch.ingest.secrets import digest, without_secrets
from stillwatch.ingest.settings import IngestSettings
from stillwatch.ingest.tabular import csv_rows, parquet_rows
from stillwatch.tables import ACCOUNT

_NAMES = tuple(field.name for field in ACCOUNT)
_CARD = re.compile(r"[\d \-]{13,23}")
_MAX_TEXT = 512


class Accounts(NamedTuple):
    """Accounts, one row each, and the rows that could not be taken."""

    table: pa.Table  # tables.ACCOUNT
    rejects: list[Reject]


def read_accounts(source: str, *, settings: IngestSettings | None = None) -> Accounts:
    """Accounts from a JSONL, JSON, CSV or Parquet file, or from `sqlite:///file.db?query=SELECT ...`.

    The first row of an account wins; a later one is a reject with reason `duplicate`.

    Raises:
        InputError: the file or query cannot be read at all.
    """
    settings = settings or IngestSettings()
    rows: dict[str, dict[str, Any]] = {}
    rejects: list[Reject] = []
    items = _query(source) if source.startswith("sqlite:") else _file(source, settings)
    for item in items:
        if isinstance(item, Reject):
            rejects.append(item)
            continue
        if not isinstance(item.value, Mapping):
            rejects.append(_reject(item.line, None, "type", "the row is no object: export one object a line"))
            continue
        try:
            row = _row(item.value, settings)
        except BadRecord as bad:
            rejects.append(_reject(item.line, bad.field, bad.reason, bad.detail))
            continue
        if row["account_id"] in rows:
            rejects.append(_reject(item.line, "account_id", "duplicate", "this account came before: keep one row each"))
        else:
            rows[row["account_id"]] = row
    table = pa.table(
        [pa.array([row.get(field.name) for row in rows.values()], field.type) for field in ACCOUNT], schema=ACCOUNT
    )
    return Accounts(table, rejects)


def _file(path: str, settings: IngestSettings) -> Iterator[Record | Reject]:
    entry = inspect(path)
    if entry.skip:
        raise InputError(f"the account table is {entry.skip}", at=Place(path=path), fix="give JSONL, CSV or Parquet")
    if entry.kind == "empty":
        return
    if entry.kind == "lines":
        for block in blocks(entry, block_bytes=settings.block_bytes, max_line_bytes=settings.max_line_bytes):
            if isinstance(block, Block):
                yield from json_lines(block)
            else:
                yield block
    elif entry.kind == "json":
        yield from json_document(entry, max_bytes=settings.max_line_bytes)
    elif entry.kind == "csv":
        yield from csv_rows(entry, max_bytes=settings.max_line_bytes)
    else:
        yield from parquet_rows(entry)


def _query(url: str) -> Iterator[Record | Reject]:
    address, _, query = url.partition("?query=")
    path = unquote(address.removeprefix("sqlite:").removeprefix("//").removeprefix("/"))
    query = unquote(query)
    if not query:
        raise InputError(
            "the address holds no query", at=Place(path=url), fix="write sqlite:///file.db?query=SELECT ..."
        )
    try:
        with sqlite3.connect(f"file:{path.replace('?', '%3f').replace('#', '%23')}?mode=ro", uri=True) as base:
            cursor = base.execute(query)
            names = [column[0] for column in cursor.description or ()]
            for number, row in enumerate(cursor, 1):
                yield Record(dict(zip(names, row, strict=True)), number, number)
    except sqlite3.Error as error:
        raise InputError(
            f"the query failed: {error}", at=Place(path=path), fix="check the path, and try the query in `sqlite3`"
        ) from None


def _row(record: Mapping[str, Any], settings: IngestSettings) -> dict[str, Any]:
    key = settings.digest_key
    record = _from_litellm(record) or record
    unknown = [name for name in record if isinstance(name, str) and name not in _NAMES and name != "email"]
    if "account_id" not in record:
        near = difflib.get_close_matches("account_id", unknown, n=1)
        hint = f"rename `{near[0]}`" if near else "add it, or select it AS account_id in a query"
        raise BadRecord("account_id", "missing", f"`account_id` is missing: {hint}")
    row: dict[str, Any] = {}
    for name in _NAMES:
        value = first(record.get(name))
        if value is None:
            continue
        row[name] = time_us(value, name) if name == "created_at" else _text(name, value, key)
    email = record.get("email")
    if isinstance(email, str) and email.count("@") == 1:
        row.setdefault("email_domain", email.rpartition("@")[2].lower())
        row.setdefault("email_fingerprint", digest(_normal_email(email), key))
    if row.get("account_id") is None:
        raise BadRecord("account_id", "missing", "`account_id` is null: every row needs one")
    return row


def _text(name: str, value: Any, key: bytes) -> str:
    if name == "contract_flags":
        value = ",".join(str(item) for item in sequence(value)) or value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRecord(name, "type", f"`{name}` is no text: map another field to it")
    words = without_secrets(str(value).strip(), key).encode("utf-8", "replace").decode()
    if len(words) > _MAX_TEXT:
        raise BadRecord(name, "too_long", f"`{name}` is longer than {_MAX_TEXT} characters: map another field to it")
    if name == "email_domain":
        return words.rpartition("@")[2].lower()
    if (name == "email_fingerprint" and "@" in words) or (name == "payment_fingerprint" and _CARD.fullmatch(words)):
        return digest(_normal_email(words) if "@" in words else re.sub(r"\D", "", words), key)
    if name == "card_bin":
        return re.sub(r"\D", "", words)[:8]
    return words


def _normal_email(address: str) -> str:
    """One person's spellings of an address as one: case, plus tags, and the dots that Gmail ignores."""
    local, _, domain = address.strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def _from_litellm(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """A row of LiteLLM's UserTable or VerificationToken in our columns; null if it is neither."""
    if "account_id" in record:
        return None
    meta = mapping(record.get("metadata"))
    if "token" in record and ("key_name" in record or "spend" in record):
        account = first(record.get("user_id"), record.get("team_id"), record.get("token"))
        org = first(record.get("organization_id"), record.get("team_id"))
    elif "user_id" in record and ("user_role" in record or "user_email" in record or "sso_user_id" in record):
        account, org = record.get("user_id"), first(record.get("organization_id"), record.get("team_id"))
    else:
        return None
    kept = {name: meta[name] for name in _NAMES if name in meta and name != "account_id"}
    return {
        **kept,
        "account_id": account,
        "created_at": record.get("created_at"),
        "org_name": first(kept.get("org_name"), org),
        "email": first(record.get("user_email"), meta.get("email")),
    }


def _reject(line: int | None, field: str | None, reason: str, detail: str) -> Reject:
    return Reject(line=line, field=field, reason=reason, detail=detail)
