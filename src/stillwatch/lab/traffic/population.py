"""Ordinary traffic as actors: people who chat, people who code, small products and scripts. It sets base rates."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from stillwatch.lab.traffic.calendar import MOVERS
from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.clockwork import Actor, seeded
from stillwatch.lab.traffic.desk import roughened
from stillwatch.lab.traffic.people import CODING_CLIENTS, code_asks, everyday_asks, system_prompt
from stillwatch.lab.traffic.rows import MODELS
from stillwatch.lab.traffic.world import DAY_S, Account, World

TALKATIVE = (1.01, 1.01, 1.05, 1.2, 1.6, 2.4)  # turns of a conversation, in the mean
MEAN_EXCHANGES = 18.0  # of one ordinary account in a fortnight, silent ones included: scenarios size themselves with it
MOST_ACCOUNTS = 150_000  # from there on products and scripts get busier instead, so that memory stays bounded
MACHINES = 0.5  # of ordinary exchanges that products and scripts make


def moments(world: World, start: float, end: float, *, share: float, per_day: float, shape: str, tz_h: int,
            weekend: float, student: bool = False) -> Iterator[float]:  # fmt: skip
    """Times at which somebody turns up, in order: on a `share` of the days, up to `per_day` + 1 times."""
    first = int((start - world.start) // DAY_S)
    for day in range(first, int((end - world.start) // DAY_S)):
        busy = world.calendar.busy(day, student=student) if world.calendar else 1.0
        if world.rng.random() < share * busy * (weekend if world.weekend(day) else 1.0):
            here = [world.moment(day, shape, tz_h) for _ in range(1 + int(world.rng.random() * per_day))]
            yield from sorted(max(t, start) for t in here)


def _keen(rng: Random) -> float:
    """How much more than others somebody does: most little, a few very much."""
    return rng.lognormvariate(0.3, 0.9)


def chatter(world: World, account: Account, start: float, end: float) -> Iterator[float]:
    """Chats of one person."""
    rng = world.rng
    system, same = system_prompt(world), rng.random() < 0.55  # else several apps on one key
    # phones change their address from one conversation to the next; such owners notice a thief last
    roams = rng.random() < (0.2 if account.role == "honest" else 0.7)
    talkative, share = rng.choice(TALKATIVE), 0.35 * rng.random() ** 2 + 0.02
    chars, rough = 300 + 2400 * rng.random() ** 2, rng.random() < 0.4  # some type in haste, or in two languages
    mover, student = rng.random() < MOVERS, rng.random() < 0.2
    technical = rng.random() ** 2  # pupils, engineers and clerks bring their problems; others only chat
    for at in moments(world, start, end, share=share, per_day=5.0 * _keen(rng), shape="person", tz_h=account.tz_h,
                      weekend=1.1, student=student):  # fmt: skip
        yield at
        if mover and world.calendar and at > world.calendar.release_at:
            account.model = MODELS[world.calendar.released]
        asks = everyday_asks(world, account.language, world.turns(talkative), technical)
        asks = [roughened(world, ask) for ask in asks] if rough else asks
        world.converse(account, at, asks, section=account.language, system=system if same else system_prompt(world),
                       mean_chars=chars, ip=world.home_ip() if roams else None)  # fmt: skip


def coder(world: World, account: Account, start: float, end: float) -> Iterator[float]:
    """Coding sessions of one developer, weekdays mostly."""
    rng = world.rng
    system, talkative, share = (
        system_prompt(world, "coder", 0.6),
        rng.choice((1.02, 1.3, 2.5)),
        0.05 + 0.25 * rng.random(),
    )
    for at in moments(
        world, start, end, share=share, per_day=5.0 * _keen(rng), shape="office", tz_h=account.tz_h, weekend=0.3
    ):
        yield at
        asks = code_asks(world, world.turns(talkative))
        world.converse(account, at, asks, section="code", system=system, mean_chars=700, pause_s=80)


def product(world: World, account: Account, start: float, end: float, busier: float = 1.0) -> Iterator[float]:
    """A small product: one system prompt of its own, some end users, one question each time."""
    rng, texts = world.rng, world.texts
    name = texts.say("code", "objc") + texts.say("code", "act").title()
    system = f"You are the assistant inside {name}, used for {texts.say('en', 'topic')}. " + texts.say(
        "system", "assistant"
    )
    users = [f"u{rng.randrange(10, 9999)}" for _ in range(rng.randrange(3, 20))]
    shape = rng.choice(world.service_shapes or ("person", "office"))
    tell_users, per_day = rng.random() < 0.5, (1.0 + 5.0 * rng.random()) * _keen(rng) * busier
    chars, technical = 250 + 2400 * rng.random() ** 2, rng.choice((0.0, 0.1, 0.5, 1.0))
    for at in moments(world, start, end, share=0.6, per_day=per_day, shape=shape, tz_h=account.tz_h, weekend=0.6):
        yield at
        asks = everyday_asks(world, account.language, world.turns(1.1), technical)
        world.converse(account, at, asks, section=account.language, system=system, mean_chars=chars,
                       end_user=rng.choice(users) if tell_users else None)  # fmt: skip


def script(world: World, account: Account, start: float, end: float, busier: float = 1.0) -> Iterator[float]:
    """A cron job on weekdays: the same instruction over new documents, a few seconds apart."""
    rng, texts = world.rng, world.texts
    order = texts.say("doc", "order")
    minute, per_run = rng.random() * DAY_S, (3 + 7 * rng.random()) * _keen(rng) * busier
    often = rng.choice((0.9, 0.9, 0.5, 0.2))  # daily, or weekly
    for day in range(int((start - world.start) // DAY_S), int((end - world.start) // DAY_S)):
        if rng.random() >= (0.2 * often if world.weekend(day) else often):
            continue
        at = max(start, world.start + day * DAY_S + minute + rng.random() * 90)
        yield at
        for _ in range(max(1, int(per_run * rng.lognormvariate(0, 0.4)))):
            prompt = f"{order}\n\n{texts.document(900 * rng.lognormvariate(0, 0.5))}"
            at = world.exchange(account, at, [{"role": "user", "content": prompt}], texts.answer("en", 300))
            at += 0.5 + 3 * rng.random()


def everybody(world: World, seed: int, exchanges: int) -> Iterator[tuple[Random, Actor]]:
    """Ordinary accounts that make about so many exchanges in the period; some arrive while it runs, some leave."""
    wanted = max(8, round(exchanges / MEAN_EXCHANGES * 14 / world.days))
    busier = max(1.0, (wanted / MOST_ACCOUNTS - 1 + MACHINES) / MACHINES)
    for i in range(min(wanted, MOST_ACCOUNTS)):
        rng = seeded(seed, "ordinary", i)
        world.rng = world.texts.rng = rng
        span = world.end - world.start
        start = world.start if rng.random() < 0.6 else world.start + rng.random() * 0.9 * span
        end = world.end if rng.random() < 0.6 else start + rng.random() * (world.end - start)
        kind = rng.choices(("person", "developer", "product", "script"), (58, 18, 15, 9))[0]
        if kind == "developer":
            client = CLIENTS[rng.choice(CODING_CLIENTS)] if rng.random() < 0.7 else None
            yield rng, coder(world, world.account("honest", kind, client=client), start, end)
        elif kind == "person":
            yield rng, chatter(world, world.account("honest", kind), start, end)
        elif kind == "product":
            yield rng, product(world, world.account("honest", kind, business=True), start, end, busier)
        else:
            yield rng, script(world, world.account("honest", kind, stream=False), start, end, busier)
