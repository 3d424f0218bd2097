"""One analysis of what the engine holds: measure, link, weigh, decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stillwatch.engine import Engine
from stillwatch.judge import decide
from stillwatch.judge.calibration import Calibration, grouped
from stillwatch.judge.cohorts import Group, groups
from stillwatch.judge.decide import Rules
from stillwatch.judge.evidence import (
    DEALT,
    MATTERS,
    Beside,
    Counts,
    Evidence,
    Kind,
    Reading,
    Unit,
    counts_of,
    counts_of_sets,
    weigh,
)
from stillwatch.judge.findings import Finding, merged, small
from stillwatch.judge.measures import ASKED, BIT, MEASURES, USED, mask
from stillwatch.judge.rows import Rows, read
from stillwatch.judge.sets import Set, by_account, sets, widened
from stillwatch.judge.streams import apart, streams
from stillwatch.judge.tally import Tally, counted, tally
from stillwatch.judge.ties import Tie, Ties
from stillwatch.link import communities
from stillwatch.link.weigh import LEAST, Agreement, Edge, agreements_from, bits_of, edges
from stillwatch.signals.measure import Abstention, able
from stillwatch.signals.registry import ALL

GATES = tuple(name for name in ASKED if MEASURES[name].gates)
GATE = 2  # exchanges that ask, below which an account is not looked at: nothing could convict it
RHYTHM = "SG206"  # compares every second of every account: only where there is something to compare
COUNTED = {"SG101": "material", "SG102": "traces", "SG105": "judges"}  # readings that the counts of units hold already
STREAMS = 24  # streams of one account that are judged together at most: those with the strongest content
ROUTED = 200  # exchanges from which an account that serves several kinds of use is taken for a router
SINGLE = 3  # of them so many by themselves
WORTH = 1.0  # content e-value from which a stream's other families are measured
TOLD = 3  # measures by which one group is judged: those that say most


Strengths = dict[str, dict[int, float]]  # kind (`calibration.grouped`) -> account -> strength of its strongest unit


@dataclass(slots=True, kw_only=True)
class Analysis:
    """Everything one analysis concluded. Ids are account hashes."""

    units: dict[int, Unit]
    readings: dict[int, dict[str, Reading]]
    evidence: dict[int, Evidence]
    edges: list[Edge]
    pools: list[list[int]]
    findings: list[Finding]  # one for each campaign
    verdicts: dict[int, str]
    abstained: list[Abstention]
    strongest: Strengths
    rows: Rows
    alone: Rows  # as evidence about accounts and streams by themselves
    ties: Ties


def units_of(table: pa.Table) -> dict[int, Unit]:
    """Units by id, from `Engine.units`."""
    found = {}
    for row in table.sort_by("unit").to_pylist():
        counts = {m: int(row.pop(m)) for m in ASKED}
        found[int(row["unit"])] = Unit(counts=counts, **{k: int(v) for k, v in row.items()})
    return found


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


def analyse(
    engine: Engine,
    calibration: Calibration,
    rules: Rules,
    *,
    flags: Mapping[int, frozenset[str]] | None = None,
    gate: int = GATE,
) -> Analysis:
    """Judge every account that the engine holds.

    Args:
        flags: account -> contract flags; a flag that answers for a verdict turns it into `watch` or `clear`.
        gate: see `GATE`; 0 measures everything (calibration).
    """
    flags = flags or {}
    present = engine.present()
    unit_signals, abstained = able(present, "unit")
    pair_signals, more = able(present, "pair")
    abstained += more
    unit_ids = [s.id for s in unit_signals]

    engine.ask(ASKED)
    engine.values()
    engine.by_account()
    units = units_of(engine.units(tuple(ASKED), GATES))
    readings: dict[int, dict[str, Reading]] = defaultdict(dict)
    for signal, measure in COUNTED.items():
        if signal in unit_ids:
            for u in units.values():
                if u.texts:
                    readings[u.unit][signal] = Reading(round(u.counts[measure] / u.texts, 9), float(u.texts))
    linked, pools, near = _linked(engine, units, [s.id for s in pair_signals], gate)
    tied = {e.a for e in linked} | {e.b for e in linked}
    joins = engine.joined()
    shared = engine.templated([name for name in ASKED if USED >> BIT[name] & 1])
    asks = {u.unit: u.hits + joins.get(u.unit, 0) for u in units.values()}
    engine.take(
        sorted(
            u.unit
            for u in units.values()
            if u.unit in shared
            or asks[u.unit] >= (min(gate, 1) if u.unit in near else gate)
            or (u.unit in tied | near and max(u.counts.values()) >= gate)
        )
    )
    rows = read(engine)
    alone = rows.of_few()
    for unit, per in readings_of(engine, [s for s in unit_ids if s not in COUNTED and s != DEALT]).items():
        readings[unit].update(per)
    began = {u.unit: u.first_at for u in units.values()}
    ties = Ties(engine.since(rows.accounts.tolist()), engine.moves(), engine.programs(), began)

    looked = np.arange(len(rows.accounts))
    everything = np.arange(len(rows.at))
    counts = tally(alone, everything, rows.account, len(rows.accounts), counted(alone, everything, rows.account))
    evidence = {
        account: weigh(units[account], own, readings.get(account, {}), calibration)
        for account, own in zip(rows.accounts.tolist(), counts_of(counts, calibration, "account"), strict=True)
    }
    judge = _Judge(engine, rows, alone, calibration, rules, unit_ids)
    found = [
        judge.whole(code, evidence[int(rows.accounts[code])])
        for code in looked.tolist()
        if decide.is_distilling(evidence[int(rows.accounts[code])], rules)
    ]
    inside = judge.streams(looked, units, readings)
    candidates = groups(rows, looked, engine, pools, ties)
    sets = judge.sets(candidates, inside, evidence, readings, ties)
    cohorts = [rows.accounts[list(g.accounts)].tolist() for g in candidates if g.places is not None]
    findings = merged(found, inside, sets, [*cohorts, *pools])
    for account, own_evidence in evidence.items():
        judge.note([account], own_evidence)
    engine.by_account()
    verdicts = decide.verdicts(units, readings, evidence, findings, linked, pools, rules, flags)
    return Analysis(
        units=units, readings=dict(readings), evidence=evidence, edges=linked, pools=pools, findings=findings,
        verdicts=verdicts, abstained=abstained, strongest=judge.strongest, rows=rows, alone=alone, ties=ties,
    )  # fmt: skip


def _linked(
    engine: Engine, units: Mapping[int, Unit], signals: Sequence[str], gate: int
) -> tuple[list[Edge], list[list[int]], set[int]]:
    """Edges between accounts, the pools that they make, and the accounts that share anything outside their content."""
    pairs = {s: _columns(engine.signal(s)) for s in signals if s != RHYTHM}
    if RHYTHM in signals:
        known = {int(a) for columns in pairs.values() for side in columns[:2] for a in side}
        engine.by_account_of(sorted(u.unit for u in units.values() if u.hits >= gate or u.unit in known))
        pairs[RHYTHM] = _columns(engine.signal(RHYTHM))
        engine.by_account()
    agreements: list[Agreement] = [a for a in agreements_from(of_two_families(pairs)) if a.a in units and a.b in units]
    linked = edges(agreements, len(units))
    near = {
        account
        for a in agreements_from({s: c for s, c in pairs.items() if ALL[s].family != "content"})
        if bits_of(a) >= LEAST
        for account in (a.a, a.b)
    }
    return linked, communities.pools(linked), near


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


class _Judge:
    """Weighs the streams inside accounts and the sets of accounts."""

    def __init__(
        self, engine: Engine, rows: Rows, alone: Rows, calibration: Calibration, rules: Rules, signals: Sequence[str]
    ) -> None:
        self.engine, self.rows, self.alone, self.signals = engine, rows, alone, signals
        self.calibration, self.rules = calibration, rules
        self.strongest: Strengths = defaultdict(dict)

    def whole(self, code: int, evidence: Evidence) -> Finding:
        """A whole account as a finding."""
        return Finding(
            kind="account", accounts=(int(self.rows.accounts[code]),), streams=(), evidence=evidence,
            places=self.rows.of(code),
        )  # fmt: skip

    def beside(self, readings: Mapping[str, Reading]) -> Beside:
        """What benign streams those of an account with such readings are judged beside."""
        return "routed" if decide.serves(readings, self.rules) else "stream"

    def streams(
        self, looked: np.ndarray, units: Mapping[int, Unit], readings: Mapping[int, Mapping[str, Reading]]
    ) -> list[Finding]:
        """Findings on streams inside accounts that do other things too; overlapping ones of an account are joined."""
        rows = self.alone
        mixed = [c for c in looked.tolist() if units[int(rows.accounts[c])].hits >= 12]
        found = streams(rows, np.array(mixed, np.int64))
        if not len(found):
            return []
        strength = self.calibration.contents(found.tally.k.astype(float), found.tally.n.astype(float), "stream").sum(1)
        best: dict[int, list[int]] = defaultdict(list)
        for s in np.lexsort((found.number, -found.tally.n, -strength)).tolist():
            if strength[s] >= WORTH:
                best[int(found.account[s])].append(s)
        kept = {account: apart(found, own[:STREAMS], rows) for account, own in sorted(best.items())}
        # a customer with several templates makes several streams, several customers make some each: an account's
        # streams are judged together first, then the strongest by themselves
        tried: list[tuple[int, list[int]]] = []
        for account, own in kept.items():
            tried += [(account, own), *((account, [s]) for s in own[:SINGLE] if len(own) > 1)]
        if not tried:
            return []
        places = [np.unique(np.concatenate([found.places[s] for s in own])) for _, own in tried]
        counts = [tally(rows, p, np.zeros(len(p), np.int64), 1, counted(rows, p, np.zeros(len(p), np.int64)))
                  for p in places]  # fmt: skip
        total = Tally(n=np.concatenate([c.n for c in counts]), k=np.concatenate([c.k for c in counts]))
        beside = [self.beside(readings.get(int(rows.accounts[account]), {})) for account, _ in tried]
        content = counts_of(total, self.calibration, "stream")
        weighed = self._weigh("stream", dict(enumerate(places)), content, {}, dict(enumerate(beside)))
        findings: dict[int, Finding] = {}
        for i, (account, own) in enumerate(tried):
            self.note([int(rows.accounts[account])], weighed[i])
            if account not in findings and decide.is_distilling(weighed[i], self.rules):
                findings[account] = Finding(
                    kind="stream", accounts=(int(rows.accounts[account]),),
                    streams=tuple(sorted(int(found.number[s]) for s in own)), evidence=weighed[i], places=places[i],
                )  # fmt: skip
        return list(findings.values())

    def sets(
        self, candidates: Sequence[Group], inside: Sequence[Finding], alone: Mapping[int, Evidence],
        readings: Mapping[int, Mapping[str, Reading]], ties: Ties,
    ) -> list[Finding]:  # fmt: skip
        """Findings on sets of accounts: cohorts that fill the same asking templates, and linked pools."""
        rows = self.rows
        code = {int(a): c for c, a in enumerate(rows.accounts.tolist())}
        # of who does mostly other things the streams alone belong to a set
        only = {code[f.accounts[0]]: f.places for f in inside if small(alone[f.accounts[0]].unit)}
        # a router's account is another story, unless work moves between it and the others
        routers = {
            code[a]
            for a, e in alone.items()
            if e.unit.texts >= ROUTED and small(e.unit) and decide.serves(readings.get(a, {}), self.rules)
        }
        # whose content alone would do belongs to those who do the same, whatever else is known of it
        strong = self.rules.distilling
        convicted = {code[a] for a, e in alone.items() if decide.probability(e, self.rules) >= strong} | set(only)
        end = int(rows.at[-1]) if len(rows.at) else 0
        best: dict[Kind, list[tuple[Set, Group]]] = {"set": [], "cohort": []}
        speaks = mask(*(name for name, measure in MEASURES.items() if measure.cohorts))
        for group in candidates:
            own = group.places if group.places is not None else rows.of_all(np.array(list(group.accounts)))
            if (rows.bits[own] != 0).sum() + 1 < self.rules.least_hits:
                continue  # whatever ties them, it cannot be enough
            _, tied = ties.among(rows.accounts[list(group.accounts)].tolist(), end)
            if not tied and ((rows.bits[own] & speaks) != 0).sum() + 1 < self.rules.least_hits:
                continue
            kind: Kind = "set" if tied else "cohort"
            if kind == "cohort" and group.places is None:
                continue
            moved = {code[a] for a in tied.get("moved", ())}
            bound = {code[a] for accounts in tied.values() for a in accounts}
            # strangers who fill its template too are none of a set
            who = sorted(group.accounts & bound if tied else group.accounts)
            inner = [c for c in who if group.places is not None or c not in routers or c in moved]
            if len(inner) < 2:
                continue
            bound &= set(inner)
            found = sets(
                rows, inner, bound, convicted=convicted & set(inner),
                only=only if group.places is None else by_account(rows, group.places), strangers=not tied,
                least=self.rules.least_hits - 1,
            )  # fmt: skip
            content = counts_of_sets(found, self.calibration, kind) if found else []
            told = [
                (sum(c.parts), s.measure, s)
                for s, c in zip(found, content, strict=True)
                if sum(c.parts) >= MATTERS and s.k + 1 >= self.rules.least_hits
            ]
            # who takes part differs from measure to measure
            best[kind] += [(s, group) for *_, s in sorted(told, key=lambda t: (-t[0], t[1]))[:TOLD]]
        findings = []
        for kind, chosen in best.items():
            made = [s for s, _ in chosen]
            binding = {g: ties.among(rows.accounts[list(s.members)].tolist(), end)[0] for g, s in enumerate(made)}
            weighed = self._weigh(
                kind, {g: s.places for g, s in enumerate(made)}, counts_of_sets(made, self.calibration, kind), binding
            )
            for g, evidence in weighed.items():
                self.note(rows.accounts[list(made[g].members)].tolist(), evidence)
                if decide.is_distilling(evidence, self.rules):
                    group = chosen[g][1]
                    codes, places = widened(rows, made[g], group.accounts, group.places)
                    accounts = tuple(int(a) for a in rows.accounts[codes])
                    findings.append(
                        Finding(kind="set", accounts=accounts, streams=(), evidence=evidence, places=places)
                    )
        return findings

    def note(self, accounts: Iterable[int], evidence: Evidence) -> None:
        """Remember the strongest unit of each account, of those that could be convicted."""
        if decide.qualifies(evidence, self.rules):
            per = self.strongest[grouped(evidence.beside, evidence.lead)]
            for a in accounts:
                per[a] = max(per.get(a, 0.0), evidence.strength)

    def _weigh(
        self,
        kind: Kind,
        places: Mapping[int, np.ndarray],
        content: Sequence[Counts],
        ties: Mapping[int, Mapping[str, Tie]],
        beside: Mapping[int, Beside] | None = None,
    ) -> dict[int, Evidence]:
        """Evidence on units made of rows; `places` and `content` go by the units' numbers."""
        if not places:
            return {}
        self.engine.by_units(
            np.concatenate(list(places.values())),
            np.concatenate([np.full(len(p), number) for number, p in places.items()]),
        )
        units = units_of(self.engine.units(tuple(ASKED), GATES))
        signals = [s for s in self.signals if kind in ("set", "cohort") or s != DEALT]
        readings = readings_of(self.engine, signals)
        return {
            number: weigh(
                units[number], content[number], readings.get(number, {}), self.calibration, kind=kind,
                beside=(beside or {}).get(number), ties=ties.get(number),
            )
            for number in places
        }  # fmt: skip


__all__ = ["Analysis", "analyse", "readings_of", "units_of"]
