"""`stillwatch pools`: one row per pool of accounts on one infrastructure."""

from __future__ import annotations

from stillwatch.cli import options, rows

HELP = """Write the pools: accounts that run on one infrastructure (payment, sign-up, network, failover).

A pool is no accusation: resellers and agencies run pools too. A pool can carry several campaigns, and a
campaign can span pools.

Times are ISO 8601 in UTC. In CSV, lists are JSON, and cells that a spreadsheet
would run as a formula start with an apostrophe.

\b
Examples:
  stillwatch pools --format csv
"""


def command(
    store: options.Store = None,
    config: options.Config = None,
    kind: rows.Kind = "jsonl",
    out: rows.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Write the `pools` table; `--json` is the same as `--format jsonl`."""
    return rows.write("pools", store, config, "jsonl" if json else kind, out)
