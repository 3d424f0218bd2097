"""One analysis of what the engine holds: measure, link, weigh, decide. Used for the scan and for every replay tick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from stillwatch.engine import Engine
from stillwatch.judge import decide
from stillwatch.judge.calibration import Calibration
from stillwatch.judge.decide import Rules
from stillwatch.judge.evidence import RETURNS, Evidence, Reading, Unit, weigh
from stillwatch.link import communities
from stillwatch.link.weigh import Agreement, Edge, agreements_from, edges
from stillwatch.signals.measure import Abstention, able
from stillwatch.signals.registry import ALL, Family

GATE = 3  # exchanges of training material below which an account's rhythm is not measured: nothing could convict it
# Signals measured on every account; the others (sorted by time, dearer) where there is something to weigh.
ALWAYS = ("SG101", "SG102", "SG105", "SG302", "SG404")
RHYTHM = "SG206"  # compares every second of every account: only where there is something to compare
REPRESENTATIVES = 8  # accounts of a template that the others are compared with
STREAM_LEAST = 12  # exchanges of the smallest stream that is judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A set of exchanges that looks gathered for training: an account, a stream in one, or a linked set."""

    kind: str  # account | stream | set
    accounts: tuple[int, ...]
    streams: tuple[int, ...]
    evidence: Evidence


@dataclass(slots=True, kw_only=True)
class Analysis:
    """Everything one analysis concluded. Ids are account hashes."""

    units: dict[int, Unit]
    readings: dict[int, dict[str, Reading]]
    evidence: dict[int, Evidence]
    edges: list[Edge]
    pools: list[list[int]]
    findings: list[Finding]
    verdicts: dict[int, str]
    agreements: list[Agreement]
    abstained: list[Abstention]
    stream_accounts: dict[int, int] = field(default_factory=dict)


def units_of(table: pa.Table) -> dict[int, Unit]:
    """Units by id."""
    rows = table.sort_by("unit").to_pylist()
    return {int(row["unit"]): Unit(**{k: int(v) for k, v in row.items()}) for row in rows}


def readings_of(engine: Engine, signals: Iterable[str]) -> dict[int, dict[str, Reading]]:
    """unit -> signal -> reading, for unit signals."""
    found: dict[int, dict[str, Reading]] = defaultdict(dict)
    for signal in signals:
        table = engine.signal(signal)
        # Sums of floats depend on the order of threads in their last digits; verdicts must not.
        columns = (table.column("unit"), table.column("value").cast(pa.float64()), table.column("n"))
        for unit, value, n in zip(*(c.to_pylist() for c in columns), strict=True):
            if value is not None and n is not None:
                found[int(unit)][signal] = Reading(round(value, 9), float(n))
    return found


def _columns(table: pa.Table) -> tuple[np.ndarray, ...]:
    a, b, n = (table.column(c).to_numpy() for c in ("a", "b", "n"))
    return a, b, np.round(table.column("value").to_numpy().astype(float), 9), n


def of_two_families(pairs: Mapping[str, tuple[np.ndarray, ...]]) -> dict[str, tuple[np.ndarray, ...]]:
    """Pair readings without the pairs that only one family speaks of: they can become no edge."""
    if not pairs:
        return {}
    families = {family: 1 << i for i, family in enumerate(sorted({ALL[s].family for s in pairs}))}
    both = np.concatenate([np.stack([c[0], c[1]], axis=1).astype(np.uint64) for c in pairs.values()])
    bits = np.concatenate([np.full(len(c[0]), families[ALL[s].family], np.int64) for s, c in pairs.items()])
    if not len(both):
        return dict(pairs)
    _, place = np.unique(both, axis=0, return_inverse=True)
    place = place.reshape(-1)
    seen = np.zeros(int(place.max()) + 1, np.int64)
    np.bitwise_or.at(seen, place, bits)
    several = (seen & (seen - 1)) != 0
    kept, start = {}, 0
    for signal, columns in pairs.items():
        mask = several[place[start : start + len(columns[0])]]
        start += len(columns[0])
        kept[signal] = tuple(c[mask] for c in columns)
    return kept


