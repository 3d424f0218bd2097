"""Ground truth that ships beside generated traffic."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTruth:
    """What one account is."""

    role: str  # honest | campaign | reseller | router
    family: str  # `person`, the name of a look-alike, or the families of the campaign (F1, F17, ...)
    campaign: str | None  # for a router: the campaign that hides in it


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignTruth:
    """What one campaign did."""

    accounts: tuple[str, ...]
    exchanges: int  # harvesting ones; a decoy chat does not count
    first_at: int  # start of its first exchange, microseconds UTC
    kinds: tuple[str, ...]  # families of DESIGN section 8
    exchange_ids: tuple[str, ...]  # of the harvest, in order of start


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """Honest traffic that resembles a harvest."""

    accounts: tuple[str, ...]
    exchanges: int
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Who is who in the demo traffic."""

    seed: int
    exchanges: int
    accounts: dict[str, AccountTruth]
    campaigns: dict[str, CampaignTruth]
    look_alikes: dict[str, LookAlike]

    def write(self, path: Path) -> None:
        """Write as JSON with sorted keys, so that equal truths are equal files."""
        path.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Read what `write` wrote."""
        raw = orjson.loads(path.read_bytes())
        return cls(
            seed=raw["seed"],
            exchanges=raw["exchanges"],
            accounts={k: AccountTruth(**v) for k, v in raw["accounts"].items()},
            campaigns={k: CampaignTruth(**_tuples(v)) for k, v in raw["campaigns"].items()},
            look_alikes={k: LookAlike(**_tuples(v)) for k, v in raw["look_alikes"].items()},
        )


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
