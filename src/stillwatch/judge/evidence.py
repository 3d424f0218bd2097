"""The evidence on one unit: e-values by family, and what they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from stillwatch.judge.calibration import MEASURES, Calibration
from stillwatch.maths import evalues
from stillwatch.signals.registry import ALL, Family

RETURNS: Final = "SG108"  # prompts that come back: what is tested, not harvested
SUPPORT: Final = 0.25  # a family supports a verdict if one of its readings is among this share of benign ones
CAP: Final = 1e12


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
    hits: int  # exchanges that ask for training material, or for reasoning that is collected
    material: int
    traces: int
    sampled: int
    judges: int
    reasoned: int
    tokens_in: int
    tokens_out: int
    first_at: int
    last_at: int
    accounts: int
    account: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for a unit's exchanges being training data, and how strongly."""

    unit: Unit
    readings: Mapping[str, Reading]
    p_values: Mapping[str, float]
    e_content: float
    e_family: Mapping[Family, float]
    e_link: float
    e_value: float
    families: tuple[Family, ...]  # that support the verdict


def weigh(
    unit: Unit,
    readings: Mapping[str, Reading],
    calibration: Calibration,
    *,
    stream: bool = False,
    linked: Mapping[Family, float] | None = None,
    size: int = 1,
) -> Evidence:
    """Evidence on one unit.

    Args:
        readings: signal -> value and sample size; signals that abstained are not in it.
        stream: the unit is a stream inside an account, and is compared with benign streams.
        linked: for a linked set: family -> share of its accounts that this family ties to another one.
        size: accounts tied together.
    Returns:
        e_value = content x the mean of the other families x linking. Content is one family with one weight, however
        many of its signals fire. The product assumes that, among benign units of like size, what is asked for does
        not depend on tempo and network; `stillwatch bench` and the calibration's own alarm rate check the result.
    """
    usable = {s: r for s, r in readings.items() if s in ALL and r.n >= ALL[s].least}
    p_values = {s: calibration.p_value(s, r.value, r.n) for s, r in usable.items()}
    back = usable[RETURNS].value if RETURNS in usable else 0.0
    e_content = calibration.content(
        {name: getattr(unit, name) * (1 - back) for name in MEASURES}, unit.texts, stream=stream
    )
    per_family: dict[Family, list[float]] = {"tempo": [], "identity": [], "network": []}
    support: set[Family] = set()
    for signal, p in p_values.items():
        family = ALL[signal].family
        if family in per_family:
            per_family[family].append(evalues.from_p_value(p))
            if p <= SUPPORT:
                support.add(family)
    e_family = {family: evalues.mean(values) for family, values in per_family.items() if values}
    for family, share in (linked or {}).items():
        if family != "content" and share >= 0.1:
            support.add(family)
    e_link = calibration.link(size) if size > 1 and linked and any(s >= 0.1 for s in linked.values()) else 1.0
    if e_content >= 20:
        support.add("content")
    total = e_content * evalues.mean(list(e_family.values())) * e_link
    return Evidence(
        unit=unit, readings=readings, p_values=p_values, e_content=e_content, e_family=e_family, e_link=e_link,
        e_value=min(total, CAP), families=tuple(sorted(support)),
    )  # fmt: skip
