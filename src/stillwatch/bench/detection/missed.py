"""Why a campaign was missed, in plain words: what was seen of its accounts, and which evidence lacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stillwatch.bench.detection.matching import Match, Outcome
from stillwatch.bench.detection.scans import Found


def reason(outcome: Outcome, matches: list[Match], verdicts: Mapping[str, Mapping[str, Any]], found: Found) -> str:
    """One or two sentences on a campaign that no found campaign is."""
    if not outcome.known.observable or not outcome.known.exchanges:
        return "it leaves no traffic here: not observable"
    rows = [verdicts[a] for a in outcome.known.accounts if a in verdicts]
    if not rows:
        return "none of its accounts is in the log"
    marks = Counter(row["verdict"] for row in rows)
    families = Counter(f for row in rows for f in row["families"])
    best = max(rows, key=lambda row: row["e_value"] or 1.0)
    said = ", ".join(f"{n} {verdict}" for verdict, n in marks.most_common())
    parts = [f"its accounts: {said}; the strongest e-value of one is {best['e_value'] or 1.0:.3g}"]
    if not families.get("content"):
        parts.append("nothing that it asks for was recognised as training material, so content is silent")
    elif len(families) == 1:
        parts.append("content alone speaks, and one family of evidence is no verdict")
    else:
        parts.append(f"{' and '.join(sorted(families))} speak, but too weakly for the threshold")
    if len(outcome.known.accounts) > 1:
        pooled = sum(row["pool_id"] is not None for row in rows)
        parts.append(f"{pooled} of {len(rows)} accounts were linked to another one")
    merged = sum(bool(set(outcome.known.accounts) & set(m.accounts)) for m in matches if m.true != outcome.campaign)
    if merged:
        parts.append(f"{merged} found campaign(s) hold accounts of it but are mostly something else")
    return "; ".join(parts)
