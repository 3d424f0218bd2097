"""Ordinary traffic: people who chat, people who code, small products, small scripts. It sets the base rates."""

from __future__ import annotations

from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.world import DAYS, Account, World

CODING_CLIENTS = ("openai-python-2.20.0-raw-linux", "opencode", "openai-node-6.1.0", "openai-python-3.3.0-async-linux")


def chat_asks(world: World, language: str, turns: int) -> list[str]:
    """The user's side of a conversation."""
    texts = world.texts
    return [texts.ask(language), *(texts.say(language, "follow") for _ in range(turns - 1))]


_ORDERS = ("", "", "Think step by step. ", "Show your reasoning. ", "Answer only. ", "as JSON: ", "Explain it to me. ")


PASTED = 0.45  # of conversations that begin with pasted material


def with_material(world: World, asks: list[str], chance: float = PASTED) -> list[str]:
    """The same, now and then with a mail, a report or notes pasted below the first question."""
    rng = world.rng
    if chance and rng.random() < chance:
        return [f"{asks[0]}\n\n{world.texts.document(800 * rng.lognormvariate(0, 0.9))}", *asks[1:]]
    return asks


def everyday_asks(world: World, language: str, turns: int, technical: float = 0.2) -> list[str]:
    """What people ask: chat, and with chance `technical` homework, an exam question or a task, as harvests do too."""
    rng = world.rng
    asks = chat_asks(world, language, turns)
    if rng.random() < technical:
        own = f"{world.side}_{language}"
        if language != "en" and own in world.texts.grammars and rng.random() < 0.7:
            asks[0] = world.texts.say(own, "item")
        else:
            asks[0] = rng.choice(_ORDERS) + world.questions.draw(rng, rng.choice(("problem", "instruction")))
    return with_material(world, asks)


def code_asks(world: World, turns: int, lines: float = 14.0) -> list[str]:
    """A developer's side: a task with a piece of a file, then remarks."""
    texts, rng = world.texts, world.rng
    first = texts.say("code", "task")
    if rng.random() < 0.75:
        first += f"\n\n```\n{texts.file(max(3, int(rng.lognormvariate(0, 0.6) * lines)))}\n```"
    return [first, *(texts.say("code", "follow") for _ in range(turns - 1))]


def active_days(world: World, share: float, weekend_factor: float) -> list[int]:
    """Days on which somebody shows up; at least one."""
    days = [d for d in range(DAYS) if world.rng.random() < share * (weekend_factor if world.weekend(d) else 1.0)]
    return days or [world.rng.randrange(DAYS)]


def system_prompt(world: World, rule: str = "assistant", chance: float = 0.5) -> str | None:
    """A common system prompt, or none."""
    return world.texts.say("system", rule) if world.rng.random() < chance else None


def chatter(world: World, account: Account, *, share: float, per_day: float, weekend_factor: float = 1.1) -> None:
    """Chats of one person over the fortnight."""
    system, same = system_prompt(world), world.rng.random() < 0.55  # else several apps on one key
    talkative = world.rng.choice((1.05, 1.3, 1.6, 2.2, 3.0))
    for day in active_days(world, share, weekend_factor):
        for _ in range(1 + int(world.rng.random() * per_day)):
            at = world.moment(day, "person", account.tz_h)
            asks = chat_asks(world, account.language, world.turns(talkative))
            world.converse(account, at, asks, section=account.language, system=system if same else system_prompt(world))


def coder(world: World, account: Account, *, share: float, per_day: float) -> None:
    """Coding sessions of one developer, weekdays mostly."""
    system = system_prompt(world, "coder", 0.8)
    talkative = world.rng.choice((1.1, 1.8, 3.0))
    for day in active_days(world, share, 0.3):
        for _ in range(1 + int(world.rng.random() * per_day)):
            at = world.moment(day, "office", account.tz_h)
            asks = code_asks(world, world.turns(talkative))
            world.converse(account, at, asks, section="code", system=system, mean_chars=700, pause_s=80)


def product(world: World, account: Account, *, requests: int) -> None:
    """A small product: one system prompt of its own, some end users, one question each time."""
    rng, texts = world.rng, world.texts
    name = texts.say("code", "objc") + texts.say("code", "act").title()
    system = (
        f"You are the assistant inside {name}, used for {texts.say('en', 'topic')}. {texts.say('system', 'assistant')}"
    )
    users = [f"u{rng.randrange(10, 9999)}" for _ in range(rng.randrange(3, 20))]
    tell_users = rng.random() < 0.5
    shape = rng.choice(("person", "office"))
    for _ in range(requests):
        day = rng.choice(active_days(world, 1.0, 0.6))
        user = rng.choice(users) if tell_users else None
        asks = chat_asks(world, account.language, world.turns(1.4))
        world.converse(account, world.moment(day, shape, account.tz_h), asks, section=account.language, system=system,
                       mean_chars=380, end_user=user)  # fmt: skip


def script(world: World, account: Account, *, per_run: int) -> None:
    """A cron job on weekdays: the same instruction over new documents, a few seconds apart."""
    rng, texts = world.rng, world.texts
    order = rng.choice(
        (
            "Summarise the report below in three sentences.", "List all dates and amounts in this text.",
            "Write a title and two tags for this note.", "Which of these items need an answer today?",
            "Rewrite the minutes below as a list of decisions. Think step by step, then give only the list.",
        )
    )  # fmt: skip
    minute = world.moment(0, "flat")
    for day in active_days(world, 0.9, 0.2):
        at = minute + day * 86_400 + rng.random() * 90
        for _ in range(max(1, int(per_run * rng.lognormvariate(0, 0.4)))):
            prompt = f"{order}\n\n{texts.document(900 * rng.lognormvariate(0, 0.5))}"
            at = world.exchange(account, at, [{"role": "user", "content": prompt}], texts.answer("en", 300))
            at += 0.5 + 3 * rng.random()


def everybody(world: World, *, chatters: int, coders: int, products: int, scripts: int) -> None:
    """All ordinary accounts."""
    rng = world.rng
    for _ in range(chatters):
        account = world.account("honest", "person")
        chatter(world, account, share=0.08 + 0.55 * rng.random(), per_day=2.6)
    for _ in range(coders):
        client = CLIENTS[rng.choice(CODING_CLIENTS)] if rng.random() < 0.7 else None
        account = world.account("honest", "developer", client=client)
        coder(world, account, share=0.1 + 0.4 * rng.random(), per_day=2.4)
    for _ in range(products):
        product(world, world.account("honest", "product", business=True), requests=int(8 + 30 * rng.random()))
    for _ in range(scripts):
        script(world, world.account("honest", "script", stream=False), per_run=int(2 + 3 * rng.random()))
