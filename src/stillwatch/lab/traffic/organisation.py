"""How a campaign is organised: named values, drawn for each campaign or given by a scenario (DESIGN section 8)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from random import Random
from typing import Any, Final

from stillwatch.errors import UsageError

LEVELS: Final[dict[str, tuple[Any, ...]]] = {
    "accounts": (1, 4, 20, 60, 200),
    "rate_per_day": (2, 4, 8, 25, 200),  # requests of one account on a day
    "hours": ("human", "flat"),
    "sharding": ("round_robin", "sticky", "random"),
    "network": ("hosting", "residential", "rotating", "mixed"),
    "payment": ("shared", "few", "distinct"),
    "headers": ("own", "normalised"),
    "hidden": ("no", "no", "no", "router", "reseller", "aged", "stolen"),
    "share": (1.0, 0.5, 0.25, 0.1),  # of the traffic of the accounts that is harvest
    "failover": (0.0, 0.03),  # chance that a request is refused and goes on in another account
    "standby": (False, False, True),  # a second pool takes over after a ban
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """One campaign's values; `LEVELS` has what they are drawn from, a scenario may name others."""

    accounts: int = 20  # 1 to 20,000
    rate_per_day: float = 25.0
    hours: str = "human"
    sharding: str = "round_robin"
    network: str = "residential"
    payment: str = "few"
    headers: str = "own"
    hidden: str = "no"
    share: float = 1.0
    failover: float = 0.0
    standby: bool = False
    warm_up_days: float = 0.0  # honest-looking traffic first: poisons a calibration that is made meanwhile
    framed: int = 0  # innocent accounts whose keys send a little of the harvest

    def as_dict(self) -> dict[str, Any]:
        """For the ground truth."""
        return asdict(self)


NAMES: Final = tuple(f.name for f in fields(Organisation))


def named(given: dict[str, Any]) -> Organisation:
    """An organisation from a scenario's table.

    Raises:
        UsageError: a name or a value that does not exist.
    """
    for name, value in given.items():
        if name not in NAMES:
            near = get_close_matches(name, NAMES, 1)
            raise UsageError(
                f"an organisation has no `{name}`", fix=f"write `{near[0]}`" if near else f"use one of {NAMES}"
            )
        if isinstance(value, str) and value not in LEVELS.get(name, (value,)):
            raise UsageError(f"`{name}` cannot be `{value}`", fix=f"use one of {', '.join(map(str, LEVELS[name]))}")
    return Organisation(**given)


def drawn(rng: Random, given: dict[str, Any], exchanges: int, days: float) -> Organisation:
    """Values for what a scenario leaves open; accounts and rates such that the work can be done in the period."""
    values = {name: rng.choice(levels) for name, levels in LEVELS.items()}
    if values["hidden"] == "router":
        values["accounts"] = 1
    if values["hidden"] in ("router", "reseller"):
        values["share"] = rng.choice((0.5, 0.25, 0.1, 0.1))
        values["standby"] = False
    elif values["hidden"] in ("aged", "stolen"):
        values["share"] = rng.choice((0.5, 0.25))
    else:
        values["share"] = rng.choice((1.0, 1.0, 0.8, 0.5))
    values.update(given)
    # no more accounts than have three exchanges each, and no slower than the period allows
    values["accounts"] = max(1, min(values["accounts"], exchanges // 3))
    if values["hidden"] in ("no", "aged", "stolen"):
        values["rate_per_day"] = max(values["rate_per_day"], exchanges / values["accounts"] / (0.7 * days))
    return named(values)
