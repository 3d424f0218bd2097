"""`stillwatch verdicts`: one row per account."""

from __future__ import annotations

from stillwatch.cli import options, rows

HELP = """Write the verdicts of the last scan, one row per account.

A verdict is clear, watch, reseller, distilling or not_observable. Each row says why (reasons), what could
not be seen (abstained), and the first moment at which the verdict stood (flagged_at).

Times are ISO 8601 in UTC. In CSV, lists are JSON, and cells that a spreadsheet
would run as a formula start with an apostrophe.

\b
Examples:
  stillwatch verdicts | jq 'select(.verdict == "distilling") | .account_id'
  stillwatch verdicts --format csv --out verdicts.csv
"""


def command(
    store: options.Store = None,
    config: options.Config = None,
    kind: rows.Kind = "jsonl",
    out: rows.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Write the `verdicts` table; `--json` is the same as `--format jsonl`."""
    return rows.write("verdicts", store, config, "jsonl" if json else kind, out)
