"""`stillwatch lab`: traffic with a known truth, to measure defences on."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Annotated, Any

import typer

from stillwatch.cli import options, show
from stillwatch.progress import Progress

HELP = """Attack ourselves: make traffic whose truth is known.

\b
Example:
  stillwatch lab traffic --out traffic --seed 11
"""
TRAFFIC = """Write gateway logs with honest accounts, hard honest look-alikes, and campaigns.

Writes one log for each day, accounts.jsonl, and the answer key truth.json. The same seed gives the same
bytes. No field of the log gives the answer away. With --rows it writes one bulk log instead, for timing
only: it makes no claim about detection and has no answer key.

\b
Examples:
  stillwatch lab traffic --out traffic
  stillwatch lab traffic --out traffic --seed 11
  stillwatch lab traffic --out bulk --rows 1000000
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write; made if it is not there.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of all that is random.")]
Rows = Annotated[
    int | None, typer.Option("--rows", metavar="N", min=1, help="Write bulk.jsonl with N exchanges, for timing.")
]


# An empty callback keeps `traffic` a sub-command while it is the only one.
@app.callback()
def _root() -> None:
    pass


@app.command("traffic", help=TRAFFIC)
def traffic(
    out: Out, seed: Seed = 7, rows: Rows = None, json: options.Json = False, quiet: options.Quiet = False
) -> int:
    """Write the traffic and say what is in it."""
    from stillwatch.lab.traffic import write_demo, write_speed

    wrote: dict[str, Any]
    with show.progress(quiet=quiet) as watch:
        watch(Progress(stage="make up", done=0, unit="steps"))
        if rows is None:
            truth = write_demo(out, seed=seed)
            wrote = {
                "exchanges": truth.exchanges,
                "accounts": len(truth.accounts),
                "campaigns": len(truth.campaigns),
                "look_alikes": len(truth.look_alikes),
                "truth": str(out / "truth.json"),
            }
        else:
            out.mkdir(parents=True, exist_ok=True)
            with contextlib.redirect_stdout(io.StringIO()):  # stdout is for the result
                write_speed(out / "bulk.jsonl", rows, seed=seed)
            wrote = {"exchanges": rows, "log": str(out / "bulk.jsonl")}
    if json:
        print(show.as_json(wrote))
    elif not quiet:
        print("\n".join(f"{name}: {show.safe(value, 4000)}" for name, value in wrote.items()))
    return 0
