"""How right was a scan of generated traffic? Its result against the ground truth that lies beside the logs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from stillwatch.lab.traffic import Truth
from stillwatch.pipeline import ScanResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """One hidden campaign and what was found of it."""

    name: str
    accounts: int
    found: int  # of its accounts, in the campaign that matches it best
    strangers: int  # accounts in that campaign that are not its own
    exchanges: int
    flagged_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The demo's own mark."""

    campaigns: list[Hidden]
    extra_campaigns: int  # found, but nobody hid them
    resellers: int
    resellers_found: int
    resellers_accused: int  # said to distil
    honest: int
    honest_accused: int  # said to distil
    honest_marked: Counter[str]  # other marks on honest accounts

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "campaigns": [
                {"name": h.name, "accounts": h.accounts, "found": h.found, "strangers": h.strangers,
                 "exchanges": h.exchanges, "flagged_after": h.flagged_after}
                for h in self.campaigns
            ],
            "extra_campaigns": self.extra_campaigns, "resellers": self.resellers,
            "resellers_found": self.resellers_found, "resellers_accused": self.resellers_accused,
            "honest": self.honest, "honest_accused": self.honest_accused, "honest_marked": dict(self.honest_marked),
        }  # fmt: skip

    def text(self) -> str:
        """A few lines that a newcomer understands."""
        lines = ["How right that was (the answer key lies beside the logs):"]
        for h in self.campaigns:
            if h.found == 0:
                lines.append(f"  campaign `{h.name}` ({h.accounts} accounts, {h.exchanges:,} exchanges): missed")
                continue
            others = f", with {h.strangers} accounts that are not part of it" if h.strangers else ""
            when = (
                ""
                if h.flagged_after is None
                else f"; a running watch would have known after {h.flagged_after:,} of its exchanges"
            )
            lines.append(
                f"  campaign `{h.name}` ({h.accounts} accounts, {h.exchanges:,} exchanges): "
                f"{h.found} accounts found{others}{when}"
            )
        if self.extra_campaigns:
            lines.append(f"  {self.extra_campaigns} more campaign(s) were named that nobody hid")
        lines.append(
            f"  {self.resellers_found} of {self.resellers} accounts of a reseller that does not distil are called "
            "resellers, "
            f"{self.resellers_accused} distillers"
        )
        marks = ", ".join(f"{n} {v}" for v, n in sorted(self.honest_marked.items()))
        lines.append(
            f"  {self.honest_accused} of {self.honest} honest accounts are wrongly said to distil"
            + (f" (other marks on honest accounts: {marks})" if marks else "; none has any mark")
        )
        return "\n".join(lines)


def score(result: ScanResult, truth: Truth) -> Score:
    """Match found campaigns to hidden ones by the accounts they share."""
    verdicts = dict(
        zip(
            result.verdicts.column("account_id").to_pylist(), result.verdicts.column("verdict").to_pylist(), strict=True
        )
    )
    found = result.campaigns.to_pylist()
    used: set[str] = set()
    hidden = []
    for name, campaign in truth.campaigns.items():
        own = set(campaign.accounts)
        best = max(found, key=lambda c: len(own & set(c["accounts"])), default=None)
        shared = len(own & set(best["accounts"])) if best else 0
        if best and shared:
            used.add(best["campaign_id"])
        hidden.append(
            Hidden(
                name=name, accounts=len(own), found=shared,
                strangers=len(set(best["accounts"]) - own) if best and shared else 0, exchanges=campaign.exchanges,
                flagged_after=best["exchanges_at_flag"] if best and shared else None,
            )
        )  # fmt: skip
    guilty = {a for c in truth.campaigns.values() for a in c.accounts}
    extra = sum(1 for c in found if c["campaign_id"] not in used and not guilty & set(c["accounts"]))
    resellers = [a for a, t in truth.accounts.items() if t.role == "reseller"]
    honest = [a for a, t in truth.accounts.items() if t.role == "honest"]
    return Score(
        campaigns=hidden, extra_campaigns=extra, resellers=len(resellers),
        resellers_found=sum(verdicts.get(a) == "reseller" for a in resellers),
        resellers_accused=sum(verdicts.get(a) == "distilling" for a in resellers), honest=len(honest),
        honest_accused=sum(verdicts.get(a) == "distilling" for a in honest),
        honest_marked=Counter(
            v for a in honest if (v := verdicts.get(a, "clear")) in ("watch", "reseller", "not_observable")
        ),
    )  # fmt: skip
