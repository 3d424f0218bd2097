"""The evidence on one unit: e-values by family, and what they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import numpy as np

from stillwatch.judge.calibration import Calibration
from stillwatch.judge.measures import NAMES
from stillwatch.judge.sets import Set
from stillwatch.judge.tally import Tally
from stillwatch.judge.ties import BEYOND, TYPES, Tie
from stillwatch.maths import evalues
from stillwatch.signals.registry import ALL, Family

# A set is tied by something outside its content, a cohort by one rare template and the list that it shares out.
Kind = Literal["account", "stream", "set", "cohort"]
Beside = Literal["account", "stream", "routed", "set", "cohort"]
# Families beside the content that are measured on a unit. Who sends a stream is the account's affair, not the stream's;
# and what is unusual for an account is usual for fifty of them: what speaks about a set is what ties it.
SPEAKS: Final[Mapping[str, tuple[Family, ...]]] = {
    "account": ("tempo", "identity", "network"), "stream": ("tempo",), "set": (), "cohort": (),
}  # fmt: skip
SUPPORT: Final = 0.25  # a family supports a verdict if one of its readings is among this share of benign ones
MATTERS: Final = 3.0  # content supports a verdict if it is so many times more likely in a harvest than elsewhere
CAP: Final = 1e12
DEALT: Final = "SG111"  # one list of prompts shared out: decimal digits of the chances to collide for each collision
QUEUE: Final = 3.0  # digits from which one work queue stands behind the accounts


class Reading(NamedTuple):
    """One signal's value on one unit."""

    value: float
    n: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Counts of one unit: an account, a stream or a linked set."""

    unit: int
    n: int
    texts: int
    hits: int  # exchanges for which one of the gating measures says yes
    counts: Mapping[str, int]  # measure -> exchanges for which it says yes
    reasoned: int
    tokens_in: int
    tokens_out: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for a unit's exchanges being training data, and how strongly."""

    unit: Unit
    kind: Kind
    beside: Beside  # what benign units it is compared with
    counted: int  # exchanges that the content e-value rests on ...
    hits: Mapping[str, int]  # ... and how many of them each measure found
    lead: str  # the measure that says most
    readings: Mapping[str, Reading]
    p_values: Mapping[str, float]
    e_content: float
    e_family: Mapping[Family, float]
    e_link: float
    strength: float  # the product of content, other families and ties ...
    e_value: float  # ... beside that of benign accounts
    families: tuple[Family, ...]  # that support the verdict
    ties: Mapping[str, Tie] = field(default_factory=dict)  # sets: what ties the members, by type


class Counts(NamedTuple):
    """What was counted of a unit: exchanges, how many each measure found among them, and the weighted e-values."""

    n: int
    hits: tuple[int, ...]
    parts: tuple[float, ...]


def counts_of(tally: Tally, calibration: Calibration, kind: Kind) -> list[Counts]:
    """Counts of the units of a tally, with what they say beside benign units of a kind."""
    parts = calibration.contents(tally.k.astype(float), tally.n.astype(float), kind)
    return [
        Counts(n=n, hits=tuple(hits), parts=tuple(e))
        for n, hits, e in zip(tally.n.tolist(), tally.k.tolist(), parts.tolist(), strict=True)
    ]


def counts_of_sets(found: Sequence[Set], calibration: Calibration, kind: Kind = "set") -> list[Counts]:
    """Counts of sets or cohorts: each was made for one measure, and the others say nothing of it."""
    k = np.zeros((len(found), len(NAMES)))
    for i, s in enumerate(found):
        k[i, s.measure] = s.k
    parts = calibration.contents(k, np.array([s.n for s in found], float), kind)
    lead = np.zeros_like(parts, bool)
    lead[np.arange(len(found)), [s.measure for s in found]] = True
    parts = np.where(lead, parts, 0.0)  # not more than the mean over all measures
    return [
        Counts(n=s.n, hits=tuple(int(x) for x in k[i]), parts=tuple(parts[i].tolist())) for i, s in enumerate(found)
    ]


def weigh(
    unit: Unit,
    content: Counts,
    readings: Mapping[str, Reading],
    calibration: Calibration,
    *,
    kind: Kind = "account",
    beside: Beside | None = None,
    ties: Mapping[str, Tie] | None = None,
) -> Evidence:
    """Evidence on one unit.

    Args:
        content: what was counted of it, and the e-values of that.
        readings: signal -> value and sample size; signals that abstained are not in it.
        kind: what benign units the counts are compared with.
        beside: what benign units the evidence is compared with, if others: streams of accounts that serve many are
            judged beside such streams.
        ties: for a set: what ties its members, by type.
    Returns:
        strength = content x the mean of the other families x the mean of the ties; e_value = what that is worth beside
        benign accounts. Content is one family with one weight, however many of its signals fire. The product assumes
        that, among benign units of like size, what is asked for does not depend on tempo and network; the alarm rate on
        benign traffic checks the result. `p_values` has the signals that speak about such a unit, and no others.
    """
    usable = {s: r for s, r in readings.items() if s in ALL and r.n >= ALL[s].least}
    spoken = ("content", *SPEAKS[kind])
    p_values = {s: calibration.p_value(s, r.value, r.n) for s, r in usable.items() if ALL[s].family in spoken}
    e_content = sum(content.parts)
    per_family: dict[Family, list[float]] = {family: [] for family in SPEAKS[kind]}
    support: set[Family] = set()
    for signal, p in p_values.items():
        family = ALL[signal].family
        if family != "content":
            per_family[family].append(evalues.from_p_value(p))
            if p <= SUPPORT:
                support.add(family)
    e_family = {family: evalues.mean(values) for family, values in per_family.items() if values}
    e_link = 1.0
    if ties:
        extents = {name: t.extent for name, t in ties.items() if t.e >= BEYOND}
        if DEALT in usable:
            extents["dealt"] = usable[DEALT].value
        e_link = calibration.linked(extents)
    support |= {TYPES[name] for name, t in (ties or {}).items() if t.e >= BEYOND}
    # one work queue behind several accounts is a matter of who runs them, as a conversation that moves is
    if kind in ("set", "cohort") and DEALT in usable and usable[DEALT].value >= QUEUE:
        support.add("identity")
    if e_content >= MATTERS:
        support.add("content")
    lead = NAMES[content.parts.index(max(content.parts))]
    total = e_content * evalues.mean(list(e_family.values())) * e_link
    return Evidence(
        unit=unit, kind=kind, beside=beside or kind, counted=content.n,
        hits=dict(zip(NAMES, content.hits, strict=True)),
        lead=lead, readings=readings,
        p_values=p_values, e_content=e_content, e_family=e_family, e_link=e_link, strength=total,
        e_value=min(calibration.beyond(total, beside or kind, lead), CAP),
        families=tuple(sorted(support)), ties=dict(ties or {}),
    )  # fmt: skip
