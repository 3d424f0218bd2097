"""What `verdicts`, `campaigns`, `pools`, `links` and `readings` share: their options, and the one thing they do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from stillwatch.cli import options

Kind = Annotated[
    Literal["jsonl", "csv", "parquet"],
    typer.Option("--format", metavar="jsonl|csv|parquet", help="How to write the rows."),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="File to write.  [default: standard output]")]


def write(
    table: str, store: Path | None, config: Path | None, kind: Literal["jsonl", "csv", "parquet"], out: Path | None
) -> int:
    """Write all rows of one table of the store."""
    settings = options.settings(config, store=store)
    from stillwatch import pipeline
    from stillwatch.cli import export

    export.write(pipeline.table(settings.store, table), kind, out)
    return 0
