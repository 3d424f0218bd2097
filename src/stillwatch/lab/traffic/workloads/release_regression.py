"""All prompts of a product are run again whenever it, or a model, is released."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, runs, scale, style, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A burst on release days, on the new model at once."""
    rng, texts = world.rng, world.texts
    account = job_account(world, "release_regression")
    system = style(world).say(rng.choice(("tutor", "whitelabel", "agent")))
    prompts = [texts.ask(account.language) for _ in range(scale(world, 110))]
    for at in runs(world, start, end, every_days=6.0, hour=8 + 9 * rng.random(), weekdays=True):
        yield at
        model = rng.choice((None, "gpt-4o", "claude-sonnet-4-5"))
        calls = [Call(user(p, system), texts.answer(account.language, 600), None, {"model": model}) for p in prompts]
        batch(world, account, at, calls, width=6)


PARTS = (
    Workload(
        id="release_regression",
        about="a product's prompts are all run on release days, also on a new model's first day",
        play=play,
        about_families=("F13", "F15"),
    ),
)
