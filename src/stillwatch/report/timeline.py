"""The timeline's geometry: bars per bucket for all traffic and for each campaign, and the moments worth a mark.

Places along the axis are percentages of its width, so that the page can be narrow without squeezing the lettering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .model import Campaign, Report, Timeline
from .words import MONTHS, count, moment, when

MOST_BARS = 360
MOST_ROWS = 12
_STEPS_S = (
    *(60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200),
    *(86_400, 172_800, 345_600, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled place on the axis."""

    place: float  # percent
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Bars of one series. Paths are in a box `bars` wide and 100 high; places are percentages of the width."""

    campaign: Campaign | None  # None: all traffic
    bars: int
    before: str  # path of the bars up to the flag
    after: str  # path of the bars after it
    peak: int  # exchanges in the highest bar
    flag: float | None
    end: float | None
    label: str  # the row in words, for those who do not see it


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Rows on one axis."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    bar_s: int
    rows_left_out: int


def chart(report: Report, ranked: Sequence[Campaign]) -> Chart | None:
    """The timeline of `report`, campaigns in the order of `ranked`; None where there is nothing to draw."""
    line = report.timeline
    start = moment(line.start) if line else None
    if line is None or start is None or not line.total:
        return None
    step = -(-len(line.total) // MOST_BARS)
    bar_s = line.bucket_s * step
    by_id = {row.campaign_id: row.counts for row in line.campaigns}
    shown = [c for c in ranked if c.campaign_id in by_id]
    rows = [_row(None, _merged(line.total, step), start, line, bar_s)]
    rows += [_row(c, _merged(by_id[c.campaign_id], step), start, line, bar_s) for c in shown[:MOST_ROWS]]
    return Chart(
        rows=tuple(rows),
        ticks=_ticks(start, line.bucket_s * len(line.total)),
        bar_s=bar_s,
        rows_left_out=max(0, len(shown) - MOST_ROWS),
    )


def _merged(counts: Sequence[int], step: int) -> list[int]:
    return [sum(counts[i : i + step]) for i in range(0, len(counts), step)]


def _row(campaign: Campaign | None, counts: list[int], start: datetime, line: Timeline, bar_s: int) -> Row:
    span_s = line.bucket_s * len(line.total)
    flag = _place(campaign.flagged_at, start, span_s) if campaign else None
    end = _place(campaign.last_at, start, span_s) if campaign else None
    flag_bar = len(counts) if flag is None else int(flag / 100 * span_s / bar_s)
    peak = max(counts)
    busiest = (start + timedelta(seconds=counts.index(peak) * bar_s)).isoformat()
    words = f"{count(sum(counts))} exchanges, busiest at {when(busiest)} with {count(peak)}"
    if campaign is not None:
        words += f"; from {when(campaign.first_at)} to {when(campaign.last_at)}"
        words += f"; flagged at {when(campaign.flagged_at)}" if flag is not None else "; not flagged"
    return Row(
        campaign=campaign,
        bars=len(counts),
        before=_path(counts, peak, range(min(len(counts), flag_bar + 1))),
        after=_path(counts, peak, range(min(len(counts), flag_bar + 1), len(counts))),
        peak=peak,
        flag=flag,
        end=end,
        label=words,
    )


def _place(iso: str | None, start: datetime, span_s: int) -> float | None:
    at = moment(iso)
    if at is None:
        return None
    return round(min(100.0, max(0.0, 100 * (at - start).total_seconds() / span_s)), 2)


def _path(counts: list[int], peak: int, bars: range) -> str:
    gap = 0.12 if len(counts) <= 120 else 0.0
    parts = []
    for i in bars:
        if counts[i] > 0:
            high = max(3.0, 100 * counts[i] / peak)  # one exchange must still be seen
            parts.append(f"M{i + gap:g} 100V{100 - high:.4g}H{i + 1 - gap:g}V100z")
    return "".join(parts)


def _ticks(start: datetime, span_s: int) -> tuple[Tick, ...]:
    """Round times, at most 7 of them."""
    step = next((s for s in _STEPS_S if span_s / s <= 7), _STEPS_S[-1])
    first = -(-int(start.timestamp()) // step) * step
    out = []
    for t in range(first, int(start.timestamp()) + span_s + 1, step):
        at = datetime.fromtimestamp(t, UTC)
        label = f"{at:%H:%M}" if step < 86_400 and (at.hour or at.minute) else f"{at.day} {MONTHS[at.month - 1]}"
        out.append(Tick(place=round(100 * (t - start.timestamp()) / span_s, 2), label=label))
    return tuple(out[:: -(-len(out) // 12)] if out else ())
