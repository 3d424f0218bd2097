"""What benign traffic looks like: the file that error rates rest on."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np

from stillwatch.errors import InputError, Place
from stillwatch.judge.measures import MEASURES
from stillwatch.maths import evalues, shares

VERSION: Final = 3
KEPT: Final = 400  # values kept of each signal: all of the largest 200, and 200 quantiles below
# Types of ties, and their weight; `dealt`: one list of prompts shared out (SG111).
TIES: Final = {"moved": 0.3, "identity": 0.3, "network": 0.2, "program": 0.15, "dealt": 0.05}
TAIL: Final = 0.2  # exponent for p-values of the tail: the smaller, the more it is made for strong evidence
TIED: Final = ("set", "cohort")  # kinds of units that several accounts make
STRONGEST: Final = 50  # benign accounts with the strongest evidence that are kept
STRATA: Final = ("small", "large")  # units of fewer than a hundred exchanges, and the others


def stratum(n: float) -> str:
    """Which stratum a unit of n exchanges is compared with."""
    return STRATA[n >= 100]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Benign reference values. `units` are accounts; error rates cannot be smaller than about 1 in `units`."""

    name: str
    date: str
    made_from: str
    units: int
    streams: int
    sets: int
    # measure -> account | stream | set -> weights over maths.shares.GRID
    shares: dict[str, dict[str, tuple[float, ...]]]
    values: dict[str, dict[str, tuple[float, ...]]]  # signal -> stratum -> sorted values ...
    weights: dict[str, dict[str, tuple[float, ...]]]  # ... and how many units each stands for
    # kinds of units (`grouped`) -> the largest strengths of benign accounts, falling ...
    strongest: dict[str, tuple[float, ...]] = field(default_factory=dict)
    judged: int = 0  # ... and how many accounts there were

    def to_json(self) -> bytes:
        """The file's bytes; the digest is of these."""
        return json.dumps({"version": VERSION, **asdict(self)}, sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """Names the calibration in every verdict."""
        return hashlib.blake2b(self.to_json(), digest_size=8).hexdigest()

    def p_value(self, signal: str, value: float, n: float) -> float:
        """Share of benign units of like size that show this value or more, (1 + count) / (1 + units); 1 if unknown."""
        per = self.values.get(signal, {}).get(stratum(n))
        if not per:
            return 1.0
        counts = self.weights[signal][stratum(n)]
        at_least = sum(counts[bisect_left(per, value - 1e-12) :])
        return (at_least + 1) / (sum(counts) + 1)

    def baseline(self, signal: str, n: float) -> float | None:
        """Median benign value."""
        per = self.values.get(signal, {}).get(stratum(n))
        if not per:
            return None
        counts = np.cumsum(self.weights[signal][stratum(n)])
        return float(per[int(np.searchsorted(counts, counts[-1] / 2))])

    def linked(self, extents: Mapping[str, float]) -> float:
        """E-value of what ties the members of a set: how many benign accounts are in a set that is tied so much?

        Offices, courses and companies are tied too; work that moves between accounts is rare among the honest.

        Args:
            extents: type of tie -> `Tie.extent`, for types that are beyond chance; `dealt` -> digits.
        """
        return sum(
            weight * evalues.from_p_value(self.p_value(f"tied:{name}", extents.get(name, 0.0), 0), TAIL)
            for name, weight in TIES.items()
        )

    def beyond(self, strength: float, kind: str, lead: str) -> float:
        """E-value of a unit's strength: how many benign accounts show as much of it?

        The strength is a product of averages, each of them careful: beside benign accounts it is worth more than its
        face. Its p-value is the share of benign accounts that are in a unit of this kind which is as strong. Beyond the
        strongest of them that falls no slower than the strength rises, as Markov's inequality has it for e-values.

        Sets are compared with sets that the same measure leads, and their e-values averaged with the measures' weights
        (those of the other measures are 0 at least): a course that hands in one exercise says nothing of training
        material. Accounts and streams are compared with all of their kind, whatever leads: honest work of a sort that
        no calibration has seen is done in one account. Without benign units the strength stands as it is.
        """
        if not self.judged:
            return strength
        top = np.array(
            sorted((s for g in compared(kind, lead) for s in self.strongest.get(g, ())), reverse=True) or [1.0]
        )
        as_strong = int(np.count_nonzero(top >= strength))
        p = (as_strong + 1) / (self.judged + 1)
        if as_strong == 0:
            p *= max(float(top[0]), 1.0) / max(strength, 1.0)
        elif as_strong == len(top):
            p = max(p, 1.0 / max(strength, 1.0))
        return (MEASURES[lead].weight if kind in TIED else 1.0) * evalues.from_p_value(p, TAIL)

    def contents(self, hits: np.ndarray, n: np.ndarray, kind: str) -> np.ndarray:
        """E-values of what is asked for, each measure's times its weight; those of a unit add up to an e-value.

        A measure that this calibration does not know says nothing.

        Args:
            hits: (units, measures); n: exchanges, (units,); kind: account, stream or set.
        Returns:
            (units, measures).
        """
        parts = np.empty(hits.shape)
        for i, (name, measure) in enumerate(MEASURES.items()):
            known = self.shares.get(name, {}).get(kind)
            e = np.ones(len(n)) if known is None else shares.e_values(hits[:, i], n, np.asarray(known))
            # benign units are a mixture of those calibrated on and of wordings that are read wrongly; that several
            # strangers share such a wording and one list of prompts is beyond that
            errs = 0.0 if kind == "cohort" else measure.errs
            parts[:, i] = measure.weight * e / (1 - errs + errs * e)
        return parts


def grouped(kind: str, lead: str) -> str:
    """What the strongest benign accounts are listed under."""
    return f"{kind} {lead}" if kind in TIED else kind


def compared(kind: str, lead: str) -> tuple[str, ...]:
    """The lists that a unit is compared with: cohorts are rare, and must be stronger than sets too."""
    return tuple(grouped(k, lead) for k in (TIED if kind == "cohort" else (kind,)))


def condense(values: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """At most `KEPT` sorted values and the counts they stand for; the upper tail is kept whole."""
    values = np.sort(np.round(values, 6))
    if len(values) > KEPT:
        tail = values[-KEPT // 2 :]
        body = values[: -KEPT // 2]
        parts = np.array_split(body, KEPT // 2)
        # the least value of each part stands for the part: p-values come out no smaller than they are
        pairs = [(float(p[-1]), float(len(p))) for p in parts if len(p)] + [(float(v), 1.0) for v in tail]
    else:
        pairs = [(float(v), 1.0) for v in values]
    merged: dict[float, float] = {}
    for value, count in pairs:
        merged[value] = merged.get(value, 0.0) + count
    ordered = sorted(merged.items())
    return tuple(v for v, _ in ordered), tuple(c for _, c in ordered)


def load(path: Path | None = None) -> Calibration:
    """Read a calibration file; the shipped one without a path."""
    try:
        raw = (
            path.read_bytes()
            if path is not None
            else resources.files("stillwatch.judge").joinpath("data/calibration.json").read_bytes()
        )
        data: dict[str, Any] = json.loads(raw)
        if data.pop("version") != VERSION:
            raise ValueError("another version's file")
        data["values"] = {s: {k: tuple(v) for k, v in per.items()} for s, per in data["values"].items()}
        data["weights"] = {s: {k: tuple(v) for k, v in per.items()} for s, per in data["weights"].items()}
        data["strongest"] = {k: tuple(v) for k, v in data["strongest"].items()}
        data["shares"] = {m: {k: tuple(v) for k, v in per.items()} for m, per in data["shares"].items()}
        return Calibration(**data)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InputError(
            f"the calibration cannot be read: {err}",
            at=Place(path=str(path or "the shipped calibration")),
            fix="make one with `stillwatch calibrate`, or leave --calibration out",
        ) from err
