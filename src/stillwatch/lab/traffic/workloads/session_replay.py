"""A product replays stored conversations of its own users against a new prompt, before it goes live."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, runs, scale, style
from stillwatch.lab.traffic.people import chat_asks
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """The same stored sessions each time, last turn only, at machine pace."""
    texts = world.texts
    own = style(world)
    account = job_account(world, "session_replay")
    stored: list[list[Json]] = []
    for _ in range(scale(world, 50)):
        language, messages = texts.language(), []
        for ask in chat_asks(world, language, world.turns(2.2)):
            messages += [
                {"role": "user", "content": ask},
                {"role": "assistant", "content": texts.answer(language, 350)},
            ]
        stored.append(messages[:-1])
    for at in runs(world, start, end, every_days=4.0):
        yield at
        system: Json = {"role": "system", "content": own.say("whitelabel")}
        calls = [Call([system, *messages], texts.answer("en", 350)) for messages in stored]
        batch(world, account, at, calls, width=5)


PARTS = (
    Workload(
        id="session_replay",
        about="stored sessions of the customer's own users are run against a new prompt",
        play=play,
        about_families=("F12",),
    ),
)
