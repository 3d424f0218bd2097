"""What a text file holds, from its first bytes: JSON lines, one JSON document, CSV, or no text at all."""

from __future__ import annotations

import csv

import orjson

HEAD_BYTES = 1 << 16

# Lists under these names are the records of a document such as {"data": [...]}.
LIST_KEYS = (
    "data",
    "records",
    "Records",
    "items",
    "logs",
    "events",
    "rows",
    "hits",
    "results",
    "observations",
    "generations",
    "requests",
    "spans",
    "resourceSpans",
    "resource_spans",
    "resourceLogs",
    "resource_logs",
)
_TEXT_NAMES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")  # what must be a log, so that each bad line is reported
DELIMITERS = ",\t;|"


def kind_of(head: bytes, path: str = "") -> tuple[str, str]:
    """Kind (`lines`, `json`, `csv`, `empty`) of a file that begins with `head`, and why it cannot be read, or ""."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "lines", "UTF-16 text; convert it with `iconv -f UTF-16 -t UTF-8`"
    text = head[3:] if head.startswith(b"\xef\xbb\xbf") else head
    if _utf16(text):
        return "lines", "UTF-16 text without a mark; convert it with `iconv -f UTF-16LE -t UTF-8`"
    stripped = text.lstrip()
    if not stripped:
        return ("empty" if len(head) < HEAD_BYTES else "lines"), ""
    if b"\0" in text[:8192] and stripped[:1] not in (b"{", b"["):
        return "lines", "binary, not text; point at the logs only"
    name = _bare(path)
    if stripped[:1] == b"[":
        return ("lines" if _first_line_is_json(stripped) and not name.endswith(".json") else "json"), ""
    if stripped[:1] == b"{":
        return ("json" if _one_document(stripped, name) else "lines"), ""
    if name.endswith((".csv", ".tsv")) or _looks_like_csv(text):
        return "csv", ""
    if not name.endswith(_TEXT_NAMES) and not any(line.lstrip()[:1] in (b"{", b"[") for line in text.split(b"\n")):
        return "lines", "no JSON, CSV or Parquet in it; point at the logs only"
    return "lines", ""


def _bare(path: str) -> str:
    name = path.lower()
    for ending in (".gz", ".zst", ".zstd", ".gzip"):
        name = name.removesuffix(ending)
    return name


def _utf16(text: bytes) -> bool:
    sample = text[:512]
    if len(sample) < 8:
        return False
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    return (odd > half * 0.7 and even == 0) or (even > half * 0.7 and odd == 0)


def _whole(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _first_line_is_json(text: bytes) -> bool:
    line, newline, _ = text.partition(b"\n")
    return bool(newline) and _whole(line)


def _one_document(text: bytes, name: str) -> bool:
    """Whether `{...` is one (pretty-printed or very long) document rather than one record a line."""
    lines = text.split(b"\n")
    if len(lines) > 1:
        # The last piece may be cut by the end of the head, and a single bad line must not decide.
        return not any(line[:1] == b"{" and _whole(line) for line in lines[:64]) and _continues(lines)
    if name.endswith((".jsonl", ".ndjson")):
        return False
    begin = text[:256].replace(b" ", b"")
    return name.endswith(".json") or any(begin.startswith(b'{"%s":[' % key.encode()) for key in LIST_KEYS)


def _continues(lines: list[bytes]) -> bool:
    """Whether the second line reads like the inside of a document, not like another record."""
    second = next((line for line in lines[1:] if line.strip()), b"")
    return second.lstrip()[:1] in (b'"', b"{", b"[", b"}", b"]") and (
        second[:1] in b' \t"}]' or lines[0].rstrip()[-1:] in (b"{", b"[")
    )


def _looks_like_csv(text: bytes) -> bool:
    lines = text.split(b"\n", 20)
    try:
        header, second = (line.decode().rstrip("\r") for line in lines[:2])
    except (UnicodeDecodeError, ValueError):
        return False
    delimiter = delimiter_of(header)
    names = next(csv.reader([header], delimiter=delimiter), [])
    if len(names) < 3 or any(not name or len(name) > 64 for name in names) or len(set(names)) < len(names):
        return False
    return second.count(delimiter) >= len(names) - 1


def delimiter_of(header: str) -> str:
    """The delimiter that splits a CSV header into the most columns."""
    return max(DELIMITERS, key=header.count)
