"""How a campaign is organised: named values, drawn for each campaign or given by a scenario (DESIGN section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from random import Random
from typing import Any, Final

from stillwatch.errors import UsageError

LEVELS: Final[dict[str, tuple[Any, ...]]] = {
    "accounts": (1, 4, 20, 60, 200, 1000),
    "rate_per_day": (2, 4, 8, 25, 200),  # requests of one account on a day
    "hours": ("human", "flat"),
    "sharding": ("round_robin", "sticky", "random"),
    "network": ("hosting", "residential", "rotating", "mixed"),
    "payment": ("shared", "few", "distinct"),
    "programme": ("mixed", "mixed", "mixed", "startup", "education", "research"),
    "headers": ("own", "normalised"),
    "hidden": ("no", "no", "no", "router", "reseller", "aged", "stolen"),
    "failover": (0.0, 0.03),  # chance that a request is refused and goes on in another account
    "standby": (False, False, True),  # a second pool takes over after a ban
    "warm_up_days": (0.0, 0.0, 0.0, 0.0, 3.0),  # of honest-looking traffic first
    "framed": (0, 0, 0, 0, 2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """One campaign's values; `LEVELS` has what they are drawn from, a scenario may name others."""

    accounts: int = 20  # 1 to 20,000
    rate_per_day: float = 25.0
    days: float = 10.0  # that the work is spread over
    hours: str = "human"
    sharding: str = "round_robin"
    network: str = "residential"
    payment: str = "few"
    programme: str = "mixed"  # or all accounts in one of the provider's programmes
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


SHARES: Final = {  # of the accounts' traffic that is harvest, by where it hides
    "no": (1.0, 1.0, 0.8, 0.5),
    "aged": (0.5, 0.25),
    "stolen": (0.5, 0.25),
    "router": (0.5, 0.25, 0.1, 0.1, 0.05, 0.01),
    "reseller": (0.5, 0.25, 0.1, 0.1, 0.05, 0.01),
}


def drawn(
    rng: Random, plan: Mapping[str, Any], given: dict[str, Any], *, exchanges: int, days: float, room: int
) -> Organisation:
    """Values for what a scenario leaves open, such that the work can be done in the period.

    Args:
        plan: a level of each factor of `LEVELS`, as the sampled design has it.
        given: what the scenario says; it stands.
        exchanges: of the harvest.
        room: honest exchanges that the accounts of an intermediary may have beside it.
    """
    values = {name: plan[name] for name in LEVELS} | given
    if values["hidden"] == "router":
        values["accounts"] = 1
    if values["hidden"] in ("router", "reseller"):
        values.update(standby=False, warm_up_days=0.0, framed=0)
    if values["hidden"] in ("aged", "stolen"):
        values.update(standby=False, framed=0)
    shares = SHARES[values["hidden"]]
    fitting = [s for s in shares if exchanges * (1 - s) / s <= room] or [max(shares)]
    values["share"] = rng.choice(fitting)
    values["days"] = values.get("days") or days * rng.choice((0.15, 0.4, 0.6, 0.9, 0.9))
    values["warm_up_days"] = min(values["warm_up_days"], 0.25 * values["days"])
    values.update(given)
    # what does not fit the work gives way: no account has fewer than three exchanges, and the work fills its days
    values["accounts"] = max(1, min(values["accounts"], exchanges // 3))
    per_day = exchanges / values["days"]
    if values["hidden"] in ("no", "aged", "stolen"):
        if rng.random() < 0.3 and "accounts" not in given:
            values["accounts"] = max(1, min(values["accounts"], round(per_day / values["rate_per_day"])))
        if "rate_per_day" not in given:
            values["rate_per_day"] = round(per_day / values["accounts"], 2)
    return named(values)
