"""The table of all verdicts as compact data for the page's script.

Columns are arrays and repeated texts are numbered once, so that 20,000 accounts stay a few megabytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .model import VERDICTS, Abstention, SignalInfo, VerdictRow
from .visible import visible
from .words import moment

PAGE = 50  # rows shown at once; the script reads it from the data
_ID_LIMIT = 96
_MOST_EXCHANGES = 5  # ids named per reason; the rest are counted


class _Numbered:
    """Gives each distinct text a number, in order of first use."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._number: dict[str, int] = {}

    def __call__(self, text: str | None) -> int | None:
        if text is None:
            return None
        if text not in self._number:
            self._number[text] = len(self.texts)
            self.texts.append(text)
        return self._number[text]


def ordered(rows: Sequence[VerdictRow]) -> list[VerdictRow]:
    """Gravest verdict first, then the most probable, then by account."""
    grave = {v: i for i, v in enumerate(VERDICTS)}
    return sorted(rows, key=lambda r: (grave[r.verdict], -(r.probability or 0.0), -(r.e_value or 0.0), r.account_id))


def data(rows: Sequence[VerdictRow], signals: Mapping[str, SignalInfo]) -> dict[str, Any]:
    """What the script needs, JSON-able, all text cleaned.

    Each row: account, verdict, probability, e-value, campaign, pool, exchanges, first, last, flagged, exchanges at
    flag, reasons, abstentions. Verdict, campaign, pool and signal are numbers into their lists; times are seconds since
    1970; a reason is [signal, version, value, baseline, bits, exchange ids, exchanges in all].
    """
    campaign, pool, signal = _Numbered(), _Numbered(), _Numbered()
    shared: dict[tuple[Abstention, ...], int] = {}
    out = []
    for row in rows:
        out.append(
            [
                visible(row.account_id, _ID_LIMIT),
                VERDICTS.index(row.verdict),
                _finite(row.probability),
                _finite(row.e_value),
                campaign(row.campaign_id),
                pool(row.pool_id),
                row.exchanges,
                _seconds(row.first_at),
                _seconds(row.last_at),
                _seconds(row.flagged_at),
                row.exchanges_at_flag,
                [
                    [
                        signal(r.signal),
                        r.version,
                        _finite(r.value),
                        _finite(r.baseline),
                        _finite(r.match_weight),
                        [visible(e, _ID_LIMIT) for e in r.exchanges[:_MOST_EXCHANGES]],
                        len(r.exchanges),
                    ]
                    for r in row.reasons
                ],
                shared.setdefault(row.abstained, len(shared)),
            ]
        )
    years = {at.year for row in rows for at in (moment(row.first_at), moment(row.last_at)) if at is not None}
    abstentions = [[[signal(a.signal), [visible(m, 64) for m in a.missing]] for a in group] for group in shared]
    return {
        "page": PAGE,
        "one_year": len(years) < 2,
        "verdicts": list(VERDICTS),
        "campaigns": [visible(c, _ID_LIMIT) for c in campaign.texts],
        "pools": [visible(p, _ID_LIMIT) for p in pool.texts],
        "signals": [
            [visible(s, 64), visible(signals[s].title if s in signals else s, 200), visible(_unit(s, signals), 60)]
            for s in signal.texts
        ],
        "abstentions": abstentions,
        "rows": out,
    }


def _unit(signal: str, signals: Mapping[str, SignalInfo]) -> str:
    return signals[signal].unit if signal in signals else ""


def _finite(x: float | None) -> float | None:
    if x is None or math.isnan(x):
        return None
    return round(max(-1.7e308, min(1.7e308, x)), 6) if abs(x) < 1e9 else max(-1.7e308, min(1.7e308, x))


def _seconds(iso: str | None) -> int | None:
    at = moment(iso)
    return None if at is None else int(at.timestamp())
