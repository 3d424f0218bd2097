"""Scan labelled captures, one store each, and say what was concluded: label, verdict, reasons.

A capture is a hit if a campaign was found in it, whether its accounts are said to distil or to carry one for others.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stillwatch import pipeline
from stillwatch.config import Settings
from stillwatch.errors import InputError, Place
from stillwatch.progress import Progress, Watcher, ignore
from stillwatch.signals.registry import ALL

ORDER: Final = ("distilling", "reseller", "watch", "not_observable", "clear")
_ROW = re.compile(r"^\|\s*(distill|benign|mixed)\s*\|\s*([\w.-]+)\s*\|", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What became of one capture."""

    name: str
    label: str  # distill | benign | mixed
    exchanges: int
    accounts: dict[str, int]  # verdict -> accounts
    campaigns: int
    flagged_after: int | None  # exchanges until the first campaign stood
    reasons: list[str]

    @property
    def verdict(self) -> str:
        """The gravest verdict in the capture."""
        return next((v for v in ORDER if self.accounts.get(v)), "clear")

    @property
    def right(self) -> bool:
        """Campaigns in harvests and mixed traffic, none in honest traffic."""
        return (self.campaigns > 0) == (self.label in ("distill", "mixed"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureTable:
    """All captures of a folder."""

    captures: list[Capture]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {
            "captures": [
                {"name": c.name, "label": c.label, "verdict": c.verdict, "exchanges": c.exchanges,
                 "accounts": c.accounts,
                 "campaigns": c.campaigns, "flagged_after": c.flagged_after, "reasons": c.reasons, "right": c.right}
                for c in self.captures
            ],
            **self.counts(),
        }  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Harvests found, honest captures left alone."""
        harvests = [c for c in self.captures if c.label != "benign"]
        honest = [c for c in self.captures if c.label == "benign"]
        return {
            "harvests": len(harvests), "harvests_found": sum(c.right for c in harvests),
            "honest": len(honest), "honest_left_alone": sum(c.right for c in honest),
            "honest_without_any_mark": sum(c.verdict == "clear" for c in honest),
        }  # fmt: skip

    def text(self) -> str:
        """A Markdown table, a row a capture."""
        lines = [
            "| label | capture | verdict | campaigns | exchanges | flagged after | reasons |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {c.label} | {c.name} | {c.verdict}{'' if c.right else ' (wrong)'} | {c.campaigns} | {c.exchanges} | "
            f"{'-' if c.flagged_after is None else c.flagged_after} | {'; '.join(c.reasons) or '-'} |"
            for c in self.captures
        ]
        k = self.counts()
        lines.append(
            f"\n{k['harvests_found']} of {k['harvests']} harvests found; "
            f"{k['honest_left_alone']} of {k['honest']} honest "
            f"captures without a campaign, {k['honest_without_any_mark']} of them without any mark."
        )
        return "\n".join(lines)


def labels(folder: Path) -> dict[str, str]:
    """Capture name -> label, from the table in the folder's README.md.

    Raises:
        InputError: there is no README.md, or no table in it.
    """
    readme = folder / "README.md"
    found = {m[2]: m[1] for m in _ROW.finditer(readme.read_text(encoding="utf-8"))} if readme.exists() else {}
    if not found:
        raise InputError(
            "the captures have no labels", at=Place(path=str(readme)),
            fix="write a table whose rows begin with `| distill | NAME |`, `| benign | NAME |` or `| mixed | NAME |`",
        )  # fmt: skip
    return found


def run(folder: Path, settings: Settings, *, progress: Watcher = ignore) -> CaptureTable:
    """Scan every capture that has a label, each into a store of its own that is thrown away."""
    named = [(label, name, folder / f"{name}.jsonl.zst") for name, label in labels(folder).items()]
    found = []
    for number, (label, name, file) in enumerate(named):
        progress(Progress(stage="captures", done=number, total=len(named), unit="steps", detail=name))
        with tempfile.TemporaryDirectory() as scratch:
            result = pipeline.scan([str(file)], settings.replace(store=Path(scratch) / "store", max_bad=1.0))
            found.append(_capture(name, label, result))
    order = {"distill": 0, "mixed": 1, "benign": 2}
    return CaptureTable(captures=sorted(found, key=lambda c: (order[c.label], c.name)))


def _capture(name: str, label: str, result: pipeline.ScanResult) -> Capture:
    verdicts: dict[str, int] = {}
    for verdict in result.verdicts.column("verdict").to_pylist():
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    campaigns = result.campaigns.to_pylist()
    marked = [row for row in result.verdicts.to_pylist() if row["verdict"] != "clear"]
    reasons = (campaigns[0]["evidence"] if campaigns else marked[0]["reasons"] if marked else [])[:4]
    flags = [c["exchanges_at_flag"] for c in campaigns if c["exchanges_at_flag"] is not None]
    return Capture(
        name=name, label=label, exchanges=sum(result.verdicts.column("exchanges").to_pylist()), accounts=verdicts,
        campaigns=len(campaigns), flagged_after=min(flags) if flags else None, reasons=_short(reasons),
    )  # fmt: skip


def _short(reasons: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{r['signal']} {ALL[r['signal']].title.lower()} ({r['value']:.2g})" for r in reasons]
