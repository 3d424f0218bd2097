"""From evidence to a verdict: the rules of DESIGN section 5, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stillwatch.judge.evidence import DEALT, QUEUE, Evidence, Reading, Unit
from stillwatch.judge.findings import Finding
from stillwatch.judge.ties import BEYOND
from stillwatch.link.weigh import Edge
from stillwatch.maths import evalues

ALLOWED: Final = {  # contract flags, and the verdict that they answer for
    "synthetic_data": "distilling",
    "evaluation": "distilling",
    "research": "distilling",
    "reseller": "reseller",
    "aggregator": "reseller",
    "gateway": "reseller",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Thresholds. Part of every verdict's settings."""

    # share of accounts that take part in a campaign, before any evidence; with `distilling` it asks for an e-value of
    # a thousand, which a benign account reaches once in a thousand times at most
    prior: float = 0.0089
    distilling: float = 0.9  # probability from which a unit is said to be distilling ...
    least_hits: int = 20  # ... given at least so many exchanges of training material
    watch: float = 0.2  # probability from which a person should look
    kinds_of_use: float = 4.0  # from which an account is taken for an aggregator


def probability(evidence: Evidence, rules: Rules) -> float:
    """Probability that the unit gathers training data, given the rules' prior."""
    return evalues.posterior(evidence.e_value, rules.prior)


def is_distilling(evidence: Evidence, rules: Rules) -> bool:
    """A high probability, and all that `qualifies` asks for."""
    return probability(evidence, rules) >= rules.distilling and qualifies(evidence, rules)


def qualifies(evidence: Evidence, rules: Rules) -> bool:
    """Enough hits, and content plus at least one other family; a set must be tied by something.

    Only such units are convicted. So only benign units that qualify are what the evidence is compared with.
    """
    return (
        evidence.hits[evidence.lead] + 1 >= rules.least_hits  # the first one is not counted
        and "content" in evidence.families
        and len(evidence.families) >= 2
        and (evidence.kind not in ("set", "cohort") or is_tied(evidence))
    )


def is_tied(evidence: Evidence) -> bool:
    """Do the members of a set belong together by more than what they ask for?

    Cards, sign-ups, addresses or work that moved must tie a set beyond chance. A cohort fills one rare template: it
    must share one list of prompts out, so that nobody meets anybody else's. One program is no tie: a product has one.
    """
    if evidence.kind == "cohort":
        dealt = evidence.readings.get(DEALT)
        return dealt is not None and dealt.value >= QUEUE
    return any(t.e >= BEYOND for name, t in evidence.ties.items() if name != "program")


def is_watched(evidence: Evidence, rules: Rules) -> bool:
    """Worth a person's look: much training material without a second family, or too little of it yet."""
    return evidence.hits[evidence.lead] >= 5 and probability(evidence, rules) >= rules.watch


def verdicts(
    units: Mapping[int, Unit], readings: Mapping[int, Mapping[str, Reading]], evidence: Mapping[int, Evidence],
    findings: Sequence[Finding], linked: Sequence[Edge], pools: Sequence[Sequence[int]], rules: Rules,
    flags: Mapping[int, frozenset[str]],
) -> dict[int, str]:  # fmt: skip
    """The verdict on every account."""
    given = {account: "clear" for account in units}
    for account, unit in units.items():
        if unit.texts == 0:  # nothing was asked that could be read
            given[account] = "not_observable"
        found = evidence.get(account)
        if found is not None and is_watched(found, rules):
            given[account] = "watch"
    for pool in relay_pools(linked, pools):
        for account in pool:
            given[account] = "reseller"
    for finding in findings:
        for account in finding.accounts:
            if finding.kind != "set" and is_aggregator(account, units, readings, rules):
                given[account] = "reseller"
            elif given[account] != "reseller" or finding.kind != "stream":
                given[account] = "distilling"
    for account, own in flags.items():
        answered = {ALLOWED[f] for f in own if f in ALLOWED}
        if given.get(account) in answered:
            given[account] = "watch" if given[account] == "distilling" else "clear"
    return given


def is_aggregator(
    account: int, units: Mapping[int, Unit], readings: Mapping[int, Mapping[str, Reading]], rules: Rules
) -> bool:
    """Does the account serve others, with training material in the smaller part of its traffic?"""
    return serves(readings.get(account, {}), rules) and units[account].hits < 0.5 * max(units[account].texts, 1)


def serves(readings: Mapping[str, Reading], rules: Rules) -> bool:
    """Do several kinds of use run side by side in the account, or does it bear the marks of a router?"""
    kinds, marks = readings.get("SG302"), readings.get("SG404")
    return bool((kinds and kinds.value >= rules.kinds_of_use) or (marks and marks.value >= 0.5 and marks.n >= 20))


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
