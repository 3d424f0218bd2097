"""`stillwatch campaigns`: one row per campaign."""

from __future__ import annotations

from stillwatch.cli import options, rows

HELP = """Write the campaigns: exchanges gathered for one training purpose, over all accounts that carry them.

Each row has the accounts and streams, what was targeted, how much was taken, and the evidence.

Times are ISO 8601 in UTC. In CSV, lists are JSON, and cells that a spreadsheet
would run as a formula start with an apostrophe.

\b
Examples:
  stillwatch campaigns | jq '{campaign_id, n: (.accounts | length), exchanges, e_value}'
  stillwatch campaigns --format parquet --out campaigns.parquet
"""


def command(
    store: options.Store = None,
    config: options.Config = None,
    kind: rows.Kind = "jsonl",
    out: rows.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Write the `campaigns` table; `--json` is the same as `--format jsonl`."""
    return rows.write("campaigns", store, config, "jsonl" if json else kind, out)
