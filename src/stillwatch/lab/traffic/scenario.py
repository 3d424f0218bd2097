"""A scenario: what is in the traffic, as a readable file, and the sampled design that fills in what it leaves open.

See `scenarios/*.toml` and docs/how-to/add-a-scenario.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, Final

from stillwatch.errors import InputError, Place, UsageError
from stillwatch.lab.traffic import arrivals, organisation, population, split, work
from stillwatch.lab.traffic import campaign as campaigns
from stillwatch.lab.traffic import captures as captured
from stillwatch.lab.traffic.calendar import Calendar
from stillwatch.lab.traffic.campaign import Campaign
from stillwatch.lab.traffic.clockwork import Actor, seeded
from stillwatch.lab.traffic.design import planned
from stillwatch.lab.traffic.questions import Questions
from stillwatch.lab.traffic.relay import open_relay
from stillwatch.lab.traffic.work import Context, Obfuscation, Workload
from stillwatch.lab.traffic.world import DAY_S, TOP_P, Account, World

LANGUAGES: Final = ("en", "en", "en", "zh", "es", "de", "ja", "ru", "fr", "pt", "ko")
_KEYS: Final = {"about", "days", "exchanges", "campaigns", "campaign_share", "campaign", "workloads", "workloads_each",
               "reseller"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a scenario file says."""

    name: str
    about: str
    days: int = 14
    exchanges: int = 20_000
    campaigns: int = 6  # sampled ones, beside those that are written out
    campaign_share: float = 0.05  # of all exchanges that are harvest
    campaign: tuple[dict[str, Any], ...] = ()  # written out: families, obfuscations, organisation, exchanges
    workloads: tuple[str, ...] = ("all",)  # hard honest ones, by id, or all of them ...
    workloads_each: int = 0  # ... of which each seed has so many, in turn; 0: every seed has all
    reseller: int = 1  # resellers without any campaign


def shipped() -> list[str]:
    """Names of the scenarios that come with Stillwatch."""
    folder = files("stillwatch.lab.traffic") / "scenarios"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def load(name: str) -> Scenario:
    """A shipped scenario by its name, or a file.

    Raises:
        UsageError: there is no such scenario. InputError: the file cannot be read or has unknown keys.
    """
    path = Path(name)
    if name in shipped():
        text = (files("stillwatch.lab.traffic") / "scenarios" / f"{name}.toml").read_text("utf-8")
    elif path.suffix == ".toml" and path.exists():
        text = path.read_text("utf-8")
    else:
        raise UsageError(f"there is no scenario `{name}`", fix=f"name a .toml file, or one of {', '.join(shipped())}")
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise InputError(f"the scenario is no TOML: {err}", at=Place(path=name), fix="mend the line it names") from err
    for key in given.keys() - _KEYS:
        near = get_close_matches(key, _KEYS, 1)
        raise InputError(
            f"a scenario has no `{key}`", at=Place(path=name), fix=f"write `{near[0]}`" if near else f"use {_KEYS}"
        )
    given["campaign"] = tuple(given.get("campaign", ()))
    given["workloads"] = tuple(given.get("workloads", ("all",)))
    return Scenario(name=path.stem, **{"about": "", **given})


@dataclass(slots=True, kw_only=True)
class Cast:
    """Everybody who acts, and who is who."""

    world: World
    actors: list[tuple[Random, Actor]]
    campaigns: list[Campaign]
    pools: dict[str, tuple[str, list[Account]]] = field(default_factory=dict)  # name -> kind, accounts
    sent: dict[str, int] = field(default_factory=dict)
    captures: Path | None = None


