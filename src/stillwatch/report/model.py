"""The report model: what the pipeline hands to `render`, and what `report.json` holds.

Plain, frozen and JSON-able. Times are ISO 8601 strings in UTC ("2026-03-02T14:05:00Z"). Match weights are in bits.
Every string may come from hostile input: an account id, a client's name, a piece of a prompt. Nothing here is escaped;
that is `render`'s work. Account, pool and campaign ids are compared exactly as given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import msgspec

from ..errors import InputError, Place

Verdict = Literal["clear", "watch", "reseller", "distilling", "not_observable"]
VERDICTS: tuple[Verdict, ...] = ("distilling", "reseller", "watch", "not_observable", "clear")  # gravest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """What made the verdicts: release and hash of signals.lock."""

    version: str
    signals_lock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One log file or source, as it was read."""

    path: str
    format: str
    exchanges: int
    first_at: str | None = None
    last_at: str | None = None
    quarantined: int = 0  # records set aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The counts at the head of the report. A verdict absent from `verdict_counts` counts as 0."""

    exchanges: int
    accounts: int
    pools: int
    campaigns: int
    verdict_counts: dict[str, int]
    quarantined: int = 0
    quarantine_reasons: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The benign traffic that error rates rest on."""

    name: str
    digest: str
    date: str
    made_from: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One reason for a campaign, in plain words. `value` and `baseline` are in `unit`."""

    signal: str
    title: str
    sentence: str
    value: float | None = None
    baseline: float | None = None
    unit: str = ""
    match_weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A piece of one exchange. `render` redacts `text` again; redacting twice changes nothing."""

    exchange_id: str
    at: str | None
    account_id: str
    text: str
    why: str
    source: str  # file and line


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account's part in a campaign."""

    account_id: str
    verdict: Verdict
    role: str
    exchanges: int
    first_at: str | None = None
    last_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The claim that an organisation stands behind a campaign: separate from the campaign itself."""

    organisation: str
    strength: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Exchanges that look gathered for one training purpose."""

    campaign_id: str
    kinds: tuple[str, ...]  # direct | routed | resold | hydra
    accounts: tuple[str, ...]
    exchanges: int
    headline: str
    streams: tuple[str, ...] = ()
    tokens_in: int | None = None
    tokens_out: int | None = None
    first_at: str | None = None
    last_at: str | None = None
    flagged_at: str | None = None
    exchanges_at_flag: int | None = None
    targets: tuple[str, ...] = ()
    e_value: float | None = None
    probability: float | None = None
    evidence: tuple[str, ...] = ()
    attribution: tuple[Attribution, ...] = ()
    exposure: dict[str, float | int | str | None]
    why: tuple[Why, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Accounts that look run on one infrastructure."""

    pool_id: str
    accounts: tuple[str, ...]
    kind: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two accounts and what joins them."""

    a: str
    b: str
    match_weight: float
    families: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One signal's reading behind a verdict."""

    signal: str
    version: int
    value: float | None = None
    baseline: float | None = None
    match_weight: float | None = None
    exchanges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """A signal that could not run, and the fields it lacked."""

    signal: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """The verdict on one account, and what it rests on."""

    account_id: str
    verdict: Verdict
    exchanges: int
    probability: float | None = None
    e_value: float | None = None
    campaign_id: str | None = None
    pool_id: str | None = None
    first_at: str | None = None
    last_at: str | None = None
    flagged_at: str | None = None
    exchanges_at_flag: int | None = None
    reasons: tuple[Reason, ...] = ()
    abstained: tuple[Abstention, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCounts:
    """Exchanges of one campaign per bucket."""

    campaign_id: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Exchanges per bucket of `bucket_s` seconds from `start`; all count lists have one length."""

    start: str
    bucket_s: int
    total: tuple[int, ...]
    campaigns: tuple[CampaignCounts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSeen:
    """A signal that abstained: for how many accounts, what that costs, how to change it."""

    signal: str
    title: str
    missing: tuple[str, ...]
    accounts: int
    consequence: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalInfo:
    """What a reader needs to know of a signal."""

    title: str
    means: str
    innocent: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    unit: str = ""
    family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One scan, ready to be read."""

    title: str
    generated_at: str
    software: Software
    summary: Summary
    inputs: tuple[Input, ...] = ()
    calibration: Calibration | None = None
    campaigns: tuple[Campaign, ...] = ()
    pools: tuple[Pool, ...] = ()
    links: tuple[Link, ...] = ()
    verdicts: tuple[VerdictRow, ...] = ()
    timeline: Timeline | None = None
    not_seen: tuple[NotSeen, ...] = ()
    signals: dict[str, SignalInfo]


def report_from(raw: Mapping[str, Any], path: str = "report model") -> Report:
    """A checked `Report` from plain data, as `json.loads` or the pipeline gives it.

    Args:
        raw:  mapping with the fields of `Report`; lists stand for tuples.
        path: what to call the source in an error.
    Raises:
        InputError: a field is missing, of the wrong type, or a timeline row has the wrong length; names the field.
    """
    try:
        report = msgspec.convert(raw, Report)
    except msgspec.ValidationError as err:
        what, _, where = str(err).partition(" - at ")
        raise InputError(
            what[0].lower() + what[1:],
            at=Place(path=path, field=where.strip("`").removeprefix("$.") or None),
            fix="give the field as stillwatch.report.model declares it, or rebuild the report with `stillwatch scan`",
        ) from err
    if report.timeline is not None:
        if report.timeline.bucket_s <= 0:
            raise InputError(
                f"`bucket_s` is {report.timeline.bucket_s}",
                at=Place(path=path, field="timeline.bucket_s"),
                fix="give the width of a bucket in seconds, at least 1",
            )
        for i, row in enumerate(report.timeline.campaigns):
            if len(row.counts) != len(report.timeline.total):
                raise InputError(
                    f"{len(row.counts)} counts for {len(report.timeline.total)} buckets",
                    at=Place(path=path, field=f"timeline.campaigns[{i}].counts"),
                    fix="give one count per bucket of `timeline.total`, 0 where the campaign was silent",
                )
    return report


def to_json(report: Report) -> bytes:
    """The report as JSON, UTF-8. An infinite e-value becomes the largest double; lone surrogates become U+FFFD."""
    return msgspec.json.encode(_plain(report))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {_plain(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else math.copysign(1.7976931348623157e308, value)
    return value
