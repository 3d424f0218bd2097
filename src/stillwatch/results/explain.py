"""`stillwatch explain`: a verdict rebuilt from the store, in plain words, and checked against what was stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import stillwatch.signals  # noqa: F401  registers every signal
from stillwatch import people, tables
from stillwatch.engine import Engine
from stillwatch.errors import UsageError
from stillwatch.judge import calibration as calibrations
from stillwatch.judge.analyse import analyse
from stillwatch.judge.decide import Rules
from stillwatch.results.report_model import iso, words
from stillwatch.signals.registry import ALL
from stillwatch.sketch.keyed import value
from stillwatch.store.layout import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an account or a campaign has its verdict."""

    subject: str
    kind: str  # account | campaign
    row: Mapping[str, Any]
    links: list[Mapping[str, Any]]
    made_by: Mapping[str, Any]
    rebuilt: str | None  # the verdict as it comes out now; None for a campaign

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {"subject": self.subject, "kind": self.kind, **dict(self.row), "links": [dict(x) for x in self.links],
                "made_by": dict(self.made_by), "rebuilt": self.rebuilt}  # fmt: skip

    def text(self) -> str:
        """A page for people."""
        row = self.row
        lines = []
        if self.kind == "account":
            lines.append(
                f"{self.subject}: {row['verdict']}  "
                f"(probability {row['probability']:.4f}, e-value {row['e_value']:.3g})"
            )
            lines.append(f"{row['exchanges']:,} exchanges from {iso(row['first_at'])} to {iso(row['last_at'])}")
            if row["campaign_id"]:
                lines.append(f"part of campaign {row['campaign_id']}")
            if row["pool_id"]:
                lines.append(f"part of pool {row['pool_id']}")
            if row["note"]:
                lines.append(row["note"])
            why = row["reasons"]
        else:
            lines.append(
                f"{self.subject}: {', '.join(row['kinds'])}, "
                f"e-value {row['e_value']:.3g}, probability {row['probability']:.4f}"
            )
            lines.append(
                f"{len(row['accounts']):,} accounts, {row['exchanges']:,} exchanges "
                f"from {iso(row['first_at'])} to {iso(row['last_at'])}"
            )
            lines.append(f"targets: {', '.join(row['targets']) or 'none named'}")
            why = row["evidence"]
        if row["flagged_at"]:
            lines.append(
                f"a continuous run would have known at {iso(row['flagged_at'])}, "
                f"after {row['exchanges_at_flag']:,} exchanges"
            )
        lines.append("")
        lines.append("why:" if why else "nothing unusual was measured")
        for reason in why:
            signal = ALL[reason["signal"]]
            usual = "" if reason["baseline"] is None else f"; usual among benign accounts: {reason['baseline']:.3g}"
            lines.append(f"  {signal.name} ({signal.family}): {words(reason)}")
            lines.append(f"      {reason['value']:.4g} {signal.unit}{usual}; {reason['match_weight']:+.1f} bits")
            lines.append(f"      innocent explanations: {'; '.join(signal.innocent)}")
            if reason["exchanges"]:
                lines.append(f"      for example: {', '.join(reason['exchanges'][:5])}")
        if self.links:
            lines.append("")
            lines.append("linked to:")
            for link in self.links[:12]:
                other = link["b"] if link["a"] == self.subject else link["a"]
                lines.append(f"  {other}  {link['match_weight']:.1f} bits from {', '.join(link['families'])}")
        if row.get("abstained"):
            lines.append("")
            lines.append("could not be seen:")
            for a in row["abstained"]:
                lines.append(f"  {a['signal']} {ALL[a['signal']].title}: needs {', '.join(a['missing'])}")
        made = self.made_by
        lines.append("")
        lines.append(
            f"made by stillwatch {made['stillwatch']}, signals {made['signals_digest']}, calibration "
            f"{made['calibration']['name']} of {made['calibration']['date']} "
            f"(digest {made['calibration']['digest']}); record {made['digest']}"
        )
        if self.rebuilt is not None:
            same = "the same" if self.rebuilt == row.get("verdict") else f"NOT the same: {self.rebuilt}"
            lines.append(f"rebuilt from the store just now: {same}")
        return "\n".join(lines)


def explain(store_path: Path, subject: str) -> Explanation:
    """Explain an account or a campaign of the last scan.

    Raises:
        UsageError: the store knows no such account or campaign.
    """
    store = Store(store_path, create=False)
    made = json.loads((store.path / "results" / "made_by.json").read_bytes())
    campaigns = {row["campaign_id"]: row for row in store.result("campaigns").to_pylist()}
    links = store.result("links").to_pylist()
    if subject in campaigns:
        members = set(campaigns[subject]["accounts"])
        inside = [x for x in links if x["a"] in members and x["b"] in members]
        return Explanation(
            subject=subject, kind="campaign", row=campaigns[subject], links=inside, made_by=made, rebuilt=None
        )
    verdicts = {row["account_id"]: row for row in store.result("verdicts").to_pylist()}
    if subject not in verdicts:
        import difflib

        near = difflib.get_close_matches(subject, [*verdicts, *campaigns], n=1)
        raise UsageError(
            f"the store knows no account or campaign `{subject}`",
            fix=f"did you mean `{near[0]}`?"
            if near
            else "list them with `stillwatch verdicts` and `stillwatch campaigns`",
        )
    own = sorted((x for x in links if subject in (x["a"], x["b"])), key=lambda x: -x["match_weight"])
    return Explanation(
        subject=subject,
        kind="account",
        row=verdicts[subject],
        links=own,
        made_by=made,
        rebuilt=_rebuild(store, made, subject),
    )


def _rebuild(store: Store, made: Mapping[str, Any], subject: str) -> str | None:
    """The account's verdict, judged again; None if the calibration it was made with is not at hand."""
    calibration = calibrations.load(None)
    kept = store.path / "results" / "calibration.json"
    if calibration.digest != made["calibration"]["digest"]:
        if not kept.exists():
            return None
        calibration = calibrations.load(kept)
    file = store.path / "accounts.parquet"
    accounts = pq.read_table(file) if file.exists() else tables.ACCOUNT.empty_table()
    hashed = people.hashed(store, accounts)
    number = value(store.secret, subject, "account")
    with closing(Engine(threads=1, temp=store.path)) as engine:
        engine.load(store.files("sketches"), hashed, until=made["settings"]["until_us"])
        analysis = analyse(engine, calibration, Rules(**made["rules"]), flags=people.flags(hashed, accounts))
    verdict = analysis.verdicts.get(number)
    if verdict is None:  # the id is a hash already (policy)
        verdict = analysis.verdicts.get(int(subject, 16)) if len(subject) == 16 else None
    return verdict
