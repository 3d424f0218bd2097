"""`stillwatch calibrate`: how often is each signal that high on honest traffic?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stillwatch.cli import options, show

HELP = """Measure honest traffic, so that evidence says how often it is wrong.

SOURCE must be traffic that you hold to be honest. The bundled calibration fits traffic in general; yours
fits better. Accounts that look like campaigns are set aside and listed: look at them before you trust the
result, because a campaign inside the calibration hides campaigns like it.

\b
Examples:
  stillwatch calibrate logs/2026-02/ --out calibration.json
  stillwatch scan logs/2026-03/ --calibration calibration.json
"""
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Calibration file to write.")]


def command(
    sources: options.Sources,
    out: Out,
    store: options.Store = None,
    config: options.Config = None,
    accounts: options.Accounts = None,
    format: options.Format = None,
    mapping: options.Mapping = None,
    account_from: options.AccountFrom = None,
    workers: options.Workers = None,
    max_bad: options.MaxBad = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Write a calibration file and print what it rests on."""
    settings = options.settings(
        config, store=store, accounts=accounts, format=format, mapping=mapping, account_from=account_from,
        workers=workers, max_bad=max_bad,
    )  # fmt: skip
    from stillwatch.startup import quick

    quick()
    from stillwatch import pipeline

    with show.progress(quiet=quiet) as watch:
        result = pipeline.calibrate(sources, settings, out=out, progress=watch)
    show.result(result, json=json, quiet=quiet)
    return 0
