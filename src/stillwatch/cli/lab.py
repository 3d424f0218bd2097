"""`stillwatch lab`: traffic with a known truth, to measure defences on."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Annotated, Any

import typer

from stillwatch.cli import options, show
from stillwatch.errors import InputError, UsageError
from stillwatch.progress import Progress, Watcher

HELP = """Attack ourselves: make traffic whose truth is known.

\b
Examples:
  stillwatch lab traffic --out traffic --seed 11
  stillwatch lab traffic --out traffic --scenario standard --side test
"""
TRAFFIC = """Write gateway logs with honest accounts, hard honest look-alikes, and campaigns.

Without --scenario this is the demo's fortnight. A scenario says what is in the traffic: a shipped one (small,
standard, honest, low-and-slow, aggregator, adversarial) or a TOML file of your own (docs/how-to/add-a-scenario.md).
What it leaves open is drawn: what campaigns ask (families F1 to F20), how they are organised, how they hide. The same
seed gives the same bytes; --exchanges scales from ten thousand to a hundred million in bounded memory.

Writes logs/ (a file a day), accounts.jsonl, and the answer key: truth.json, truth.parquet (a row an exchange), and
leaks.json, which says how much every single field gives away; above an AUC of 0.75 the command fails.

--side says which half of the families, clients and prompt sets is used: `tune` to develop a detector, `test` to
report figures. Real material is read where it lies and never copied: --corpora gives questions of real prompt sets,
--captures header sets of real clients (and a scenario may name `capture:NAME` as a family or a workload), --traces the
hours that real services keep.

With --rows it writes one bulk log instead, for timing only: it makes no claim about detection and has no answer key.

\b
Examples:
  stillwatch lab traffic --out traffic
  stillwatch lab traffic --out traffic --scenario small --seed 11 --side test
  stillwatch lab traffic --out traffic --scenario standard --exchanges 1000000 --format openai
  stillwatch lab traffic --out bulk --rows 1000000
"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write; made if it is not there.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of all that is random.")]
Rows = Annotated[
    int | None, typer.Option("--rows", metavar="N", min=1, help="Write bulk.jsonl with N exchanges, for timing.")
]
Scenario = Annotated[
    str | None, typer.Option("--scenario", metavar="NAME|FILE", help="A shipped scenario or a TOML file.")
]
Exchanges = Annotated[
    int | None, typer.Option("--exchanges", metavar="N", min=1000, help="About how many; the scenario's if not given.")
]
Side = Annotated[str, typer.Option("--side", metavar="SIDE", help="tune or test.")]
LogFormat = Annotated[
    str, typer.Option("--log-format", "--format", metavar="NAME", help="Format of the logs; litellm carries the most.")
]
Corpora = Annotated[
    Path | None, typer.Option("--corpora", metavar="DIR", help="Folder of real prompt sets with a MANIFEST.json.")
]
Captures = Annotated[
    Path | None, typer.Option("--captures", metavar="DIR", help="Folder of LiteLLM rows that real clients caused.")
]
Traces = Annotated[
    Path | None, typer.Option("--traces", metavar="DIR", help="Folder of arrival traces, *rates.csv[.zst].")
]
Allow = Annotated[bool, typer.Option("--allow-leaks", help="Do not fail when a field gives the answer away.")]


# An empty callback keeps `traffic` a sub-command while it is the only one.
@app.callback()
def _root() -> None:
    pass


@app.command("traffic", help=TRAFFIC)
def traffic(
    out: Out, seed: Seed = 7, scenario: Scenario = None, exchanges: Exchanges = None, side: Side = "tune",
    log_format: LogFormat = "litellm", corpora: Corpora = None, captures: Captures = None, traces: Traces = None,
    allow_leaks: Allow = False, rows: Rows = None, json: options.Json = False, quiet: options.Quiet = False,
) -> int:  # fmt: skip
    """Write the traffic and say what is in it."""
    with show.progress(quiet=quiet) as watch:
        if rows is not None:
            wrote = _bulk(out, rows, seed, watch)
        elif scenario is None:
            wrote = _demo(out, seed, watch)
        else:
            wrote = _scenario(out, scenario, exchanges, seed, side, log_format, (corpora, captures, traces), watch)
    if json:
        print(show.as_json(wrote))
    elif not quiet:
        print("\n".join(f"{name}: {show.safe(value, 4000)}" for name, value in wrote.items()))
    if wrote.get("leaks") and not allow_leaks:
        raise InputError(
            f"{len(wrote['leaks'])} fields give the answer away by themselves: {wrote['leaks'][0]}",
            fix=f"look at {out / 'leaks.json'}; more campaigns or accounts even such fields out; "
            "--allow-leaks takes the data set as it is",
        )
    return 0


def _bulk(out: Path, rows: int, seed: int, watch: Watcher) -> dict[str, Any]:
    from stillwatch.lab.traffic import write_speed

    watch(Progress(stage="make up", done=0, unit="steps"))
    out.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(io.StringIO()):  # stdout is for the result
        write_speed(out / "bulk.jsonl", rows, seed=seed)
    return {"exchanges": rows, "log": str(out / "bulk.jsonl")}


def _demo(out: Path, seed: int, watch: Watcher) -> dict[str, Any]:
    from stillwatch.lab.traffic import write_demo

    watch(Progress(stage="make up", done=0, unit="steps"))
    truth = write_demo(out, seed=seed)
    return {
        "exchanges": truth.exchanges, "accounts": len(truth.accounts), "campaigns": len(truth.campaigns),
        "look_alikes": len(truth.look_alikes), "truth": str(out / "truth.json"),
    }  # fmt: skip


def _scenario(
    out: Path, name: str, exchanges: int | None, seed: int, side: str, log_format: str,
    real: tuple[Path | None, Path | None, Path | None], watch: Watcher,
) -> dict[str, Any]:  # fmt: skip
    from stillwatch.lab.traffic import scenario, split, write
    from stillwatch.lab.traffic.formats import WRITERS

    if side not in split.SIDES:
        raise UsageError(f"there is no side `{side}`", fix="use --side tune or --side test")
    if log_format not in WRITERS:
        raise UsageError(f"there is no log format `{log_format}`", fix=f"use one of {', '.join(WRITERS)}")
    read = scenario.load(name)
    total = exchanges or read.exchanges
    corpora, captures, traces = real
    made = scenario.cast(read, seed=seed, side=side, exchanges=total, corpora=corpora, captures=captures, traces=traces)
    done = write.write(
        made, out, seed=seed, side=side, scenario=read.name, expected=total, format=log_format,
        progress=lambda n: watch(Progress(stage="make up", done=n, total=total, unit="exchanges")),
    )  # fmt: skip
    return {
        "exchanges": done.exchanges, "accounts": done.accounts, "campaigns": done.campaigns, "harvest": done.harvest,
        "logs": str(out / "logs"), "truth": str(out / "truth.json"), "leaks": list(done.leaks),
    }  # fmt: skip
