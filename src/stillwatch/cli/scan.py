"""`stillwatch scan`: logs in, verdicts and campaigns out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stillwatch.cli import options, show
from stillwatch.progress import Progress

if TYPE_CHECKING:
    from stillwatch.pipeline import ScanResult

HELP = """Find distillation campaigns in logs.

Reads every SOURCE (files or folders; JSON Lines, CSV or Parquet, plain or compressed), sketches each
exchange, and judges accounts and campaigns. Results go to the store; the report is STORE/report.html.
Run it again with more logs and it reads only what is new. Stop it with Ctrl-C and run it again: it goes on.

A record that cannot be read goes to quarantine with its reason, and the run goes on; above --max-bad the
run fails with exit code 3.

\b
Examples:
  stillwatch scan logs/                                 a folder of LiteLLM logs
  stillwatch scan logs/ --accounts accounts.csv         with sign-up and payment facts: better linking
  stillwatch scan logs/ --no-text                       keep keyed hashes, not a word of text
  stillwatch scan logs/ --until 2026-03-01              what would have been known on that day?
  stillwatch scan logs/ --json --fail-on distilling     for a nightly job: exit code 1 if any is found
"""

_RANK = {"watch": 1, "reseller": 2, "distilling": 3}
FailOn = Annotated[
    Literal["watch", "reseller", "distilling"] | None,
    typer.Option("--fail-on", metavar="VERDICT", help="Exit 1 if an account has this verdict or a graver one."),
]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="HTML report to write.  [default: STORE/report.html]")
]


def command(
    sources: options.Sources,
    store: options.Store = None,
    config: options.Config = None,
    accounts: options.Accounts = None,
    format: options.Format = None,
    mapping: options.Mapping = None,
    account_from: options.AccountFrom = None,
    no_text: options.NoText = False,
    policy: options.Policy = None,
    until: options.Until = None,
    engine: options.Engine = None,
    workers: options.Workers = None,
    max_bad: options.MaxBad = None,
    calibration: options.Calibration = None,
    report: Report = None,
    fail_on: FailOn = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Scan, then print a summary (or the whole result with --json)."""
    settings = options.settings(
        config, store=store, accounts=accounts, format=format, mapping=mapping, account_from=account_from,
        no_text=no_text, policy=policy, until=until, engine=engine, workers=workers, max_bad=max_bad,
        calibration=calibration, report=report,
    )  # fmt: skip
    from stillwatch.startup import quick

    quick()
    from stillwatch import pipeline

    last: list[Progress] = []
    try:
        with show.progress(quiet=quiet) as watch:

            def note(progress: Progress) -> None:
                last[:] = [progress]
                watch(progress)

            result = pipeline.scan(sources, settings, progress=note)
    except KeyboardInterrupt:
        from stillwatch.cli import stopped

        stage = f" during `{last[0].stage}`" if last else " before the first record"
        raise stopped(f"{stage.strip()}; finished parts are kept in `{settings.store}`") from None
    if json:
        print(show.as_json(result.as_dict()))
    elif not quiet:
        print(summary(result))
    return found(result, fail_on)


def found(result: ScanResult, fail_on: str | None) -> int:
    """Exit code: 1 if an account has the verdict `fail_on` or a graver one."""
    if fail_on is None:
        return 0
    verdicts = result.verdicts.column("verdict").to_pylist()
    return int(any(_RANK.get(v, 0) >= _RANK[fail_on] for v in verdicts))


def summary(result: ScanResult) -> str:
    """What was read, what was found, what could not be seen, and where to read on: for people."""
    counts = Counter(result.verdicts.column("verdict").to_pylist())
    lines = [*_read(result), ""]
    lines.append(
        f"{sum(counts.values()):,} accounts: "
        + (", ".join(f"{n:,} {show.safe(v)}" for v, n in sorted(counts.items(), key=lambda c: (-c[1], c[0]))) or "none")
    )
    campaigns: list[dict[str, Any]] = result.campaigns.to_pylist()
    if not campaigns:
        lines.append("no campaign was found")
    for row in campaigns[:10]:
        lines.append(f"campaign {show.safe(row['campaign_id'], 40)}: {_campaign(row)}")
    if len(campaigns) > 10:
        lines.append(f"and {len(campaigns) - 10:,} more: stillwatch campaigns")
    if result.not_seen:
        missing = sorted(
            {m.replace("accounts.", "").replace("|", " or ") for row in result.not_seen for m in row["missing"]}
        )
        lines.append(
            f"not looked for, {len(result.not_seen)} of the signals: the log has no "
            f"{show.safe(', '.join(missing), 200)} (stillwatch sources says what to switch on)"
        )
    lines.append(f"report: {show.safe(result.report_path, 4000)}")
    return "\n".join(lines)


def _read(result: ScanResult) -> list[str]:
    kept = sum(i.kept for i in result.inputs)
    done = sum(1 for i in result.inputs if not i.skipped)
    lines = [f"read {kept:,} exchanges from {done:,} input{'' if done == 1 else 's'}"]
    skipped = Counter(i.skipped.split(",")[0].split(" as `")[0] for i in result.inputs if i.skipped)
    lines += [f"  {n:,} not read: {show.safe(why, 200)}" for why, n in sorted(skipped.items())]
    reasons: Counter[str] = Counter()
    for i in result.inputs:
        reasons.update(i.reasons)
    bad = {why: n for why, n in sorted(reasons.items()) if not _kept(why) and why != "not read"}
    if bad:
        told = ", ".join(f"{n:,} {show.safe(why)}" for why, n in bad.items())
        lines.append(f"  {sum(bad.values()):,} records in quarantine: {told} (stillwatch quarantine)")
    lines += [f"  {n:,} {show.safe(why)}" for why, n in sorted(reasons.items()) if _kept(why)]
    return lines


def _kept(reason: str) -> bool:
    """Is this a note about records that were kept?"""
    return reason.endswith("(kept)")


def _campaign(row: dict[str, Any]) -> str:
    accounts = len(row["accounts"])
    parts = [
        f"{accounts:,} account{'' if accounts == 1 else 's'}, {row['exchanges']:,} exchanges",
        f"{', '.join(row['kinds'])}",
        f"for {show.safe(', '.join(row['targets']), 80)}" if row["targets"] else "",
        f"probability {min(row['probability'], 0.9999):.2%}",
        f"known after {row['exchanges_at_flag']:,} exchanges" if row["exchanges_at_flag"] is not None else "",
    ]
    return "; ".join(p for p in parts if p)
