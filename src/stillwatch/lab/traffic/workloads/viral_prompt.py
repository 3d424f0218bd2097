"""A prompt goes round: for two days strangers all send nearly the same text."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import scale, style, together
from stillwatch.lab.traffic.population import chatter
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import DAY_S, Account, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """The number of senders rises and falls; a part of them chat anyway."""
    rng, own = world.rng, style(world)
    prompt = own.ctx.say("job", "viral")
    peak = start + (0.2 + 0.6 * rng.random()) * (end - start)
    actors: list[Iterator[float]] = []
    for _ in range(scale(world, 55, 0.3)):
        account = world.account("honest", "viral_prompt")
        at = max(start, peak + rng.gauss(0, 0.7) * DAY_S)
        own_words = rng.random() < 0.3
        actors.append(_send(world, account, own.ctx.say("job", "viral") if own_words else prompt, at, end))
        if rng.random() < 0.4:
            actors.append(chatter(world, account, start, end))
    yield from together(actors)


def _send(world: World, account: Account, prompt: str, at: float, end: float) -> Iterator[float]:
    if at < end:
        yield at
        asks = [prompt, *(world.texts.say("en", "follow") for _ in range(world.turns(1.5) - 1))]
        world.converse(account, at, asks, section="en")


PARTS = (
    Workload(
        id="viral_prompt",
        about="strangers send nearly the same prompt within two days",
        play=play,
        about_families=("F2", "F1"),
    ),
)
