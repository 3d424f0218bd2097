"""`stillwatch readings`: one row per signal, unit and window."""

from __future__ import annotations

from stillwatch.cli import options, rows

HELP = """Write the readings: the value of each signal for each unit and window, with its sample size.

A signal that lacked a field it needs has no reading; the verdict lists it under abstained.

Times are ISO 8601 in UTC. In CSV, lists are JSON, and cells that a spreadsheet
would run as a formula start with an apostrophe.

\b
Examples:
  stillwatch readings --format parquet --out readings.parquet
"""


def command(
    store: options.Store = None,
    config: options.Config = None,
    kind: rows.Kind = "jsonl",
    out: rows.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Write the `readings` table; `--json` is the same as `--format jsonl`."""
    return rows.write("readings", store, config, "jsonl" if json else kind, out)
