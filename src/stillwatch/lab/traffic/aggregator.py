"""An honest router: many customers behind one key and one address, with or without end-user ids."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.desk import scale, style
from stillwatch.lab.traffic.people import chat_asks, code_asks, system_prompt
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.world import World

_MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "deepseek-r1")


def aggregator(world: World, workload: str, tell_users: bool, start: float, end: float) -> Iterator[float]:
    """Chat, code, hard questions with their reasoning, and small jobs, of a few dozen customers."""
    rng, texts = world.rng, world.texts
    account = world.account("honest", workload, ips=[world.host_ip()], client=CLIENTS["openrouter-like"], business=True,
                            temperature=None, max_tokens=None, declared_use="model router for developers")  # fmt: skip
    users = [
        (f"e{rng.randrange(10**6)}", texts.language(), rng.choices(("chat", "code", "maths", "label"), (5, 3, 2, 1))[0])
        for _ in range(scale(world, 60))
    ]
    own = style(world)
    per_day = scale(world, 28)
    for at in moments(world, start, end, share=1.0, per_day=per_day, shape="person", tz_h=0, weekend=0.9):
        yield at
        user, language, kind = rng.choice(users)
        turns = world.turns(2.4)
        more: Json = {"model": rng.choice(_MODELS), "end_user": user if tell_users else None, "customer": user}
        if kind == "label":
            for _ in range(5):
                asked = own.dress(own.say("classify"), texts.say("doc", "ticket"))
                at = world.exchange(account, at, asked, "other", **more) + rng.random()
        elif kind == "maths":
            order = rng.choice(("", " Think step by step.", " Show your full reasoning."))
            asks = [world.questions.draw(rng, "problem") + order, *chat_asks(world, "en", turns)[1:]]
            world.converse(account, at, asks, section="en", mean_chars=900, **more)
        else:
            asks = code_asks(world, turns) if kind == "code" else chat_asks(world, language, turns)
            section = "code" if kind == "code" else language
            world.converse(account, at, asks, section=section, system=system_prompt(world), **more)
