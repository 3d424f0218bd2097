"""What the report shows, put together from results, store and signals' own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from stillwatch.engine import Engine
from stillwatch.intake import InputReport
from stillwatch.judge.analyse import Analysis
from stillwatch.judge.calibration import Calibration
from stillwatch.judge.rows import Rows
from stillwatch.report import redact
from stillwatch.results.conclude import CampaignFacts, Conclusion, campaign_id
from stillwatch.signals.measure import able
from stillwatch.signals.registry import ALL
from stillwatch.sketch.elicitation import CLASSES
from stillwatch.store.layout import Store

BUCKETS: Final = 96
KIND_WORDS: Final = {
    "direct": "run directly", "routed": "hidden inside a router's account",
    "resold": "run through a reseller's accounts",
    "hydra": "spread thinly over many accounts",
}  # fmt: skip


def iso(at: Any) -> str | None:
    """Microseconds or a datetime as ISO 8601 in UTC, to the second."""
    if at is None:
        return None
    moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at / 1e6, UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def timeline(
    engine: Engine, rows: Rows, campaigns: Sequence[CampaignFacts], names: Mapping[tuple[str, int], str]
) -> dict[str, Any] | None:
    """Exchanges per bucket: all, and those of each campaign."""
    span = engine.query('SELECT min("at") AS a, max("at") AS b FROM sketches').to_pylist()[0]
    if span["a"] is None:
        return None
    width = max((span["b"] - span["a"]) // BUCKETS + 1, 1_000_000)
    width = -(-width // 1_000_000) * 1_000_000
    size = (span["b"] - span["a"]) // width + 1

    total = np.zeros(size, np.int64)
    for row in engine.query(
        f'SELECT (("at" - {span["a"]}) // {width})::INT AS bucket, count(*) AS k FROM sketches GROUP BY bucket'
    ).to_pylist():
        total[row["bucket"]] = row["k"]
    told = []
    for facts in campaigns:
        buckets = (rows.at[facts.finding.places] - span["a"]) // width
        members = sorted(names.get(("account", a)) or f"{a:016x}" for a in facts.finding.accounts)
        told.append({"campaign_id": campaign_id(members, facts.finding.streams),
                     "counts": np.bincount(buckets, minlength=size).tolist()})  # fmt: skip
    return {
        "start": iso(span["a"]), "bucket_s": width // 1_000_000,
        "total": total.tolist(), "campaigns": told,
    }  # fmt: skip


def not_seen(analysis: Analysis, present: frozenset[str]) -> list[dict[str, Any]]:
    """Signals that abstained for want of fields, with what to switch on."""
    found = []
    for abstention in analysis.abstained:
        signal = ALL[abstention.signal]
        found.append(
            {
                "signal": signal.id, "title": signal.title, "missing": list(abstention.missing),
                "accounts": len(analysis.units),
                "consequence": f"not looked for: {signal.means[0].lower()}{signal.means[1:]}",
                "fix": signal.enable or "log the missing fields",
            }
        )  # fmt: skip
    return found


def build(
    store: Store, conclusion: Conclusion, analysis: Analysis, *, inputs: Sequence[InputReport],
    calibration: Calibration, timeline: Mapping[str, Any] | None, not_seen: Sequence[Mapping[str, Any]], now_us: int,
    version: str, made_by: Mapping[str, Any], text: bool,
) -> dict[str, Any]:  # fmt: skip
    """The report model as plain data (see stillwatch.report.model)."""
    verdicts = [_verdict(row) for row in conclusion.verdicts.to_pylist()]
    by_account = {row["account_id"]: row for row in verdicts}
    reasons: Counter[str] = Counter()
    for report in inputs:
        reasons.update(report.reasons)
    states = store.inputs().values()
    return {
        "title": "Distillation campaigns in the traffic",
        "generated_at": iso(now_us),
        "software": {"version": version, "signals_lock": made_by["signals_digest"]},
        "inputs": [
            {"path": s.path, "format": s.format, "exchanges": s.kept, "first_at": iso(s.first_at),
             "last_at": iso(s.last_at),
             "quarantined": s.rejected}
            for s in states
        ],
        "summary": {
            "exchanges": int(sum(u.n for u in analysis.units.values())), "accounts": len(analysis.units),
            "pools": conclusion.pools.num_rows, "campaigns": conclusion.campaigns.num_rows,
            "verdict_counts": dict(Counter(row["verdict"] for row in verdicts)),
            "quarantined": sum(s.rejected for s in states), "quarantine_reasons": dict(reasons),
        },
        "calibration": {"name": calibration.name, "digest": calibration.digest, "date": calibration.date,
                        "made_from": calibration.made_from},
        "campaigns": [_campaign(row, by_account, store, text) for row in conclusion.campaigns.to_pylist()],
        "pools": conclusion.pools.to_pylist(),
        "links": [
            {"a": row["a"], "b": row["b"], "match_weight": row["match_weight"], "families": row["families"],
             "reasons": [words(r) for r in row["reasons"]]}
            for row in conclusion.links.to_pylist()
        ],
        "verdicts": verdicts,
        "timeline": timeline,
        "not_seen": list(not_seen),
        "signals": {
            s.id: {"title": s.title, "means": s.means, "innocent": list(s.innocent), "misses": list(s.misses),
                   "unit": s.unit, "family": s.family}
            for s in ALL.values()
        },
    }  # fmt: skip


def words(reason: Mapping[str, Any]) -> str:
    """A reading as a sentence."""
    signal = ALL[reason["signal"]]
    try:
        return signal.sentence.format(value=reason["value"] or 0.0, n=int(reason["n"] or 0))
    except (ValueError, KeyError, IndexError):
        return f"{signal.title}: {reason['value']:.3g} {signal.unit}"


def _verdict(row: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: iso(row[name]) for name in ("first_at", "last_at", "flagged_at")}
    kept = {name: row[name] for name in ("account_id", "verdict", "exchanges", "probability", "e_value", "campaign_id",
                                         "pool_id", "exchanges_at_flag", "reasons", "abstained")}  # fmt: skip
    return {**kept, **times}


def _campaign(row: Mapping[str, Any], by_account: Mapping[str, Any], store: Store, text: bool) -> dict[str, Any]:
    members = [by_account[a] for a in row["accounts"] if a in by_account]
    hosts = row["kinds"] == ["routed"]
    exposure = dict(row["exposure"])
    targets = ", ".join(row["targets"]) or "unnamed skills"
    size = f"{row['exchanges']:,} exchanges of {len(row['accounts'])} account{'s' if len(row['accounts']) != 1 else ''}"
    how = " and ".join(KIND_WORDS[k] for k in row["kinds"])
    return {
        "campaign_id": row["campaign_id"], "kinds": row["kinds"], "accounts": row["accounts"],
        "streams": row["streams"],
        "exchanges": row["exchanges"], "tokens_in": row["tokens_in"], "tokens_out": row["tokens_out"],
        "first_at": iso(row["first_at"]), "last_at": iso(row["last_at"]), "flagged_at": iso(row["flagged_at"]),
        "exchanges_at_flag": row["exchanges_at_flag"], "targets": row["targets"], "e_value": row["e_value"],
        "probability": row["probability"],
        "evidence": [f"supported by {', '.join(row['families'])}"]
        + (["kept at a false discovery rate of 5 % over all units judged"] if row["e_bh"] else []),
        "attribution": row["attribution"], "exposure": exposure,
        "headline": f"{size}, {how}, look gathered to train a model on {targets}.",
        "why": [
            {"signal": r["signal"], "title": ALL[r["signal"]].title, "sentence": words(r), "value": r["value"],
             "baseline": r["baseline"], "unit": ALL[r["signal"]].unit, "match_weight": r["match_weight"]}
            for r in row["evidence"]
        ],
        "exemplars": _exemplars(store, row["accounts"]) if text else [],
        "members": [
            {"account_id": m["account_id"], "verdict": m["verdict"], "role": "carries it" if hosts else "member",
             "exchanges": m["exchanges"], "first_at": m["first_at"], "last_at": m["last_at"]}
            for m in members
        ],
    }  # fmt: skip


def _exemplars(store: Store, accounts: Sequence[str], limit: int = 4) -> list[dict[str, Any]]:
    """A few redacted prompts, one for each template."""
    wanted: dict[int, str] = {}
    for file in store.files("names"):
        for row in pq.read_table(file).to_pylist():
            if row["kind"] == "account" and row["value"] in set(accounts):
                wanted[row["hash"]] = row["value"]
    found: dict[Any, dict[str, Any]] = {}
    for file in store.files("excerpts"):
        for row in pq.read_table(file).to_pylist():
            if row["account"] in wanted and row["head"] not in found and len(found) < limit:
                asks = [name for name, bit in CLASSES.items() if row["elicits"] >> bit & 1]
                found[row["head"]] = {
                    "exchange_id": row["exchange_id"], "at": iso(row["at"]), "account_id": wanted[row["account"]],
                    "text": redact(row["text"]), "why": "asks for " + ", ".join(asks[:3]).replace("_", " "),
                    "source": f"{row['file']}:{row['line']}",
                }  # fmt: skip
    return list(found.values())


__all__ = ["able", "build", "iso", "not_seen", "timeline"]
