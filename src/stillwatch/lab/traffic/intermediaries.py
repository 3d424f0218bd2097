"""Traffic that comes through somebody else's account: a router with a campaign inside, and a reseller without one.

`routed` is one customer of an otherwise honest router: reasoning traces, several samples per problem (F13). It sends no
end-user id, goes by the router's one key and address, and keeps none of its own headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stillwatch.lab.traffic.campaigns import work_items
from stillwatch.lab.traffic.clients import CLIENTS, HOP
from stillwatch.lab.traffic.desk import style
from stillwatch.lab.traffic.people import chat_asks, code_asks, system_prompt, with_material
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.world import Account, World

# What the cards of reasoning models advise, so honest customers send it too.
_REASONING: Json = {"temperature": 0.6, "top_p": 0.95, "max_tokens": 8192}
_WARM: Json = {"temperature": 0.6}
CUSTOMERS_SET: tuple[Json, ...] = (_REASONING, _WARM, {})  # what a customer of a router or reseller sets


def routed(world: World, *, requests: int, share: float = 0.12, samples: int = 4) -> Account:
    """A router's account: many customers behind one key and one address, one of them a harvest.

    Returns:
        the router's account.
    """
    rng, texts = world.rng, world.texts
    router = world.account(
        "router", "router", campaign="routed", ips=[world.host_ip()], client=CLIENTS[HOP], business=True, stream=False,
        declared_use="model router for developers", temperature=None, max_tokens=None,
    )  # fmt: skip
    problems = work_items(world, round(requests * share / samples))
    days, at = 10, 0.0
    for i, problem in enumerate(problems):
        at = world.moment(2 + i * days // len(problems), "flat") if i % 8 == 0 else at + 1.5 * rng.random()
        wrapper = texts.say("routed", "wrapper")
        messages: list[Json] = [{"role": "user", "content": f"{wrapper}\n\n{problem}"}]
        if i % 3 == 0:
            messages = [{"role": "system", "content": wrapper}, {"role": "user", "content": problem}]
        model = rng.choice(("deepseek-r1", "deepseek-r1", "gpt-4o", "claude-sonnet-4-5"))
        params = rng.choice((_REASONING, _REASONING, _WARM, {}))
        for _ in range(samples):
            answer = f"{texts.reasoning(300 if model == 'deepseek-r1' else 700)}\n\n\\boxed{{{rng.randrange(900)}}}"
            world.exchange(router, at, messages, answer, tag="routed", model=model, params=params)
            at += 0.3 * rng.random()
    honest = requests - len(problems) * samples
    done = world.exchanges[router.account_id]
    customers = customers_of(world, 160)
    while world.exchanges[router.account_id] - done < honest:
        customer = rng.choice(customers)
        serve(world, router, customer, world.moment(rng.randrange(world.days), "person", customer.tz_h), None)
    return router


@dataclass(frozen=True, slots=True)
class Customer:
    """An honest customer of the router."""

    kind: str
    user: str | None
    language: str
    tz_h: int
    model: str
    system: str | None
    params: Json
    talkative: float
    order: str  # of a job
    pastes: float = 0.0  # chance that a conversation begins with pasted material


def customers_of(world: World, count: int, talkative: tuple[float, ...] = (1.05, 1.2, 1.5, 2.0)) -> list[Customer]:
    """Honest customers of a router or a reseller; `talkative` has mean turns of a conversation to choose from."""
    return [_customer(world, talkative) for _ in range(count)]


def _customer(world: World, talkative: tuple[float, ...]) -> Customer:
    rng = world.rng
    model = rng.choices(("gpt-4o", "gpt-4o-mini", "deepseek-r1", "claude-sonnet-4-5"), (3, 3, 4, 2))[0]
    usual = (6, 2, 2) if model == "deepseek-r1" else (4, 3, 3)
    return Customer(
        kind=rng.choices(("chat", "code", "job", "maths"), (5, 3, 1, 3))[0],
        user=f"c{rng.randrange(100, 99999)}" if rng.random() < 0.32 else None,
        language=world.texts.language(),
        tz_h=rng.choice((-8, -5, 0, 1, 3, 5, 8, 9)),
        model=model,
        system=system_prompt(world, chance=0.45),
        params=rng.choices(CUSTOMERS_SET, usual)[0],
        talkative=rng.choice(talkative),
        order=style(world).say(rng.choice(("classify", "classify", "extract", "index", "transcript"))),
    )


def serve(
    world: World, account: Account, customer: Customer, at: float, name: str | None, *, spare: Account | None = None,
    refused: float = 0.0,
) -> None:  # fmt: skip
    """One conversation, or six requests of a job, of one honest customer, at a time.

    Args:
        name: what the ground truth calls the customer.
        spare: where a relay sends the rest of a conversation when the account is refused in the middle of it.
        refused: chance, where there is a spare account, that the first request is refused and goes on there.
    """
    rng, texts, c = world.rng, world.texts, customer
    more: dict[str, Any] = {"model": c.model, "end_user": c.user, "params": c.params, "customer": name}
    if c.kind == "job":
        for _ in range(6):
            ask = [{"role": "user", "content": f"{c.order}\n\n{texts.say('doc', 'ticket')}"}]
            label = rng.choice(("billing", "delivery", "product"))
            at = world.exchange(account, at, ask, label, **more) + rng.random()
        return
    turns = world.turns(c.talkative)
    move = spare is not None and refused > 0 and rng.random() < refused
    if c.kind == "code":
        asks, section, chars = code_asks(world, turns), "code", 750.0
    elif c.kind == "maths":
        puzzle = world.questions.draw(rng, "problem") + rng.choice(
            ("", " Explain step by step.", " Show your reasoning.")
        )
        asks, section, chars = [puzzle, *chat_asks(world, "en", turns)[1:]], "en", 900.0
    else:
        asks, section, chars = chat_asks(world, c.language, turns), c.language, 700.0
    if c.pastes:
        asks = with_material(world, asks, c.pastes)
    if move and spare is not None:
        first = [{"role": "system", "content": c.system}] if c.system else []
        at = world.exchange(account, at, [*first, {"role": "user", "content": asks[0]}], "", status=429, **more)
        account, at = spare, at + 1 + 3 * rng.random()
    elif spare is not None and spare is not account and turns > 1 and rng.random() < 0.12:
        cut = rng.randrange(1, turns)
        kept = world.converse(account, at, asks[:cut], section=section, system=c.system, mean_chars=chars, **more)
        stuck = [*kept, {"role": "user", "content": asks[cut]}]
        at = world.exchange(account, at + 120 * cut, stuck, "", status=429, **more)
        world.converse(spare, at + 1 + 3 * rng.random(), asks[cut:], section=section, history=kept, **more)
        return
    world.converse(account, at, asks, section=section, system=c.system, mean_chars=chars, **more)


def reseller(
    world: World, *, accounts: int, requests: int, role: str = "reseller", family: str = "reseller", **record: Any
) -> list[Account]:
    """A pool behind one relay: sticky end users, one frozen client, few headers, two cards, failover after a 429.

    Returns:
        the accounts of the pool.
    """
    rng = world.rng
    block = world.host_ip().rsplit(".", 1)[0]
    relays = [f"{block}.{rng.randrange(16, 32)}" for _ in range(3)]
    cards = [world.payment() for _ in range(2)]
    client = CLIENTS["relay"]
    pool = [
        world.account(role, family, ips=[rng.choice(relays)], client=client, business=True, stream=rng.random() < 0.8,
                      temperature=None, max_tokens=None, payment_fingerprint=rng.choice(cards), **record)
        for _ in range(accounts)
    ]  # fmt: skip
    users = []
    for _ in range(accounts * 9):
        users.append(
            (rng.choice(pool), rng.random() < 0.3, world.texts.language(), rng.choice((-8, -5, 0, 1, 3, 8, 9)))
        )
    models = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "deepseek-r1")
    done = sum(world.exchanges[a.account_id] for a in pool)
    while sum(world.exchanges[a.account_id] for a in pool) - done < requests:
        account, codes, language, tz_h = rng.choice(users)
        at = world.moment(rng.randrange(world.days), "person", tz_h)
        turns = world.turns(3.0)
        asks = code_asks(world, turns) if codes else chat_asks(world, language, turns)
        section, system, model = "code" if codes else language, system_prompt(world), rng.choice(models)
        if turns > 1 and rng.random() < 0.12:
            cut = rng.randrange(1, turns)
            kept = world.converse(account, at, asks[:cut], section=section, system=system, model=model)
            stuck = [*kept, {"role": "user", "content": asks[cut]}]
            at = world.exchange(account, at + 120 * cut, stuck, "", model=model, status=429)
            other = rng.choice([a for a in pool if a is not account])
            world.converse(other, at + 1 + 3 * rng.random(), asks[cut:], section=section, history=kept, model=model)
        else:
            world.converse(account, at, asks, section=section, system=system, model=model)
    return pool
