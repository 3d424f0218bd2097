"""Somebody measures how much the service bears: a few fixed prompts, very fast, for minutes."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, runs, scale, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Runs of a minute, now and then."""
    rng, texts = world.rng, world.texts
    account = job_account(world, "load_test", model="gpt-4o-mini")
    prompts = [texts.ask("en") for _ in range(rng.randrange(3, 9))]
    for at in runs(world, start, end, every_days=3.0, weekdays=True):
        yield at
        calls = [Call(user(rng.choice(prompts)), texts.answer("en", 200)) for _ in range(scale(world, 60))]
        batch(world, account, at, calls, width=8)


PARTS = (Workload(id="load_test", about="a few prompts at full rate for a minute", play=play, about_families=("F13",)),)
