"""`stillwatch demo`: the whole on made-up traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stillwatch.cli import options, show
from stillwatch.cli.scan import summary
from stillwatch.progress import Progress

HELP = """Make up two weeks of traffic with campaigns hidden in it, and find them. Under a minute.

Writes logs as a LiteLLM proxy would, a table of accounts, and the answer key; scans the logs as
`stillwatch scan` does; and says where the report is. Nothing is fetched and nothing leaves this machine.

\b
Examples:
  stillwatch demo
  stillwatch demo --out /tmp/look --json
"""
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for logs, store and report.")]


def command(out: Out = Path("stillwatch-demo"), json: options.Json = False, quiet: options.Quiet = False) -> int:
    """Make the traffic, scan it, print the summary."""
    # Settings files and variables are left out: the demo comes out the same whatever folder it is run in.
    from stillwatch.startup import quick

    quick()
    from stillwatch import pipeline
    from stillwatch.bench import answer_key
    from stillwatch.config import Settings
    from stillwatch.lab.traffic import write_demo

    logs = out / "logs"
    with show.progress(quiet=quiet) as watch:
        watch(Progress(stage="make up", done=0, unit="steps"))
        truth = write_demo(logs)
        settings = Settings(
            store=out / "store",
            report=out / "report.html",
            accounts=str(logs / "accounts.jsonl"),
            now_us=options.now_us(),
        )
        sources = [str(path) for path in sorted(logs.glob("gateway-*.jsonl.zst"))]
        result = pipeline.scan(sources, settings, progress=watch)
    mark = answer_key.score(result, truth)
    if json:
        print(show.as_json({**result.as_dict(), "score": mark.as_dict()}))
    elif not quiet:
        print(summary(result))
        print()
        print(mark.text())
        print()
        print(f"answer key: {show.safe(logs / 'truth.json', 4000)}")
        print(f"look further: stillwatch campaigns --store {show.safe(settings.store, 4000)}")
    return 0
