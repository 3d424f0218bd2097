"""`stillwatch quarantine`: the records that could not be taken, and why."""

from __future__ import annotations

from stillwatch.cli import options, rows

HELP = """Write the records that could not be taken: file, line, field, reason, and what to do about it.

One row can stand for many records alike (`records`); a row with 0 records is a note about records that
were kept. No prompt text is in it.

\b
Examples:
  stillwatch quarantine | jq -r '[.file, .line, .reason, .detail] | @tsv'
  stillwatch quarantine --format csv --out bad.csv
"""


def command(
    store: options.Store = None,
    config: options.Config = None,
    kind: rows.Kind = "jsonl",
    out: rows.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Write the `quarantine` table; `--json` is the same as `--format jsonl`."""
    return rows.write("quarantine", store, config, "jsonl" if json else kind, out)
