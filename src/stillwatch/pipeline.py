"""The whole watch on one page; read it first.

logs -> intake -> store -> engine -> analyse -> replay -> conclude -> report
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import stillwatch.signals  # noqa: F401  registers every signal
from stillwatch import __version__, coverage, people, tables
from stillwatch.config import Settings
from stillwatch.engine import Engine
from stillwatch.errors import InputError
from stillwatch.ingest.accounts import read_accounts
from stillwatch.intake import InputReport, Intake
from stillwatch.judge import calibration as calibrations
from stillwatch.judge.analyse import Analysis, analyse
from stillwatch.judge.calibrate import calibrated
from stillwatch.judge.calibration import Calibration
from stillwatch.judge.decide import Rules
from stillwatch.judge.measures import mask
from stillwatch.judge.replay import flagged
from stillwatch.progress import Progress, Watcher, ignore
from stillwatch.report import render
from stillwatch.results import conclude, report_model
from stillwatch.results import explain as explanations
from stillwatch.results.conclude import CampaignFacts, Conclusion
from stillwatch.results.reproduce import made_by
from stillwatch.sketch.elicitation import CLASSES
from stillwatch.store.layout import Store, write_bytes, write_table

ENGINE_MIB = 200  # what the engine may hold in memory, and ...
ENGINE_BYTES = 100  # ... for each exchange of the store; it spills to the store's folder beyond
EXAMPLES = 5  # exchanges shown for a campaign
RESULTS = ("verdicts", "campaigns", "members", "pools", "links", "readings")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What one scan found, and where the report is."""

    verdicts: pa.Table
    campaigns: pa.Table
    pools: pa.Table
    links: pa.Table
    readings: pa.Table
    members: pa.Table
    inputs: list[InputReport]
    report_path: Path
    made_by: Mapping[str, Any]
    not_seen: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`: all tables but the readings, which are many."""
        return {
            "inputs": [_plain_input(i) for i in self.inputs],
            "verdicts": self.verdicts.to_pylist(),
            "campaigns": self.campaigns.to_pylist(),
            "pools": self.pools.to_pylist(),
            "links": self.links.to_pylist(),
            "not_seen": self.not_seen,
            "report": str(self.report_path),
            "made_by": dict(self.made_by),
        }


def scan(names: Sequence[str], settings: Settings, *, progress: Watcher = ignore) -> ScanResult:
    """Read what is new, judge everything the store holds, write results and report.

    Raises:
        InputError: more records went to quarantine than `settings.max_bad` allows; results are written all the same.
        Interrupted: the disk is full; the same command goes on from there.
    """
    store = Store(settings.store)
    with store.writing():
        return _scan(store, names, settings, progress)


def _scan(store: Store, names: Sequence[str], settings: Settings, progress: Watcher) -> ScanResult:
    calibration = calibrations.load(settings.calibration)
    inputs = Intake(store, settings, progress).run(names)
    accounts = _accounts(store, settings)
    hashed = people.hashed(store, accounts)
    values = _names(store)
    values.update(
        {
            ("account", h): a
            for h, a in zip(
                hashed.column("account").to_pylist(), accounts.column("account_id").to_pylist(), strict=True
            )
        }
    )
    rules = Rules()
    pa.default_memory_pool().release_unused()
    kept = sum(state.kept for state in store.inputs().values())
    memory = ENGINE_MIB + kept * ENGINE_BYTES // (1 << 20)
    with closing(Engine(threads=settings.workers, temp=store.path / "spill", memory_mib=memory)) as engine:
        engine.load(store.files("sketches"), hashed, until=settings.until_us)
        progress(Progress(stage="judge", done=0, total=3, unit="steps"))
        flags = people.flags(hashed, accounts)
        analysis = analyse(engine, calibration, rules, flags=flags)
        progress(Progress(stage="replay", done=0, total=len(analysis.findings), unit="steps"))
        campaigns = _campaigns(engine, analysis, calibration, rules)
        maker = made_by(store, settings, calibration, rules)
        organisations = {
            h: org
            for h, org in zip(
                hashed.column("account").to_pylist(), accounts.column("org_name").to_pylist(), strict=True
            )
            if org
        }
        conclusion = conclude.conclude(
            analysis, campaigns, calibration, rules, names=values, flags=flags, organisations=organisations,
            made_by=maker["digest"],
        )  # fmt: skip
        timeline = report_model.timeline(engine, analysis.rows, campaigns, values)
        present = engine.present()
    for name in RESULTS:
        store.write_result(name, getattr(conclusion, name))
    write_bytes(store.path / "results" / "calibration.json", calibration.to_json())
    write_bytes(store.path / "results" / "made_by.json", json.dumps(maker, indent=1).encode())
    path = settings.report_path
    not_seen = report_model.not_seen(analysis, present)
    model = report_model.build(
        store, conclusion, analysis, inputs=inputs, calibration=calibration, timeline=timeline, not_seen=not_seen,
        now_us=settings.now_us, version=__version__, made_by=maker, text=not settings.no_text,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, render(model).encode())
    progress(Progress(stage="judge", done=3, total=3, unit="steps"))
    _check_bad(inputs, settings, store)
    return ScanResult(
        verdicts=conclusion.verdicts, campaigns=conclusion.campaigns, pools=conclusion.pools, links=conclusion.links,
        readings=conclusion.readings, members=conclusion.members, inputs=inputs, report_path=path, made_by=maker,
        not_seen=not_seen,
    )  # fmt: skip


def calibrate(names: Sequence[str], settings: Settings, *, out: Path, progress: Watcher = ignore) -> CalibrationResult:
    """Make a calibration from a quiet period. Accounts that look like campaigns are set aside and listed."""
    store = Store(settings.store)
    Intake(store, settings, progress).run(names)
    accounts = _accounts(store, settings)
    hashed = people.hashed(store, accounts)
    shipped = calibrations.load(settings.calibration)
    with closing(Engine(threads=settings.workers, temp=store.path)) as engine:
        engine.load(store.files("sketches"), hashed, until=settings.until_us)
        suspected = {a for a, v in analyse(engine, shipped, Rules()).verdicts.items() if v == "distilling"}
        without = frozenset(suspected) | frozenset(people.flags(hashed, accounts))
        now = datetime.fromtimestamp(settings.now_us / 1e6, UTC)
        made = calibrated(
            [lambda: nullcontext((engine, without))], name=out.stem, date=now.date().isoformat(),
            made_from=lambda units: f"{units} accounts of {', '.join(Path(s).name for s in names)}, "
            "held to be benign by whoever ran it; "
            f"{len(suspected)} accounts that look like campaigns were set aside",
        )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(out, made.to_json())
    values = _names(store)
    return CalibrationResult(
        path=out, calibration=made, set_aside=sorted(values.get(("account", a), f"{a:016x}") for a in suspected)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationResult:
    """A calibration file that was written, and the accounts that were left out of it."""

    path: Path
    calibration: Calibration
    set_aside: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "file": str(self.path), "digest": self.calibration.digest, "units": self.calibration.units,
            "streams": self.calibration.streams, "made_from": self.calibration.made_from, "set_aside": self.set_aside,
        }  # fmt: skip

    def text(self) -> str:
        """A few lines for people."""
        lines = [f"{self.path}: {self.calibration.units:,} accounts, digest {self.calibration.digest}"]
        if self.calibration.units < 500:
            lines.append(
                f"that is few: no error rate below 1 in {self.calibration.units + 1} can be shown, "
                "and little will be flagged"
            )
        if self.set_aside:
            lines.append(f"set aside, look at them: {', '.join(self.set_aside[:20])}")
        return "\n".join(lines)


def sources(names: Sequence[str], settings: Settings, *, progress: Watcher = ignore) -> coverage.Coverage:
    """Which fields each input carries, and which signals can therefore run."""
    return coverage.examine(names, settings, progress=progress)


def explain(store: Path, subject: str) -> explanations.Explanation:
    """Why an account or a campaign has its verdict."""
    return explanations.explain(store, subject)


def table(store: Path, name: str) -> pa.Table:
    """One result table of the last scan, or the quarantine of all scans."""
    opened = Store(store, create=False)
    if name == "quarantine":
        parts = [pq.read_table(file) for file in opened.files("quarantine")]
        return pa.concat_tables(parts) if parts else tables.QUARANTINE.empty_table()
    return opened.result(name)


def _campaigns(engine: Engine, analysis: Analysis, calibration: Calibration, rules: Rules) -> list[CampaignFacts]:
    """The findings as campaigns, replayed in time order. The engine must still hold the rows of the analysis."""
    rows = analysis.rows
    facts = []
    for finding, when in zip(analysis.findings, flagged(engine, analysis, calibration, rules), strict=True):
        if not any(analysis.verdicts[a] in ("distilling", "reseller") for a in finding.accounts):
            continue
        own = finding.places
        classes = {name: int(((rows.elicits[own] >> bit) & 1).sum()) for name, bit in CLASSES.items()}
        asks = own[rows.asks[own]]
        shown = engine.names_of(asks[:EXAMPLES])
        facts.append(
            CampaignFacts(
                finding=finding, flagged=when, members=engine.ids_of(own),
                classes={k: v for k, v in classes.items() if v},
                examples=[shown[p] for p in asks[:EXAMPLES].tolist()], exchanges=len(own), asks=len(asks),
                traces=int(((rows.bits[own] & mask("traces")) != 0).sum()), tokens_in=int(rows.tokens_in[own].sum()),
                tokens_out=int(rows.tokens_out[own].sum()), first_at=int(rows.at[own[0]]),
                last_at=int(rows.at[own[-1]]),
            )
        )  # fmt: skip
    return facts


def _accounts(store: Store, settings: Settings) -> pa.Table:
    """The accounts table: what was given now, else what an earlier scan was given."""
    file = store.path / "accounts.parquet"
    if settings.accounts:
        given = people.policed(store, read_accounts(settings.accounts).table, settings.policy)
        write_table(file, given)
        return given
    return pq.read_table(file) if file.exists() else tables.ACCOUNT.empty_table()


def _names(store: Store) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    for file in store.files("names"):
        for row in pq.read_table(file).to_pylist():
            found[row["kind"], row["hash"]] = row["value"]
    return found


def _check_bad(inputs: Sequence[InputReport], settings: Settings, store: Store) -> None:
    bad = sum(i.rejected - i.reasons.get("duplicate", 0) for i in inputs)
    records = sum(i.records for i in inputs)
    limit = settings.max_bad * records if isinstance(settings.max_bad, float) else settings.max_bad
    if bad > limit or (records and bad == records):
        raise InputError(
            f"{bad:,} of {records:,} records went to quarantine, more than --max-bad {settings.max_bad} allows",
            fix=f"see why with `stillwatch quarantine --store {store.path}`; the results are written all the same; "
            "raise --max-bad if such records may be missing",
        )


def _plain_input(i: InputReport) -> dict[str, Any]:
    return {
        "path": i.path, "format": i.format, "records": i.records, "kept": i.kept, "rejected": i.rejected,
        "reasons": dict(i.reasons), "skipped": i.skipped,
    }  # fmt: skip


__all__ = ["CalibrationResult", "Conclusion", "ScanResult", "calibrate", "scan", "table"]
