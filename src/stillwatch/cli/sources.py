"""`stillwatch sources`: what the logs contain, and what cannot be seen without the rest."""

from __future__ import annotations

from stillwatch.cli import options, show

HELP = """Say which fields a log has, which signals can run on it, and what is missing.

Reads a part of each source and writes nothing. A signal whose fields are missing does not guess: it
abstains, and so cannot clear anybody either. Run this first on a new log.

\b
Examples:
  stillwatch sources logs/
  stillwatch sources logs/today.jsonl.gz --json | jq .missing
  stillwatch sources export.csv --mapping fields.toml
"""


def command(
    sources: options.Sources,
    config: options.Config = None,
    accounts: options.Accounts = None,
    format: options.Format = None,
    mapping: options.Mapping = None,
    account_from: options.AccountFrom = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Print the coverage of each source."""
    settings = options.settings(config, accounts=accounts, format=format, mapping=mapping, account_from=account_from)
    from stillwatch import pipeline

    with show.progress(quiet=quiet) as watch:
        coverage = pipeline.sources(sources, settings, progress=watch)
    show.result(coverage, json=json, quiet=quiet)
    return 0
