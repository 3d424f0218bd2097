"""Fail-over between providers: conversations come back with answers that this gateway never gave."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.desk import job_account, scale
from stillwatch.lab.traffic.people import chat_asks, code_asks
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A refusal is met by going elsewhere, and by coming back."""
    rng, texts = world.rng, world.texts
    account = job_account(world, "multi_provider", client=CLIENTS["openrouter-like"])
    per_day = scale(world, 22)
    for at in moments(world, start, end, share=1.0, per_day=per_day, shape="person", tz_h=account.tz_h, weekend=0.8):
        yield at
        asks = code_asks(world, 4) if rng.random() < 0.3 else chat_asks(world, "en", 4)
        history = world.converse(account, at, asks[:1], section="en")
        if rng.random() < 0.4:
            stuck = [*history, {"role": "user", "content": asks[1]}]
            at = world.exchange(account, at + 60, stuck, "", status=429)
            history = [*stuck, {"role": "assistant", "content": texts.answer("en", 500)}]  # told by somebody else
        world.converse(account, at + 150, asks[2:3], section="en", history=history)


PARTS = (
    Workload(
        id="multi_provider",
        about="an application that falls over to another provider and back",
        play=play,
        about_families=("F12", "F6"),
    ),
)
