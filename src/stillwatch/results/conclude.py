"""An analysis as the tables that people and other programs read: verdicts, campaigns, pools, links, readings."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from stillwatch import tables
from stillwatch.judge.analyse import Analysis
from stillwatch.judge.calibration import Calibration
from stillwatch.judge.decide import Rules, is_aggregator, probability, relay_pools
from stillwatch.judge.evidence import Evidence
from stillwatch.judge.findings import Finding
from stillwatch.judge.replay import Flagged
from stillwatch.maths import evalues
from stillwatch.signals.registry import ALL
from stillwatch.sketch.elicitation import CLASSES

# What the harvested exchanges would teach: elicitation class -> target.
TARGETS: Final = {
    "reasoning": "reasoning", "rationale": "reasoning", "verbatim_reasoning": "reasoning", "judging": "judging",
    "rewriting": "rewriting", "instruct_evolution": "instruction following", "task_synthesis": "task synthesis",
    "qa_synthesis": "question answering", "persona_synthesis": "task synthesis", "coding": "code",
    "transcript_cleaning": "agentic", "environment_synthesis": "agentic", "dialogue_synthesis": "dialogue",
    "preference_synthesis": "judging", "boundary_mapping": "safeguards", "thinking_language": "reasoning",
}  # fmt: skip
MAX_E: Final = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """Result tables of one scan."""

    verdicts: pa.Table
    campaigns: pa.Table
    pools: pa.Table
    links: pa.Table
    readings: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFacts:
    """A campaign before it becomes a row."""

    finding: Finding
    flagged: Flagged | None
    classes: Mapping[str, int]
    examples: Sequence[str]
    exchanges: int
    asks: int  # of its exchanges, how many ask for training material
    traces: int
    tokens_in: int
    tokens_out: int
    first_at: int
    last_at: int


def campaign_id(accounts: Sequence[str], streams: Sequence[int]) -> str:
    """Stable name: a digest of the members."""
    text = "\0".join([*sorted(accounts), *(f"{s:016x}" for s in sorted(streams))])
    return "C-" + hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def pool_id(accounts: Sequence[str]) -> str:
    """Stable name: a digest of the members."""
    return "P-" + hashlib.blake2b("\0".join(sorted(accounts)).encode(), digest_size=4).hexdigest()


def reasons(
    evidence: Evidence,
    calibration: Calibration,
    examples: Sequence[str],
    links: Sequence[tuple[str, float, float]] = (),
) -> list[dict[str, Any]]:
    """Readings that are unusual among benign units, most unusual first, then what ties accounts together."""
    rows = []
    for signal, p in sorted(evidence.p_values.items(), key=lambda item: (item[1], item[0])):
        if signal == "SG108" or p > 0.25:
            continue
        reading = evidence.readings[signal]
        content = ALL[signal].family == "content"
        rows.append(
            {
                "signal": signal, "version": ALL[signal].version, "value": reading.value, "n": reading.n,
                "baseline": calibration.baseline(signal, reading.n),
                "match_weight": round(math.log2(max(evalues.from_p_value(p), 1e-6)), 2),
                "exchanges": list(examples) if content else [],
            }
        )  # fmt: skip
    strongest: dict[str, tuple[float, float]] = {}
    for signal, value, bits in links:
        if bits > strongest.get(signal, (0.0, 0.0))[1]:
            strongest[signal] = (value, bits)
    for signal, (value, bits) in sorted(strongest.items(), key=lambda item: (-item[1][1], item[0])):
        rows.append({"signal": signal, "version": ALL[signal].version, "value": value, "baseline": None,
                     "match_weight": round(bits, 2), "exchanges": []})  # fmt: skip
    return rows


class _Namer:
    """Gives values back to hashes; a hash without a name (policy) is shown as it is."""

    def __init__(self, names: Mapping[tuple[str, int], str]) -> None:
        self._names = names

    def account(self, h: int) -> str:
        return self._names.get(("account", h)) or f"{h:016x}"

    def accounts(self, hashes: Iterable[int]) -> list[str]:
        return sorted(self.account(h) for h in hashes)


def conclude(
    analysis: Analysis, campaigns: Sequence[CampaignFacts], calibration: Calibration, rules: Rules, *,
    names: Mapping[tuple[str, int], str], flags: Mapping[int, frozenset[str]], organisations: Mapping[int, str],
    made_by: str,
) -> Conclusion:  # fmt: skip
    """All result tables. `names` gives values back to hashes, (kind, hash) -> value."""
    namer = _Namer(names)
    relays = relay_pools(analysis.edges, analysis.pools)
    part_of: dict[int, tuple[str, CampaignFacts]] = {}
    for facts in campaigns:
        name = campaign_id(namer.accounts(facts.finding.accounts), facts.finding.streams)
        part_of.update({a: (name, facts) for a in facts.finding.accounts})
    return Conclusion(
        verdicts=pa.Table.from_pylist(
            _verdicts(analysis, part_of, calibration, rules, namer, flags, made_by), tables.VERDICT
        ),
        campaigns=pa.Table.from_pylist(
            _campaigns(analysis, campaigns, calibration, rules, namer, organisations, relays, made_by), tables.CAMPAIGN
        ),
        pools=pa.Table.from_pylist(_pools(analysis, relays, namer), tables.POOL),
        links=pa.Table.from_pylist(_link_rows(analysis, namer), tables.LINK),
        readings=pa.Table.from_pylist(_readings(analysis, calibration, namer), tables.READING),
    )


def _campaigns(
    analysis: Analysis, campaigns: Sequence[CampaignFacts], calibration: Calibration, rules: Rules, namer: _Namer,
    organisations: Mapping[int, str], relays: Sequence[Sequence[int]], made_by: str,
) -> list[dict[str, Any]]:  # fmt: skip
    judged = [e.e_value for e in analysis.evidence.values()]
    discovered = evalues.e_bh([c.finding.evidence.e_value for c in campaigns] + judged, 0.05) if campaigns else []
    rows: list[dict[str, Any]] = []
    for facts, kept in zip(campaigns, discovered, strict=False):
        finding = facts.finding
        inside = set(finding.accounts)
        links = [x for e in analysis.edges if e.a in inside and e.b in inside for x in e.agreements]
        members = namer.accounts(finding.accounts)
        rows.append(
            {
                "campaign_id": campaign_id(members, finding.streams),
                "kinds": _kinds(facts, analysis, relays, rules),
                "accounts": members,
                "streams": [f"{s:016x}" for s in finding.streams],
                "exchanges": facts.exchanges,
                "tokens_in": facts.tokens_in,
                "tokens_out": facts.tokens_out,
                "first_at": facts.first_at,
                "last_at": facts.last_at,
                "flagged_at": facts.flagged.at if facts.flagged else None,
                "exchanges_at_flag": facts.flagged.exchanges if facts.flagged else None,
                "targets": _targets(facts),
                "e_value": min(finding.evidence.e_value, MAX_E),
                "probability": probability(finding.evidence, rules),
                "evidence": reasons(finding.evidence, calibration, facts.examples, links),
                "families": list(finding.evidence.families),
                "attribution": _attribution(finding, organisations),
                "exposure": [
                    ("exchanges", float(facts.exchanges)),
                    ("tokens_out", float(facts.tokens_out)),
                    ("training_material", float(facts.asks)),
                ],
                "e_bh": kept,
                "made_by": made_by,
            }
        )
    return sorted(rows, key=lambda r: (-r["e_value"], -r["exchanges"], r["campaign_id"]))


_GRAVEST: Final = {"distilling": 0, "reseller": 1, "watch": 2, "not_observable": 3, "clear": 4}


def _verdicts(
    analysis: Analysis, part_of: Mapping[int, tuple[str, CampaignFacts]], calibration: Calibration, rules: Rules,
    namer: _Namer, flags: Mapping[int, frozenset[str]], made_by: str,
) -> list[dict[str, Any]]:  # fmt: skip
    pools = {a: pool_id(namer.accounts(pool)) for pool in analysis.pools for a in pool}
    ties: dict[int, list[tuple[str, float, float]]] = defaultdict(list)
    for edge in analysis.edges:
        ties[edge.a] += edge.agreements
        ties[edge.b] += edge.agreements
    abstained = [{"signal": a.signal, "missing": list(a.missing)} for a in analysis.abstained]
    rows: list[dict[str, Any]] = []
    for h, unit in analysis.units.items():
        verdict = analysis.verdicts[h]
        own = analysis.evidence.get(h)
        name, facts = part_of.get(h, (None, None))
        best = own
        if facts is not None and (own is None or facts.finding.evidence.e_value > own.e_value):
            best = facts.finding.evidence
        why: list[dict[str, Any]] = []
        if verdict != "clear":
            why = reasons(best, calibration, facts.examples if facts else (), ties[h]) if best else _links(ties[h])
        at, count = _flag(h, facts) if verdict in ("distilling", "reseller") else (None, None)
        answered = sorted(f for f in flags.get(h, ()) if f)
        rows.append(
            {
                "account_id": namer.account(h),
                "verdict": verdict,
                "probability": probability(best, rules) if best else rules.prior,
                "e_value": min(best.e_value, MAX_E) if best else 1.0,
                "campaign_id": name,
                "pool_id": pools.get(h),
                "first_at": unit.first_at,
                "last_at": unit.last_at,
                "exchanges": unit.n,
                "flagged_at": at,
                "exchanges_at_flag": count,
                "reasons": why,
                "abstained": abstained,
                "families": list(best.families) if best else [],
                "note": f"contract flags: {', '.join(answered)}" if answered else None,
                "made_by": made_by,
            }
        )
    return sorted(rows, key=lambda r: (_GRAVEST[r["verdict"]], -r["e_value"], r["account_id"]))


def _pools(analysis: Analysis, relays: Sequence[Sequence[int]], namer: _Namer) -> list[dict[str, Any]]:
    relayed = {a for pool in relays for a in pool}
    return [
        {
            "pool_id": pool_id(namer.accounts(pool)),
            "accounts": namer.accounts(pool),
            "kind": "relay" if pool[0] in relayed else "linked",
            "reasons": _shared(analysis, pool),
        }
        for pool in analysis.pools
    ]


def _link_rows(analysis: Analysis, namer: _Namer) -> list[dict[str, Any]]:
    rows = []
    for edge in analysis.edges:
        a, b = namer.accounts((edge.a, edge.b))
        rows.append(
            {
                "a": a,
                "b": b,
                "match_weight": round(edge.bits, 2),
                "families": list(edge.families),
                "reasons": _links(edge.agreements),
            }
        )
    return sorted(rows, key=lambda r: (-float(str(r["match_weight"])), str(r["a"]), str(r["b"])))


def _readings(analysis: Analysis, calibration: Calibration, namer: _Namer) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "unit": namer.account(h),
            "signal": s,
            "version": ALL[s].version,
            "value": r.value,
            "n": r.n,
            "p_value": calibration.p_value(s, r.value, r.n),
        }
        for h, per in analysis.readings.items()
        for s, r in per.items()
    ]
    return sorted(rows, key=lambda r: (r["unit"], r["signal"]))


def _flag(h: int, facts: CampaignFacts | None) -> tuple[int | None, int | None]:
    if facts is None or facts.flagged is None:
        return None, None
    return facts.flagged.accounts.get(h), facts.flagged.exchanges


def _kinds(facts: CampaignFacts, analysis: Analysis, relays: Sequence[Sequence[int]], rules: Rules) -> list[str]:
    finding = facts.finding
    if finding.kind != "set":
        routed = is_aggregator(finding.accounts[0], analysis.units, analysis.readings, rules)
        return ["routed"] if routed else ["direct"]
    kinds = []
    # Accounts that hand work to each other are one operation; only strangers among them make it a resale.
    strangers = sum(len(set(p) - set(finding.accounts)) for p in relays if set(p) & set(finding.accounts))
    if strangers >= 3:
        kinds.append("resold")
    days = max((facts.last_at - facts.first_at) / 86_400e6, 1.0)
    if len(finding.accounts) >= 20 and facts.exchanges / len(finding.accounts) / days < 20:
        kinds.append("hydra")
    return kinds or ["direct"]


def _targets(facts: CampaignFacts) -> list[str]:
    found: Counter[str] = Counter()
    for name, count in facts.classes.items():
        if name in TARGETS and name in CLASSES:
            found[TARGETS[name]] = max(found[TARGETS[name]], count)
    if facts.traces * 10 >= facts.exchanges:
        found["reasoning"] = max(found["reasoning"], facts.traces)
    return [t for t, k in found.most_common() if k * 20 >= facts.exchanges]


def _attribution(finding: Finding, organisations: Mapping[int, str]) -> list[dict[str, Any]]:
    found = Counter(organisations[a] for a in finding.accounts if organisations.get(a))
    return [
        {"organisation": org, "strength": "declared at sign-up",
         "evidence": [f"{k} of {len(finding.accounts)} accounts give this name at sign-up; nothing else was compared"]}
        for org, k in found.most_common(3)
        if k >= 2 and k * 3 >= len(finding.accounts)
    ]  # fmt: skip


def _links(agreements: Sequence[tuple[str, float, float]]) -> list[dict[str, Any]]:
    strongest: dict[str, tuple[float, float]] = {}
    for signal, value, bits in agreements:
        if bits > strongest.get(signal, (0.0, 0.0))[1]:
            strongest[signal] = (value, bits)
    return [
        {
            "signal": s,
            "version": ALL[s].version,
            "value": v,
            "baseline": None,
            "match_weight": round(b, 2),
            "exchanges": [],
        }
        for s, (v, b) in sorted(strongest.items(), key=lambda item: (-item[1][1], item[0]))
    ]


def _shared(analysis: Analysis, pool: Sequence[int]) -> list[str]:
    inside = set(pool)
    tied: dict[str, set[int]] = {}
    for e in analysis.edges:
        if e.a in inside and e.b in inside:
            for signal, *_ in e.agreements:
                tied.setdefault(signal, set()).update((e.a, e.b))
    return [
        f"{ALL[s].title}: {len(members)} of {len(pool)} accounts"
        for s, members in sorted(tied.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


__all__ = ["CampaignFacts", "Conclusion", "campaign_id", "conclude", "pool_id"]
