"""Arrival traces of real services, read where they lie: `*rates.csv[.zst]` with client, window_start_s, rate_rps.

Each client of a trace has a shape of the day: how its requests spread over 24 hours. Products and scripts then keep the
hours of such a client in place of those that we made up.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import Final

import zstandard

from stillwatch.errors import InputError, Place

COLUMNS: Final = ("client", "window_start_s", "rate_rps")
_MOST: Final = 200  # clients of one trace, the busiest first


def shapes(folder: Path) -> list[tuple[float, ...]]:
    """Requests by hour of day, (24,) each, of every client that is active in at least three hours.

    Raises:
        InputError: there is no trace, or it lacks a column.
    """
    files = sorted([*folder.glob("*rates.csv"), *folder.glob("*rates.csv.zst")])
    if not files:
        raise InputError(
            "there are no arrival traces", at=Place(path=str(folder)),
            fix=f"give a folder of *rates.csv[.zst] files with the columns {', '.join(COLUMNS)}",
        )  # fmt: skip
    found: list[tuple[float, ...]] = []
    for file in files:
        raw = file.read_bytes()
        if file.suffix == ".zst":
            raw = zstandard.ZstdDecompressor().stream_reader(raw).read()
        hours: dict[str, list[float]] = defaultdict(lambda: [0.0] * 24)
        try:
            for row in csv.DictReader(io.StringIO(raw.decode())):
                hours[row["client"]][int(float(row["window_start_s"]) // 3600) % 24] += float(row["rate_rps"])
        except (KeyError, ValueError) as err:
            raise InputError(
                f"the trace cannot be read: {err}", at=Place(path=str(file)), fix=f"name the columns {COLUMNS}"
            ) from err
        busy = sorted(hours.values(), key=lambda h: -sum(h))[:_MOST]
        found += [tuple(h) for h in busy if sum(x > 0 for x in h) >= 3]
    return found


__all__ = ["COLUMNS", "shapes"]