def cast(
    scenario: Scenario, *, seed: int, side: str, exchanges: int | None = None, corpora: Path | None = None,
    captures: Path | None = None, traces: Path | None = None,
) -> Cast:  # fmt: skip
    """Hire everybody. Equal arguments give equal traffic.

    Args:
        corpora, captures, traces: folders of real prompt sets, captured exchanges and arrival traces, read in place.
    """
    total = exchanges or scenario.exchanges
    world = World(seeded(seed, "world"), days=scenario.days)
    world.side, world.questions, world.top_ps = side, Questions(world.texts, side, corpora), TOP_P
    world.calendar = Calendar.drawn(world.rng, world.start, world.days)
    if captures is not None:
        world.captured = captured.clients(captures)
    if traces is not None:
        world.keep_hours(arrivals.shapes(traces))
    found = Cast(world=world, actors=[], campaigns=[], captures=captures)
    plan = list(design(scenario, seed=seed, side=side))
    mean = total * scenario.campaign_share / max(len(plan), 1)
    for number, (chosen, given) in enumerate(plan):
        _enlist(
            found,
            number,
            chosen,
            {"mean_exchanges": mean, "room": total // 8, **given},
            seed=seed,
            side=side,
            corpora=corpora,
        )
    used = sum(c.exchanges for c in found.campaigns if c.context.side) + sum(found.sent.values())
    for i in range(scenario.reseller):
        rng = seeded(seed, "reseller", i)
        world.rng = world.texts.rng = rng
        relay = open_relay(world, None, "reseller", 15)
        found.pools[f"reseller-{i + 1}"] = ("reseller", list(relay.accounts))
        count = min(1500, total // 15)
        used += count
        found.actors.append((rng, campaigns.honest_customers(world, relay, count, world.start, world.end)))
    for workload in _workloads(scenario, seed, captures):
        rng = seeded(seed, "workload", workload.id)
        found.actors.append((rng, workload.play(world, world.start, world.end)))
        used += 310 * world.days // 14  # their mean, whatever the scenario's size
    found.actors += population.everybody(world, seed, max(total - used, total // 4))
    return found


def design(scenario: Scenario, *, seed: int, side: str) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """(families, settings) of each campaign: those written out, then sampled ones, one family each.

    What a campaign leaves open is in its settings as `plan`, by the sampled design of `design.planned`.
    """
    factors = {
        "family": [f for f in split.families(side) if f in work.families()],
        **organisation.LEVELS,
        "obfuscations": _obfuscations(),
        "language": LANGUAGES,
        "alike": (True, False, False),
    }
    count = scenario.campaigns if factors["family"] else 0
    each = len(scenario.campaign) + count
    for i, given in enumerate(scenario.campaign):
        plan = planned(factors, seed * each + count + i, side)
        yield tuple(given["families"]), {"plan": plan, **{k: v for k, v in given.items() if k != "families"}}
    for i in range(count):
        plan = planned(factors, seed * each + i, side)
        yield (str(plan["family"]),), {"plan": plan}


def _obfuscations() -> list[tuple[str, ...]]:
    """Each alone, each with the next one, and none as often as each alone."""
    names = sorted(work.obfuscations())
    pairs = [(a, b) for a, b in zip(names, names[1:] + names[:1], strict=True) if a != b]
    return [(n,) for n in names] + pairs + [()] * max(len(names), 1)


def _enlist(
    found: Cast, number: int, chosen: Sequence[str], given: dict[str, Any], *, seed: int, side: str,
    corpora: Path | None,
) -> None:  # fmt: skip
    world = found.world
    rng = seeded(seed, "campaign", number, side)
    world.rng = world.texts.rng = rng
    known = work.families() | (captured.families(found.captures) if found.captures else {})
    for name in chosen:
        if name not in known:
            raise UsageError(f"there is no family `{name}`", fix=f"use one of {', '.join(known)}")
    families = tuple(known[name] for name in chosen)
    exchanges = int(given.get("exchanges") or max(40, rng.lognormvariate(-0.18, 0.6) * given["mean_exchanges"]))
    plan = given["plan"]
    o = organisation.drawn(
        rng, plan, dict(given.get("organisation", {})), exchanges=exchanges, days=world.days, room=given["room"]
    )
    hides = tuple(_hide(name) for name in given.get("obfuscations", plan["obfuscations"]))
    context = Context(
        rng=rng, texts=world.texts, side=side, questions=Questions(world.texts, side, corpora),
        language=given.get("language", plan["language"]),
    )  # fmt: skip
    made = Campaign(
        id=f"campaign-{number + 1}", families=families, obfuscations=hides, organisation=o, exchanges=exchanges,
        context=context, alike=o.hidden == "no" and bool(plan["alike"]),
    )  # fmt: skip
    found.campaigns.append(made)
    if not all(f.observable for f in families):
        made.exchanges = 0
        return
    slack = world.end - world.start - o.days * DAY_S
    start = world.start + max(0.0, slack) * rng.random()
    end = world.end
    with_pool = given.get("pool")
    if with_pool:  # two labs on one pool
        other = next(c for c in found.campaigns if c.id == with_pool)
        made.accounts, made.pool, made.relay = other.accounts, other.pool, other.relay
        made.organisation = replace(o, hidden=other.organisation.hidden, accounts=len(other.accounts))
    elif o.hidden in ("router", "reseller"):
        made.relay = open_relay(world, made.id, o.hidden, max(o.accounts, 8))
        pool = list(made.relay.accounts)
        made.pool = f"{o.hidden}-of-{made.id}"
        found.pools[made.pool] = (o.hidden, pool)
        made.accounts = pool
        honest = int(exchanges * (1 - o.share) / o.share)
        found.sent[made.pool] = honest
        other_rng = seeded(seed, "customers", number, side)
        world.rng = world.texts.rng = other_rng
        found.actors.append((other_rng, campaigns.honest_customers(world, made.relay, honest, world.start, world.end)))
        world.rng = world.texts.rng = rng
    elif o.hidden in ("aged", "stolen"):
        _lend(found, made, seed, number)
    else:
        made.accounts = campaigns.recruit(world, made, o.accounts)
        if len(made.accounts) > 1:
            found.pools[f"pool-of-{made.id}"] = ("campaign", made.accounts)
        _frame(found, made, seed, number)
    found.actors.append((rng, campaigns.play(world, made, start, end)))


def _hide(name: str) -> Obfuscation:
    known = work.obfuscations()
    if name not in known:
        near = get_close_matches(name, known, 1)
        raise UsageError(f"there is no obfuscation `{name}`", fix=f"use {near[0] if near else ', '.join(known)}")
    return known[name]


def _lend(found: Cast, made: Campaign, seed: int, number: int) -> None:
    """Accounts with a life of their own, which the campaign uses as well: aged ones it bought, or stolen keys."""
    world = found.world
    for i in range(made.organisation.accounts):
        rng = seeded(seed, "host", number, i)
        world.rng = world.texts.rng = rng
        stolen = made.organisation.hidden == "stolen"
        account = world.account(
            "victim" if stolen else "campaign", "person", campaign=made.id,
            created_at=int((world.start - (40 + world.age_days()) * DAY_S) * 1e6),
        )  # fmt: skip
        made.accounts.append(account)
        found.actors.append((rng, population.chatter(world, account, world.start, world.end)))
    world.rng = world.texts.rng = made.context.rng


def _frame(found: Cast, made: Campaign, seed: int, number: int) -> None:
    """Innocent accounts whose keys send a few of the campaign's requests, and who chat as ever."""
    world = found.world
    for i in range(made.organisation.framed):
        rng = seeded(seed, "framed", number, i)
        world.rng = world.texts.rng = rng
        account = world.account("victim", "person", campaign=made.id)
        found.actors.append((rng, population.chatter(world, account, world.start, world.end)))
        made.framed.append(account)
    world.rng = world.texts.rng = made.context.rng


def _workloads(scenario: Scenario, seed: int, captures: Path | None) -> list[Workload]:
    known = work.workloads()
    own = list(known)
    known = known | (captured.workloads(captures) if captures else {})
    names = own if scenario.workloads == ("all",) else scenario.workloads
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise UsageError(f"there is no workload `{name}`", fix=f"use {near[0] if near else ', '.join(known)}")
    each = min(scenario.workloads_each or len(names), len(names))
    order = seeded(0, "workloads").sample(names, len(names))
    return [known[order[(seed * each + i) % len(names)]] for i in range(each)]
