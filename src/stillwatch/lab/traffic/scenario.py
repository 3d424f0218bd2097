"""A scenario: what is in the traffic, as a readable file, and the sampled design that fills in what it leaves open.

See `scenarios/*.toml` and docs/how-to/add-a-scenario.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, Final

from stillwatch.errors import InputError, Place, UsageError
from stillwatch.lab.traffic import campaign as campaigns
from stillwatch.lab.traffic import organisation, population, split, work
from stillwatch.lab.traffic.campaign import Campaign
from stillwatch.lab.traffic.clockwork import Actor, seeded
from stillwatch.lab.traffic.questions import Questions
from stillwatch.lab.traffic.work import Context, Workload
from stillwatch.lab.traffic.world import DAY_S, Account, World

LANGUAGES: Final = ("en", "en", "en", "zh", "es", "de", "ja", "ru", "fr", "pt", "ko")
_KEYS: Final = {"about", "days", "exchanges", "campaigns", "campaign_share", "campaign", "workloads", "reseller"}


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
    workloads: tuple[str, ...] = ("all",)  # hard honest ones, by id, or all of them
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


def cast(
    scenario: Scenario, *, seed: int, side: str, exchanges: int | None = None, corpora: Path | None = None
) -> Cast:
    """Hire everybody. Equal arguments give equal traffic."""
    total = exchanges or scenario.exchanges
    world = World(seeded(seed, "world"), days=scenario.days)
    world.side, world.questions = side, Questions(world.texts, side, corpora)
    found = Cast(world=world, actors=[], campaigns=[])
    plan = list(design(scenario, seed=seed, side=side, total=total))
    mean = total * scenario.campaign_share / max(len(plan), 1)
    for number, (chosen, given) in enumerate(plan):
        _enlist(found, number, chosen, {"mean_exchanges": mean, **given}, seed=seed, side=side, corpora=corpora)
    used = sum(c.exchanges for c in found.campaigns if c.context.side) + sum(found.sent.values())
    for i in range(scenario.reseller):
        rng = seeded(seed, "reseller", i)
        world.rng = world.texts.rng = rng
        pool = campaigns.intermediary(world, None, "reseller", 15)
        found.pools[f"reseller-{i + 1}"] = ("reseller", pool)
        count = min(1500, total // 15)
        used += count
        found.actors.append((rng, campaigns.honest_customers(world, pool, count, world.start, world.end)))
    for workload in _workloads(scenario):
        rng = seeded(seed, "workload", workload.id)
        found.actors.append((rng, workload.play(world, world.start, world.end)))
        used += 260  # their mean in a fortnight, whatever the scenario's size
    found.actors += population.everybody(world, seed, max(total - used, total // 4))
    return found


def design(scenario: Scenario, *, seed: int, side: str, total: int) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """(families, settings) of each campaign: those written out, then a sample that covers the families in turn.

    The families of a side are dealt in a shuffled order that goes on from seed to seed, so that few seeds cover all;
    obfuscations and organisation are drawn independently, so that over seeds all pairs of levels meet.
    """
    allowed = [f for f in split.families(side) if f in work.families()]
    for given in scenario.campaign:
        yield tuple(given["families"]), {k: v for k, v in given.items() if k != "families"}
    count = scenario.campaigns if allowed else 0
    order: list[str] = []
    round_ = seed * count // max(len(allowed), 1)
    while len(order) < count + len(allowed):
        order += seeded(round_, "order", side).sample(allowed, len(allowed))
        round_ += 1
    first = seed * count % max(len(allowed), 1)
    for i in range(count):
        yield (order[first + i],), {}


def _enlist(
    found: Cast, number: int, chosen: Sequence[str], given: dict[str, Any], *, seed: int, side: str,
    corpora: Path | None,
) -> None:  # fmt: skip
    world = found.world
    rng = seeded(seed, "campaign", number, side)
    world.rng = world.texts.rng = rng
    known = work.families()
    for name in chosen:
        if name not in known:
            raise UsageError(f"there is no family `{name}`", fix=f"use one of {', '.join(known)}")
    families = tuple(known[name] for name in chosen)
    exchanges = int(given.get("exchanges") or max(40, rng.lognormvariate(-0.18, 0.6) * given["mean_exchanges"]))
    o = organisation.drawn(rng, dict(given.get("organisation", {})), exchanges, world.days)
    names = given.get("obfuscations")
    if names is None:
        names = rng.sample(sorted(work.obfuscations()), k=rng.choice((0, 0, 1, 1, 2))) if work.obfuscations() else []
    hides = tuple(work.obfuscations()[name] for name in names)
    context = Context(
        rng=rng, texts=world.texts, side=side, questions=Questions(world.texts, side, corpora),
        language=given.get("language") or rng.choice(LANGUAGES),
    )  # fmt: skip
    made = Campaign(
        id=f"campaign-{number + 1}", families=families, obfuscations=hides, organisation=o, exchanges=exchanges,
        context=context, alike=o.hidden == "no" and rng.random() < 0.3,
    )  # fmt: skip
    found.campaigns.append(made)
    if not all(f.observable for f in families):
        made.exchanges = 0
        return
    start = world.start + (0.02 + 0.3 * rng.random()) * (world.end - world.start)
    end = world.end - 0.05 * (world.end - world.start)
    with_pool = given.get("pool")
    if with_pool:  # two labs on one pool
        other = next(c for c in found.campaigns if c.id == with_pool)
        made.accounts, made.pool = other.accounts, other.pool
    elif o.hidden in ("router", "reseller"):
        pool = campaigns.intermediary(world, made.id, o.hidden, max(o.accounts, 8) if o.hidden == "reseller" else 1)
        made.pool = f"{o.hidden}-of-{made.id}"
        found.pools[made.pool] = (o.hidden, pool)
        made.accounts = pool
        honest = int(exchanges * (1 - o.share) / o.share)
        found.sent[made.pool] = honest
        other_rng = seeded(seed, "customers", number, side)
        world.rng = world.texts.rng = other_rng
        found.actors.append((other_rng, campaigns.honest_customers(world, pool, honest, world.start, world.end)))
        world.rng = world.texts.rng = rng
    elif o.hidden in ("aged", "stolen"):
        _lend(found, made, seed, number)
    else:
        made.accounts = campaigns.recruit(world, made, o.accounts)
        if o.framed:
            _frame(found, made, o.framed)
        if len(made.accounts) > 1:
            found.pools[f"pool-of-{made.id}"] = ("campaign", made.accounts)
    found.actors.append((rng, campaigns.play(world, made, start, end)))


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


def _frame(found: Cast, made: Campaign, count: int) -> None:
    """Innocent accounts whose keys send a few of the campaign's requests, and who chat as ever."""
    world = found.world
    for i in range(count):
        rng = Random(f"{made.id}/framed/{i}")
        world.rng = world.texts.rng = rng
        account = world.account("victim", "person", campaign=made.id)
        found.actors.append((rng, population.chatter(world, account, world.start, world.end)))
        made.accounts.append(account)
    world.rng = world.texts.rng = made.context.rng


def _workloads(scenario: Scenario) -> list[Workload]:
    known = work.workloads()
    if scenario.workloads == ("all",):
        return list(known.values())
    for name in scenario.workloads:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise UsageError(f"there is no workload `{name}`", fix=f"use {near[0] if near else ', '.join(known)}")
    return [known[name] for name in scenario.workloads]
