"""`stillwatch explain`: why an account or a campaign has its verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from stillwatch.cli import options, show

HELP = """Say why an account or a campaign has its verdict, from the evidence in the store.

Rebuilds the verdict: each signal with its value and what is usual, what it adds, innocent explanations,
what could not be seen, the links to other accounts, and the versions and inputs that it rests on.

\b
Examples:
  stillwatch explain acct_0042
  stillwatch explain C-7 --json
"""
Subject = Annotated[str, typer.Argument(metavar="ACCOUNT|CAMPAIGN", help="An account id or a campaign id.")]


def command(
    subject: Subject,
    store: options.Store = None,
    config: options.Config = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Print the explanation."""
    settings = options.settings(config, store=store)
    from stillwatch import pipeline

    show.result(pipeline.explain(settings.store, subject), json=json, quiet=quiet)
    return 0
