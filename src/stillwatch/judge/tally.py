"""Counting the rows of units: how many say yes to each measure, of how many, at the end and as time goes by.

An account gets looked at because something in it asks for training material. That first row proves nothing more: it
chose the unit. Counting begins after it, so that a unit is not held guilty of having been chosen, and a long innocent
past does not thin the evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from stillwatch.judge.measures import MEASURES, NAMES
from stillwatch.judge.rows import Rows

GROWTH: Final = 1.1  # between two looks at a unit ten per cent more rows are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of several units: `n` (units,), `k` (units, measures)."""

    n: np.ndarray
    k: np.ndarray


def counted(rows: Rows, places: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Which rows count for their unit: those with text after the unit's first row that asks, (places,) bool.

    A unit in which nothing asks begins with the first row that any measure finds.

    Args:
        places: rows in time order.
        units: number of each row's unit, (places,), 0 or more.
    """
    asks, any_of_them = rows.asks[places], rows.bits[places] != 0
    asking = np.zeros(int(units.max()) + 1 if len(units) else 1, bool)
    asking[units[asks]] = True
    return since_first(rows, places, units, np.where(asking[units], asks, any_of_them))


def since_first(rows: Rows, places: np.ndarray, units: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Rows with text after the first marked one of their unit, (places,) bool."""
    if not len(places):
        return np.zeros(0, bool)
    turn = np.arange(len(places))
    first = np.full(int(units.max()) + 1, len(places), np.int64)
    # written backwards, so that the earliest row of each unit stays
    first[units[marked][::-1]] = turn[marked][::-1]
    return (turn > first[units]) & rows.text[places]


def tally(rows: Rows, places: np.ndarray, units: np.ndarray, count: int, valid: np.ndarray) -> Tally:
    """Counts of `count` units over the rows that count (`valid`, (places,) bool)."""
    chosen, units = places[valid], units[valid]
    bits = rows.bits[chosen]
    k = np.stack([np.bincount(units[(bits >> i) & 1 == 1], minlength=count) for i in range(len(NAMES))], axis=1)
    return Tally(n=np.bincount(units, minlength=count), k=k)


def course(rows: Rows, places: np.ndarray, valid: np.ndarray) -> Tally:
    """Counts of one unit after each of its rows."""
    bits = np.where(valid, rows.bits[places], 0)
    k = np.stack([np.cumsum((bits >> i) & 1) for i in range(len(MEASURES))], axis=1)
    return Tally(n=np.cumsum(valid), k=k)


def looks(size: int, least: int = 5) -> np.ndarray:
    """After how many rows a unit of `size` rows is looked at: `least`, then in steps of `GROWTH`, and at the end."""
    if size <= least:
        return np.array([size])
    steps = np.ceil(least * GROWTH ** np.arange(int(np.log(size / least) / np.log(GROWTH)) + 1)).astype(int)
    return np.unique(np.append(steps[steps < size], size))
