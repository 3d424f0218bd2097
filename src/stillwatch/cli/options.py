"""Options that several commands share, and the settings they make."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from stillwatch.config import Settings, parse_max_bad, parse_time
from stillwatch.errors import UsageError

Store = Annotated[
    Path | None, typer.Option("--store", metavar="DIR", help="Folder of the store.  [default: ./stillwatch-store]")
]
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file.  [default: ./stillwatch.toml]")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object; errors are JSON on stderr too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Sources = Annotated[
    list[str],
    typer.Argument(metavar="SOURCE", help="Files or folders of logs; `-` reads standard input.", show_default=False),
]
Format = Annotated[
    str | None, typer.Option("--format", metavar="NAME", help="Log format; `auto` tells it from the content.")
]
Mapping = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="TOML file: which field of a home-made log is which column."),
]
Accounts = Annotated[
    str | None,
    typer.Option("--accounts", metavar="F", help="Table of accounts: JSONL, CSV, Parquet, or a SQL query."),
]
NoText = Annotated[
    bool, typer.Option("--no-text", help="Keep keyed hashes and measures only, not a word of any prompt.")
]
Policy = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="COLUMN=WHAT", help="keep, hash or drop one column; may be repeated."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="T", help="Read exchanges before T only: ISO 8601 (UTC if no zone is given)."),
]
Engine = Annotated[str | None, typer.Option("--engine", metavar="NAME", help="Engine for relational steps: duckdb.")]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", min=1, help="Threads.  [default: every core]")]
MaxBad = Annotated[
    str | None,
    typer.Option("--max-bad", metavar="N|P%", help="Fail above this many bad records: a count or a share.  [1%]"),
]
Calibration = Annotated[
    Path | None,
    typer.Option("--calibration", metavar="FILE", help="Calibration from `stillwatch calibrate`.  [built in]"),
]
AccountFrom = Annotated[
    str | None,
    typer.Option("--account-from", metavar="RULE", help="Account of records that name none: field:path, literal:text."),
]


def now_us() -> int:
    """The clock, microseconds UTC."""
    return time.time_ns() // 1000


def settings(config: Path | None = None, **options: Any) -> Settings:
    """Settings from the file, then the environment, then the options given. Text options are parsed here.

    Raises:
        UsageError: an option has a wrong value.
    """
    base = Settings.load(os.environ, config, now_us=now_us())
    until, max_bad = options.pop("until", None), options.pop("max_bad", None)
    if until is not None:
        options["until_us"] = _parsed("--until", parse_time, until, "a time such as 2026-03-02 or 2026-03-02T12:00:00Z")
    if max_bad is not None:
        options["max_bad"] = _parsed("--max-bad", parse_max_bad, max_bad, "a share such as 1% or a count such as 100")
    policy = options.pop("policy", None)
    if policy:
        options["policy"] = {**base.policy, **_pairs(policy)}
    # A flag that was not given must not undo what the settings file says.
    return base.replace(**{k: v for k, v in options.items() if v is not False})


def _parsed(name: str, parse: Any, text: str, want: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        raise UsageError(f"`{name}` is `{text}`", fix=f"give {want}") from None


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        column, equals, what = text.partition("=")
        if not equals:
            raise UsageError(f"`--policy {text}` has no `=`", fix="write for example --policy ip=hash")
        pairs[column.strip()] = what.strip()
    return pairs
