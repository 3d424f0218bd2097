"""The list of commands, in the order in which a newcomer meets them."""

from __future__ import annotations

from typing import Annotated

import typer

from stillwatch import __version__
from stillwatch.cli import (
    bench,
    calibrate,
    campaigns,
    demo,
    doctor,
    explain,
    lab,
    links,
    pools,
    quarantine,
    readings,
    scan,
    sources,
    verdicts,
)

HELP = """Find model-distillation campaigns in the logs of an LLM gateway.

Logs go in; verdicts on accounts, and the campaigns behind them, come out. Nothing leaves this machine.

\b
First steps:
  stillwatch demo                       see the whole on made-up traffic, under a minute
  stillwatch sources logs/              what do my logs contain, what is missing?
  stillwatch scan logs/                 find campaigns; writes ./stillwatch-store
  stillwatch explain ACCOUNT            why was this account flagged?

\b
Exit codes: 0 done; 1 found what --fail-on asks for; 2 usage; 3 bad input;
4 a needed component is missing; 5 interrupted, run it again to go on.
"""

app = typer.Typer(
    help=HELP,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(value: bool) -> None:
    if value:
        print(f"stillwatch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


SHORT = {
    "demo": "See the whole on made-up traffic, under a minute.",
    "sources": "Which fields are there, which signals can run, what is missing.",
    "scan": "Find distillation campaigns in logs.",
    "verdicts": "Write the verdicts, one row per account.",
    "campaigns": "Write the campaigns, one row each.",
    "pools": "Write the pools of accounts on one infrastructure.",
    "links": "Write the links between accounts, with their weights.",
    "readings": "Write the value of each signal for each unit and window.",
    "quarantine": "Write the records that could not be taken, and why.",
    "explain": "Why an account or a campaign has its verdict.",
    "doctor": "Is everything here and working? If not, the fix.",
    "calibrate": "Measure honest traffic of your own.",
}
_MODULES = {
    "demo": demo,
    "sources": sources,
    "scan": scan,
    "verdicts": verdicts,
    "campaigns": campaigns,
    "pools": pools,
    "links": links,
    "readings": readings,
    "quarantine": quarantine,
    "explain": explain,
    "doctor": doctor,
    "calibrate": calibrate,
}
for name, short in SHORT.items():
    app.command(name, help=_MODULES[name].HELP, short_help=short)(_MODULES[name].command)
app.add_typer(lab.app, name="lab", help=lab.HELP, short_help="Make traffic whose truth is known.")
app.add_typer(bench.app, name="bench", help=bench.HELP, short_help="Measure speed, and error rates on captures.")
