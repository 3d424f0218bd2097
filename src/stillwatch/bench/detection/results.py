"""One scan of one data set against its truth, as plain data: what the work folder keeps and `measures` reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from stillwatch.bench.detection import matching, missed
from stillwatch.bench.detection.data import Known
from stillwatch.bench.detection.linking import compare
from stillwatch.bench.detection.scans import Found

SERVES: Final = frozenset({"reseller", "router"})  # roles of accounts that serve others


def measured(found: Found, known: Known) -> dict[str, Any]:
    """One scan against the truth, as plain data: what `measures` reads."""
    matches = matching.match(found, known)
    outcomes = matching.outcomes(matches, known)
    verdicts = {row["account_id"]: row for row in found.verdicts}
    inside = {a for m in matches for a in m.accounts}
    accounts = []
    for name, account in known.accounts.items():
        row = verdicts.get(name)
        if row is not None:  # an account without traffic has no verdict, and nothing to be wrong about
            accounts.append(
                {
                    "account": name, "role": account.role, "workload": account.workload, "language": account.language,
                    "campaigns": list(account.campaigns), "verdict": row["verdict"],
                    "log_e": math.log10(max(row["e_value"] or 1.0, 1e-12)),
                    "flagged": row["verdict"] == "distilling" or name in inside, "exchanges": row["exchanges"],
                }
            )  # fmt: skip
    campaigns = []
    for outcome in outcomes:
        plain = matching.as_dict(outcome)
        plain["why"] = None if outcome.found else missed.reason(outcome, matches, verdicts, found)
        campaigns.append(plain)
    visible = {c["campaign"] for c in campaigns if c["observable"] and not c["expected_miss"]}
    return {
        "seed": known.seed, "side": known.side, "scenario": known.scenario, "months": known.months,
        "exchanges": known.rows.num_rows, "accounts": accounts, "campaigns": campaigns,
        "found": [
            {"found": m.found, "true": m.true, "how": m.how, "share": m.share, "accounts": len(m.accounts),
             "exchanges": len(m.rows)} for m in matches
        ],
        "linking": {
            "campaigns": list(compare(
                {n: c.accounts for n, c in known.campaigns.items() if n in visible},
                {c["campaign_id"]: c["accounts"] for c in found.campaigns},
            )),
            "pools": list(compare(known.pools, {p["pool_id"]: p["accounts"] for p in found.pools})),
        },
        "aggregators": _aggregators(matches, known, visible),
    }  # fmt: skip


def _aggregators(matches: Sequence[matching.Match], known: Known, visible: set[str]) -> dict[str, int]:
    """Exchanges inside accounts that serve others: harvest there, taken into campaigns, and both."""
    serving = np.isin(known.account, [n for n, a in known.accounts.items() if a.role in SERVES])
    harvest = np.isin(known.campaign, list(visible)) & serving
    taken = np.zeros(len(serving), bool)
    for m in matches:
        taken[m.rows] = True
    taken &= serving
    return {"harvest": int(harvest.sum()), "taken": int(taken.sum()), "found": int((harvest & taken).sum())}