def analyse(
    engine: Engine,
    calibration: Calibration,
    rules: Rules,
    *,
    flags: Mapping[int, frozenset[str]] | None = None,
    gate: int = GATE,
    present: frozenset[str] | None = None,
    accounts: int | None = None,
) -> Analysis:
    """Judge every account that the engine holds.

    Args:
        flags: account -> contract flags; a flag that answers for a verdict turns it into `watch` or `clear`.
        gate: see `GATE`; 0 measures everything (calibration).
        present: columns that are filled, if known already.
        accounts: in a replay (the engine is focused): how many accounts had been seen, for popularity.
    """
    flags = flags or {}
    present = engine.present() if present is None else present
    unit_signals, abstained = able(present, "unit")
    if accounts is not None:  # a replay asks whether a verdict stands: what only describes it is left out
        unit_signals = [s for s in unit_signals if s.family != "content" or s.id == RETURNS]
    pair_signals, more = able(present, "pair")
    abstained += more

    if accounts is None:
        engine.values()
    engine.by_account()
    units = units_of(engine.units())
    readings = readings_of(engine, [s.id for s in unit_signals if s.id in ALWAYS and s.id != "SG111"])
    pairs = {s.id: _columns(engine.signal(s.id)) for s in pair_signals if s.id != RHYTHM}
    if any(s.id == RHYTHM for s in pair_signals):
        known = {int(a) for columns in pairs.values() for side in columns[:2] for a in side}
        engine.by_account_of(sorted(u.unit for u in units.values() if u.hits >= gate or u.unit in known))
        pairs[RHYTHM] = _columns(engine.signal(RHYTHM))
        engine.by_account()
    agreements = [a for a in agreements_from(of_two_families(pairs)) if a.a in units and a.b in units]
    linked = edges(agreements, accounts or len(units))
    tied = {e.a for e in linked} | {e.b for e in linked}
    looked_at = sorted(u.unit for u in units.values() if u.hits >= gate or u.unit in tied)
    if looked_at:
        engine.by_account_of(looked_at)
        for unit, per in readings_of(engine, [s.id for s in unit_signals if s.id not in ALWAYS]).items():
            readings.setdefault(unit, {}).update(per)

    evidence = {u.unit: weigh(u, readings.get(u.unit, {}), calibration) for u in units.values() if u.hits >= gate}
    findings = [
        Finding(kind="account", accounts=(u,), streams=(), evidence=e)
        for u, e in evidence.items()
        if decide.is_distilling(e, rules)
    ]
    stream_accounts: dict[int, int] = {}
    mixed = sorted(
        u.unit for u in units.values() if u.hits >= max(gate, STREAM_LEAST) and u.hits < 0.7 * max(u.texts, 1)
    )
    if mixed:
        findings += _streams(engine, calibration, rules, mixed, [s.id for s in unit_signals], stream_accounts)
    pools = communities.pools(linked)
    findings += _sets(engine, calibration, rules, units, linked, pools, [s.id for s in unit_signals])
    engine.by_account()
    verdicts = _verdicts(units, readings, evidence, findings, linked, pools, rules, flags)
    return Analysis(
        units=units, readings=readings, evidence=evidence, edges=linked, pools=pools, findings=findings,
        verdicts=verdicts, agreements=agreements, abstained=abstained, stream_accounts=stream_accounts,
    )  # fmt: skip


def _streams(
    engine: Engine, calibration: Calibration, rules: Rules, accounts: Sequence[int], signals: Sequence[str],
    owners: dict[int, int],
) -> list[Finding]:  # fmt: skip
    """Findings on streams inside mixed accounts; overlapping ones of an account are joined."""
    engine.by_stream(accounts)
    everything = units_of(engine.units())
    units = {u: x for u, x in everything.items() if x.texts >= STREAM_LEAST and x.hits >= STREAM_LEAST}
    if not units:
        return []
    engine.keep_units(units)
    readings = readings_of(engine, [s for s in signals if s != "SG111"])
    per_account: dict[int, list[Evidence]] = defaultdict(list)
    for unit in units.values():
        evidence = weigh(unit, readings.get(unit.unit, {}), calibration, stream=True)
        if decide.is_distilling(evidence, rules):
            per_account[unit.account].append(evidence)
            owners[unit.unit] = unit.account
    # What stands is widened by the account's smaller streams that do the same: they are too few to stand alone.
    alike: dict[int, set[int]] = defaultdict(set)
    for unit in everything.values():
        if unit.account in per_account and unit.hits >= GATE and unit.hits * 2 >= unit.texts:
            alike[unit.account].add(unit.unit)
    return [
        Finding(
            kind="stream", accounts=(account,),
            streams=tuple(sorted({e.unit.unit for e in found} | alike[account])),
            evidence=max(found, key=lambda e: (e.e_value, e.unit.unit)),
        )
        for account, found in sorted(per_account.items())
    ]  # fmt: skip


