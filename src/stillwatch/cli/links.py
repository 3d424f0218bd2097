"""`stillwatch links`: one row per pair of linked accounts."""

from __future__ import annotations

from stillwatch.cli import options, rows

HELP = """Write the links between accounts, each with its match weight in bits and the comparisons behind it.

Ten bits mean that the likeness is 1,024 times likelier if the accounts share an operator than if not.

Times are ISO 8601 in UTC. In CSV, lists are JSON, and cells that a spreadsheet
would run as a formula start with an apostrophe.

\b
Examples:
  stillwatch links | jq 'select(.match_weight > 10)'
"""


def command(
    store: options.Store = None,
    config: options.Config = None,
    kind: rows.Kind = "jsonl",
    out: rows.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Write the `links` table; `--json` is the same as `--format jsonl`."""
    return rows.write("links", store, config, "jsonl" if json else kind, out)
