"""Pair signals once more, in plain Python loops, from their docstrings.

Rows and accounts are as tests/vectors/loader.py writes them. An oracle returns (a, b) -> (value, n), a < b by name.
SG110 is not here: what a template is, is the engine's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

Row = Mapping[str, Any]
Rows = Sequence[Row]
Answer = dict[tuple[str, str], tuple[float, int]]
SECOND = 1_000_000


def ordered(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def counted(events: Iterable[tuple[str, str, Hashable]]) -> Answer:
    """Distinct things that happened between two accounts."""
    found = defaultdict(set)
    for a, b, thing in events:
        found[ordered(a, b)].add(thing)
    return {pair: (float(len(things)), len(things)) for pair, things in found.items()}


def shared(values: Iterable[tuple[Hashable, str]], most: int) -> Answer:
    """Values that two accounts have in common, and the owners of the rarest; None is no value."""
    owners = defaultdict(set)
    for value, account in values:
        if value is not None:
            owners[value].add(account)
    common = defaultdict(list)
    for people in owners.values():
        if len(people) <= most:
            for pair in combinations(sorted(people), 2):
                common[pair].append(len(people))
    return {pair: (float(len(sizes)), min(sizes)) for pair, sizes in common.items()}


def replayed_reasoning(rows: Rows, accounts: Rows) -> Answer:
    seen = ((blob, r["account"]) for r in rows for blob in (r.get("blobs_in") or []) + (r.get("blobs_out") or []))
    return {pair: (value, int(value)) for pair, (value, _) in shared(seen, 60).items()}


def same_seconds(rows: Rows, accounts: Rows) -> Answer:
    active = defaultdict(set)
    for r in rows:
        active[r["account"]].add(r["at"] // SECOND)
    started = {s: [a for a in active if s in active[a]] for s in set().union(*active.values())}
    found = {}
    for a, b in combinations(sorted(active), 2):
        joint = [s for s in active[a] & active[b] if len(started[s]) <= 8]
        if len(joint) >= 5:
            hours = {s // 3600 for s in active[a]} & {s // 3600 for s in active[b]}
            expected = sum(
                sum(s // 3600 == h for s in active[a]) * sum(s // 3600 == h for s in active[b]) for h in hours
            )
            found[a, b] = (len(joint) / (expected / 3600 + 1), len(joint))
    return found


def shared_payment(rows: Rows, accounts: Rows) -> Answer:
    seen = {r["account"] for r in rows}
    return shared(((a["payment"], a["account"]) for a in accounts if a["account"] in seen), 200)


def shared_signup(rows: Rows, accounts: Rows) -> Answer:
    seen = {r["account"] for r in rows}
    values: list[tuple[Hashable, str]] = []
    for a in accounts:
        if a["account"] in seen:
            values.append((("email", a["email"]) if a["email"] is not None else None, a["account"]))
            if a["signup_ip"] is not None and a["created_s"] is not None:
                values.append(((a["signup_ip"], a["created_s"] // 3600), a["account"]))
    return shared(values, 200)


def continued_elsewhere(rows: Rows, accounts: Rows) -> Answer:
    given = [r for r in rows if r.get("chain_given") is not None]
    events = []
    for r in rows:
        chain = r.get("chain_parent")
        own = any(g["account"] == r["account"] and g["chain_given"] == chain for g in given)
        if chain is not None and not own:
            events += [
                (g["account"], r["account"], chain) for g in given if g["chain_given"] == chain and g["at"] < r["at"]
            ]
    # an answer that more than two accounts were given, and that then went on elsewhere, is a canned one
    donors = defaultdict(set)
    for donor, _, chain in events:
        donors[chain].add(donor)
    return counted(e for e in events if len(donors[e[2]]) <= 2)


def failover(rows: Rows, accounts: Rows) -> Answer:
    senders = defaultdict(set)
    for r in rows:
        senders[r.get("chain_self")].add(r["account"])
    return counted(
        (x["account"], y["account"], x["chain_self"])
        for x in rows
        for y in rows
        if x.get("chain_self") is not None and x["chain_self"] == y.get("chain_self") and x["account"] != y["account"]
        and len(senders[x["chain_self"]]) <= 2
        and x.get("status") in (401, 403, 429, 529) and y.get("status") is not None and y["status"] < 400
        and 0 <= y["at"] - x["at"] <= 60 * SECOND
    )  # fmt: skip


def shared_address(rows: Rows, accounts: Rows) -> Answer:
    return shared(((r.get("ip"), r["account"]) for r in rows), 100)


def frozen_client(rows: Rows, accounts: Rows) -> Answer:
    names = ("client", "header_order", "user_agent", "tls")
    return shared(
        (
            (tuple(r.get(n) for n in names), r["account"])
            for r in rows
            if r.get("client") is not None or r.get("tls") is not None
        ),
        60,
    )


ORACLES: Mapping[str, Callable[[Rows, Rows], Answer]] = {
    "SG109": replayed_reasoning, "SG206": same_seconds, "SG303": shared_payment, "SG304": shared_signup,
    "SG305": continued_elsewhere, "SG401": failover, "SG402": shared_address, "SG403": frozen_client,
}  # fmt: skip
