"""What an attacker pays for a thousand exchanges, in accounts, days and dollars: a table of attackers who adapt.

A campaign that is flagged loses its accounts and begins again with new ones; what it took before the flag is what one
round yields. One that is never flagged pays once for what it takes. Tokens are paid at the prices in the log.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from stillwatch.bench.detection.measures import Result, seen

# Sysdig (LLMjacking) saw access to one working account sold for 30 dollars. An account that an attacker opens costs a
# card, a telephone number and an address; nobody publishes what, so the price of a stolen one stands for it.
ACCOUNT_USD: Final = 30.0
WANTED: Final = 1000  # exchanges: s1 and DED show gains from about so many curated traces


class Price(NamedTuple):
    """What `WANTED` exchanges cost."""

    accounts: float
    days: float
    dollars: float


def price(campaign: Result, spent: float) -> Price:
    """What a campaign pays for `WANTED` exchanges of its harvest.

    Args:
        campaign: of `results.measured`.
        spent:    what all its exchanges cost at the prices in the log, dollars.
    """
    total = max(campaign["exchanges"], 1)
    tokens = WANTED * spent / total
    days = campaign["days"]
    if campaign["before_flag"] is None:  # one round for as long as it takes
        share = WANTED / total
        return Price(campaign["accounts"], days * share, campaign["accounts"] * ACCOUNT_USD + tokens)
    rounds = math.ceil(WANTED / max(campaign["before_flag"], 1))
    accounts = rounds * campaign["accounts"]
    return Price(accounts, rounds * max(campaign["hours_to_flag"], 0.0) / 24, accounts * ACCOUNT_USD + tokens)


def rows(results: Sequence[tuple[str, Result, Mapping[str, float]]]) -> list[dict[str, Any]]:
    """One row an attacker: (name, result, dollars by campaign)."""
    out = []
    for name, result, spent in results:
        each = [c for c in result["campaigns"] if seen(c) and not c["hides"]]
        prices = [price(c, spent.get(c["campaign"], 0.0)) for c in each]
        if prices:
            middle = Price(*(float(np.median(values)) for values in zip(*prices, strict=True)))
            out.append(
                {
                    "attacker": name, "campaigns": len(each), "found": sum(c["fragments"] > 0 for c in each),
                    "before_flag": float(np.median([
                        math.inf if c["before_flag"] is None else c["before_flag"] for c in each
                    ])),
                    **middle._asdict(), "innocent_flagged": sum(
                        a["flagged"] and not a["campaigns"] for a in result["accounts"]
                    ), "framed_flagged": result.get("framed_flagged"),
                }
            )  # fmt: skip
    return out
