"""`stillwatch sources`: which fields each input carries, which signals can therefore run, what to switch on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import stillwatch.signals  # noqa: F401  registers every signal
from stillwatch import tables
from stillwatch.config import Settings
from stillwatch.errors import UsageError
from stillwatch.ingest import formats
from stillwatch.ingest import mapping as mappings
from stillwatch.ingest.accounts import read_accounts
from stillwatch.ingest.coverage import fields_present
from stillwatch.ingest.files import expand
from stillwatch.ingest.read import read
from stillwatch.ingest.records import Batch
from stillwatch.ingest.settings import IngestSettings
from stillwatch.progress import Progress, Watcher, ignore
from stillwatch.signals.measure import able
from stillwatch.signals.registry import ALL

LOOKED_AT: Final = 20_000  # exchanges of one input that are read
# What a column of EXCHANGE becomes in SKETCH; other columns keep their name, and text becomes these.
_BECOMES: Final = {
    "account_id": ("account",), "key_id": ("key",), "org_id": ("org",), "end_user_id": ("end_user",),
    "session_id": ("session",), "ip": ("ip", "ip_net"), "tls_fingerprint": ("tls",),
    "header_names": ("header_order", "router_marks"), "user_agent": ("user_agent", "router_marks"),
    "client_headers": ("client",), "title": ("app",), "referer": ("app",),
    "response_format": ("format_shape",), "tools": ("tools_shape",), "reasoning": ("reasoning_bytes",),
    "messages": ("elicits", "intent", "head", "tail", "prompt", "system_head", "obfuscation", "chain_self", "turns",
                 "words", "script", "language", "cell", "params"),
    "response": ("answer", "answer_bytes", "answer_shape", "answer_form", "chain_given"),
    "reasoning_blobs_in": ("blobs_in",), "reasoning_blobs_out": ("blobs_out",),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCoverage:
    """What one input carries."""

    path: str
    format: str
    read: int
    quarantined: dict[str, int]
    fields: dict[str, float]  # column -> share of exchanges that fill it
    able: list[str]
    missing: list[dict[str, Any]]
    enable: str
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """All inputs."""

    sources: list[SourceCoverage]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "sources": [
                {"path": s.path, "format": s.format, "read": s.read, "quarantined": s.quarantined, "fields": s.fields,
                 "able": s.able, "missing": s.missing, "enable": s.enable, "skipped": s.skipped}
                for s in self.sources
            ],
            "missing": sorted({m["signal"] for s in self.sources for m in s.missing if not s.skipped}),
        }  # fmt: skip

    def text(self) -> str:
        """A few lines for each input."""
        lines: list[str] = []
        for s in self.sources:
            if s.skipped:
                lines += [f"{s.path}: not read: {s.skipped}", ""]
                continue
            bad = ", ".join(f"{k} {v}" for k, v in sorted(s.quarantined.items()))
            lines.append(
                f"{s.path}: {s.format or 'no known format'}, {s.read:,} exchanges looked at"
                + (f"; quarantined: {bad}" if bad else "")
            )
            full = [f"{n} {share:.0%}" if share < 0.995 else n for n, share in s.fields.items() if share > 0]
            lines.append(f"  fields: {', '.join(full) or 'none'}")
            lines.append(f"  {len(s.able)} of {len(ALL)} signals can run")
            for m in s.missing:
                lines.append(f"  {m['signal']} {m['title']}: needs {', '.join(m['missing'])}")
                lines.append(f"        {m['fix']}")
            if s.enable:
                lines.append(f"  to get more from this format: {s.enable}")
            lines.append("")
        return "\n".join(lines).rstrip() or "nothing to read"


def examine(sources: Sequence[str], settings: Settings, *, progress: Watcher = ignore) -> Coverage:
    """Read the beginning of each input and say what is in it. Writes nothing."""
    ingest = IngestSettings(account_from=settings.account_from)
    mapped = mappings.load(str(settings.mapping)) if settings.mapping else None
    known = _account_columns(settings)
    found = []
    inputs = expand(sources)
    for number, entry in enumerate(inputs):
        progress(Progress(stage="look", done=number, total=len(inputs), unit="steps", detail=entry.path))
        batches: list[Batch] = []
        reasons: Counter[str] = Counter()
        rows = 0
        for batch in read(entry, format=settings.format, mapping=mapped, settings=ingest, now_us=settings.now_us):
            batches.append(batch)
            for reject in batch.rejects:
                reasons[reject.reason] += reject.records
            rows += batch.exchanges.num_rows
            if rows >= LOOKED_AT:
                break
        shares = fields_present(batches)
        present = (
            frozenset(s for name, share in shares.items() if share > 0 for s in (name, *_BECOMES.get(name, ()))) | known
        )
        run, abstain = able(_with_history(present, batches))
        name = _format_of(entry.path, settings, batches)
        found.append(
            SourceCoverage(
                path=entry.path, format=name, read=rows, quarantined=dict(reasons),
                fields={n: round(shares.get(n, 0.0), 4) for n in tables.EXCHANGE.names if n != "line"},
                able=[s.id for s in run],
                missing=[
                    {"signal": a.signal, "title": ALL[a.signal].title, "missing": list(a.missing),
                     "fix": ALL[a.signal].enable or "log the missing fields"}
                    for a in abstain
                ],
                enable=_enable(name), skipped=entry.skip,
            )
        )  # fmt: skip
    return Coverage(sources=found)


def _with_history(present: frozenset[str], batches: Sequence[Batch]) -> frozenset[str]:
    """`chain_parent` is there once a conversation has a second turn."""
    for batch in batches:
        for row in batch.exchanges.column("messages").to_pylist():
            if row and any(m["role"] == "assistant" for m in row):
                return present | {"chain_parent"}
    return present


def _account_columns(settings: Settings) -> frozenset[str]:
    if not settings.accounts:
        return frozenset()
    table = read_accounts(settings.accounts).table
    return frozenset(f"accounts.{n}" for n in table.column_names if table.column(n).null_count < table.num_rows)


def _format_of(path: str, settings: Settings, batches: Sequence[Batch]) -> str:
    if settings.mapping:
        return f"mapping {settings.mapping.name}"
    if settings.format != "auto":
        return settings.format
    counted = formats_in(path, settings)
    return ", ".join(counted) if batches else ""


def formats_in(path: str, settings: Settings, records: int = 200) -> list[str]:
    """Names of the formats of the first records of an input."""
    from stillwatch.ingest.files import inspect
    from stillwatch.ingest.peek import first_records

    found: list[str] = []
    for record in first_records(inspect(path), records):
        known = formats.recognise(record, None)
        if known is not None and known.name not in found:
            found.append(known.name)
    return found


def _enable(name: str) -> str:
    try:
        return formats.named(name.split(",")[0].strip()).docs if name else ""
    except UsageError:  # a mapping has no format of its own
        return ""
