"""What honest workloads have in common: a customer with a style, jobs that run in lanes, people who turn up."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.style import Style
from stillwatch.lab.traffic.work import Ask, Context, Item, obfuscations
from stillwatch.lab.traffic.world import DAY_S, Account, World


def context(world: World, language: str = "en") -> Context:
    """A context on the world's present random stream, for the parts that families and workloads share."""
    return Context(
        rng=world.rng, texts=world.texts, side=world.side, questions=world.questions, language=language
    )  # fmt: skip


_LANGUAGES = ("en", "en", "en", "en", "en", "en", "zh", "es", "de", "ja", "ru", "fr", "pt", "ko")


def style(world: World) -> Style:
    """The style of one honest customer: a language, labels, and wordings from the grammar `job` of this side."""
    made = Style(context(world, world.rng.choice(_LANGUAGES)), "job")
    made.draw("job", "labels", "target")
    return made


def job_account(world: World, workload: str, **more: Any) -> Account:
    """An account that runs jobs, mostly from a data centre."""
    ips = [world.host_ip()] if world.rng.random() < 0.8 else None
    given: dict[str, Any] = {"ips": ips, "business": True, "stream": False, "language": "en", **more}
    return world.account("honest", workload, **given)


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a job and its answer."""

    messages: list[Json]
    answer: str | list[str] | None
    params: Json | None = None
    more: Json | None = None  # further arguments of `World.exchange`


def user(text: str, system: str | None = None) -> list[Json]:
    """A question, under a system prompt or alone."""
    head: list[Json] = [{"role": "system", "content": system}] if system else []
    return [*head, {"role": "user", "content": text}]


def batch(world: World, account: Account, at: float, calls: Sequence[Call], width: int = 4) -> float:
    """Requests of a job, `width` at a time from `at` on. Returns the end of the last."""
    lanes = [at + 0.05 * i for i in range(width)]
    for call in calls:
        lane = lanes.index(min(lanes))
        end = world.exchange(account, lanes[lane], call.messages, call.answer, params=call.params, **(call.more or {}))
        lanes[lane] = end + 0.05 * world.rng.random()
    return max(lanes)


def runs(
    world: World, start: float, end: float, *, every_days: float, hour: float | None = None, weekdays: bool = False
) -> Iterator[float]:
    """Times of a job: about every `every_days`, at an hour of the day (0..24 UTC) or at any."""
    at = start + world.rng.random() * every_days * DAY_S
    while at < end:
        day = int((at - world.start) // DAY_S)
        moment = at if hour is None else world.start + day * DAY_S + hour * 3600 + 90 * world.rng.random()
        if not (weekdays and world.weekend(day)) and start <= moment < end:
            yield moment
        at += every_days * DAY_S * (1.0 if hour is not None else 0.6 + 0.8 * world.rng.random())


def borrowed(world: World, own: Style, section: str, rule: str = "wrap", chance: float = 0.3) -> str | None:
    """A family's wording in the mouth of an honest customer; None when it uses its own, or this side has none.

    Phrases prove nothing by themselves: whoever must keep its grounds on file asks for them as a harvester does.
    """
    grammar = world.texts.grammars.get(f"{world.side}_{section}")
    if grammar is None or rule not in grammar or world.rng.random() >= chance:
        return None
    found = Style(context(world, own.language), section)
    found.words.update(own.words)  # the labels are the customer's, as its answers have them
    for name in ("axis", "axis2", "axis3", "field", "client", "subject", "skill", "lang", "brand", "maker"):
        if name in grammar:
            found.draw(section, name)
    return found.say(rule, slot="")


def letter(world: World, own: Style) -> str:
    """A short message to the customer, in its language."""
    texts = world.texts
    return texts.say("doc", "ticket") if own.language == "en" else texts.sentences(own.language, "say", 160)


def paper(world: World, own: Style, chars: float) -> str:
    """A document of the customer's, in its language."""
    texts = world.texts
    return texts.document(chars) if own.language == "en" else texts.sentences(own.language, "say", chars)


def scale(world: World, mean: float, spread: float = 0.6) -> int:
    """A customer's size: log-normal, at least 1."""
    return max(1, int(mean * world.rng.lognormvariate(-spread * spread / 2, spread)))


def together(actors: Sequence[Iterator[float]]) -> Iterator[float]:
    """Several actors as one, in order of time."""
    coming = [(at, i) for i, actor in enumerate(actors) if (at := next(actor, None)) is not None]
    heapq.heapify(coming)
    while coming:
        at, i = heapq.heappop(coming)
        yield at
        later = next(actors[i], None)
        if later is not None:
            heapq.heappush(coming, (max(at, later), i))


def through(world: World, change: str, messages: list[Json]) -> list[Json]:
    """Messages as an obfuscation leaves them: honest text is encoded, mixed, mistyped and badly copied as well."""
    item = Item(asks=(Ask(messages=messages, answer=""),))
    return obfuscations()[change].change(context(world), item).asks[0].messages


def roughened(world: World, text: str) -> str:
    """What people type and paste: some of it mistyped, in two languages at once, or copied with what cannot be seen."""
    draw = world.rng.random()
    for chance, change in ((0.07, "typos"), (0.10, "code_switch"), (0.115, "zero_width"), (0.12, "homoglyphs")):
        if draw < chance:
            return str(through(world, change, user(text))[0]["content"])
    return text
