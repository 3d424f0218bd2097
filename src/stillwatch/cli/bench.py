"""`stillwatch bench`: the tables of docs/results, measured again on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stillwatch.cli import options, show

HELP = """Measure Stillwatch itself: speed, and error rates on captured traffic.

\b
Examples:
  stillwatch bench speed
  stillwatch bench captures ~/captures
  stillwatch bench corpora ~/corpora
"""
SPEED = """Time each step, and the whole, against parsing alone.

The traffic is made up from a fixed seed, so that two machines measure the same work. Other programs on the
machine spoil the figures: each is the best of several runs, and the spread is printed.

\b
Example:
  stillwatch bench speed --exchanges 200000
"""
CAPTURES = """Scan labelled captures and print error rates.

FOLDER holds one `NAME.jsonl.zst` for each client program and role, and a README.md whose table labels each
as benign or distill. Rows are read in place and never copied.

\b
Example:
  stillwatch bench captures ~/captures --json
"""
CORPORA = """Print which share of published prompts counts as training material.

FOLDER holds MANIFEST.json (a list of sets with name, kind and rows) and one `NAME.jsonl.zst` for each set, whose
rows have a `prompt`. Rows are read in place and never copied.

\b
Example:
  stillwatch bench corpora ~/corpora
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)
Exchanges = Annotated[int, typer.Option("--exchanges", metavar="N", min=1000, help="Exchanges to time.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", envvar="STILLWATCH_CAPTURES", help="Folder of captures.")]


@app.command("speed", help=SPEED)
def speed(
    exchanges: Exchanges = 100_000,
    workers: options.Workers = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Print the table of timings."""
    settings = options.settings(workers=workers)
    from stillwatch.bench.speed import run

    with show.progress(quiet=quiet) as watch:
        result = run(exchanges, settings, progress=watch)
    show.result(result, json=json, quiet=quiet)
    return 0


@app.command("captures", help=CAPTURES)
def captures(
    folder: Folder,
    workers: options.Workers = None,
    calibration: options.Calibration = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Print the error rates for each capture."""
    settings = options.settings(workers=workers, calibration=calibration)
    from stillwatch.bench.captures import run

    with show.progress(quiet=quiet) as watch:
        result = run(folder, settings, progress=watch)
    show.result(result, json=json, quiet=quiet)
    return 0


@app.command("corpora", help=CORPORA)
def corpora(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", envvar="STILLWATCH_CORPORA", help="Folder of prompts.")],
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1, help="Rows of each set, spread over it.")] = 400,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Print a row for each set."""
    from stillwatch.bench.corpora import run

    with show.progress(quiet=quiet) as watch:
        result = run(folder, most=rows, progress=watch)
    show.result(result, json=json, quiet=quiet)
    return 0
