"""Very many unrelated people use one popular agent, whose long system prompt asks for its notes."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.desk import scale, style, together
from stillwatch.lab.traffic.people import chat_asks
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.style import Style
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import Account, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Accounts of their own, one prompt, one client for most."""
    own = style(world)
    system = own.say("agent")
    client = CLIENTS[world.rng.choice(("openai-node-6.1.0", "opencode", "openai-python-3.3.0-async-linux"))]
    made = [
        world.account("honest", "popular_agent", client=client if world.rng.random() < 0.7 else None, temperature=None)
        for _ in range(scale(world, 60, 0.3))
    ]
    yield from together([_one(world, own, system, account, start, end) for account in made])


def _one(world: World, own: Style, system: str, account: Account, start: float, end: float) -> Iterator[float]:
    rng, texts = world.rng, world.texts
    share = 0.08 + 0.3 * rng.random()
    for at in moments(world, start, end, share=share, per_day=1.5, shape="person", tz_h=account.tz_h, weekend=1.0):
        yield at
        history: list[Json] = [{"role": "system", "content": system}]
        for ask in chat_asks(world, account.language, world.turns(2.2)):
            history = [*history, {"role": "user", "content": ask}]
            reply = own.labelled(texts.sentences("en", "say", 260), texts.answer(account.language, 240))
            at = world.exchange(account, at, history, reply) + 30 + 60 * rng.random()
            history = [*history, {"role": "assistant", "content": reply}]


PARTS = (
    Workload(
        id="popular_agent",
        about="unrelated people share the system prompt of a popular agent",
        play=play,
        about_families=("F1", "F10"),
    ),
)