def _sets(
    engine: Engine, calibration: Calibration, rules: Rules, units: Mapping[int, Unit],
    linked: Sequence[Edge], pools: Sequence[Sequence[int]], signals: Sequence[str],
) -> list[Finding]:  # fmt: skip
    """Findings on linked sets: pools, and cohorts that fill the same rare templates."""
    # An account belongs to a cohort if such templates are most of what it does, and it shares two of them: nobody
    # is drawn in by one common phrase.
    asking = {u.unit for u in units.values() if u.hits >= GATE and u.hits * 2 >= u.texts}
    cohorts = communities.components(_common_templates(engine, asking))
    working = [[a for a in pool if a in asking] for pool in pools]
    sets = sorted({tuple(sorted(s)) for s in [*cohorts, *working] if len(s) >= 2})
    sets = [s for s in sets if sum(units[a].hits for a in s) >= rules.least_hits]
    if not sets:
        return []
    engine.by_set(sets)
    pooled = units_of(engine.units())
    readings = readings_of(engine, signals)
    found = []
    member: dict[int, set[int]] = defaultdict(set)
    for number, accounts in enumerate(sets, start=1):
        for account in accounts:
            member[account].add(number)
    ties: dict[int, dict[Family, set[int]]] = defaultdict(lambda: defaultdict(set))
    for edge in linked:
        for number in member[edge.a] & member[edge.b]:
            for family in edge.families:
                ties[number][family] |= {edge.a, edge.b}  # type: ignore[index]
    for number, accounts in enumerate(sets, start=1):
        touched = ties[number]
        shares = {family: len(members) / len(accounts) for family, members in touched.items()}
        evidence = weigh(pooled[number], readings.get(number, {}), calibration, linked=shares, size=len(accounts))
        if decide.is_distilling(evidence, rules):
            found.append(Finding(kind="set", accounts=accounts, streams=(), evidence=evidence))
    return found


def _common_templates(engine: Engine, asking: set[int]) -> list[tuple[int, int]]:
    """Pairs of asking accounts that fill two templates in common, enough of them to connect all that do."""
    users: dict[int, list[int]] = defaultdict(list)
    for row in engine.query("SELECT value, account FROM values_ WHERE kind = 'template'").to_pylist():
        if row["account"] in asking:
            users[row["value"]].append(row["account"])
    # each account against the first user of each template: two templates in common with one of them suffice
    common: dict[tuple[int, int], int] = defaultdict(int)
    for accounts in users.values():
        ordered = sorted(set(accounts))
        for other in ordered[1:]:
            for first in ordered[:REPRESENTATIVES]:
                if first < other:
                    common[first, other] += 1
    return [pair for pair, count in common.items() if count >= 2]


def _verdicts(
    units: Mapping[int, Unit], readings: Mapping[int, Mapping[str, Reading]], evidence: Mapping[int, Evidence],
    findings: Sequence[Finding], linked: Sequence[Edge], pools: Sequence[Sequence[int]], rules: Rules,
    flags: Mapping[int, frozenset[str]],
) -> dict[int, str]:  # fmt: skip
    verdicts = {account: "clear" for account in units}
    for account, unit in units.items():
        if unit.texts == 0:  # nothing was asked that could be read
            verdicts[account] = "not_observable"
        found = evidence.get(account)
        if found is not None and decide.is_watched(found, rules):
            verdicts[account] = "watch"
    for pool in relay_pools(linked, pools):
        for account in pool:
            verdicts[account] = "reseller"
    for finding in findings:
        for account in finding.accounts:
            if finding.kind == "stream" and is_aggregator(account, units, readings, rules):
                verdicts[account] = "reseller"
            elif verdicts[account] != "reseller" or finding.kind != "stream":
                verdicts[account] = "distilling"
    for account, own in flags.items():
        answered = {decide.ALLOWED[f] for f in own if f in decide.ALLOWED}
        if verdicts.get(account) in answered:
            verdicts[account] = "watch" if verdicts[account] == "distilling" else "clear"
    return verdicts


def is_aggregator(
    account: int, units: Mapping[int, Unit], readings: Mapping[int, Mapping[str, Reading]], rules: Rules
) -> bool:
    """Does the account serve others, with training material in the smaller part of its traffic?"""
    per = readings.get(account, {})
    kinds, marks = per.get("SG302"), per.get("SG404")
    serves = bool((kinds and kinds.value >= rules.kinds_of_use) or (marks and marks.value >= 0.5 and marks.n >= 20))
    return serves and units[account].hits < 0.5 * max(units[account].texts, 1)


RELAYING = frozenset({"SG305", "SG401"})  # conversations and refused requests that move between accounts


def relay_pools(linked: Sequence[Edge], pools: Sequence[Sequence[int]]) -> list[list[int]]:
    """Pools of three or more accounts between which conversations or refused requests move."""
    found = []
    for pool in pools:
        inside = set(pool)
        moved = {
            account
            for e in linked
            if e.a in inside and e.b in inside and any(s in RELAYING for s, *_ in e.agreements)
            for account in (e.a, e.b)
        }
        if len(pool) >= 3 and len(moved) * 2 >= len(pool):
            found.append(list(pool))
    return found


def asarray(values: Iterable[int]) -> np.ndarray:
    """Account hashes as uint64."""
    return np.fromiter(values, np.uint64)
