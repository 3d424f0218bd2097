"""Somebody watches whether the model's quality drifts: a few canary prompts, every few hours, for ever."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, runs, style, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Short prompts and a few hard ones, one after another, with marks by the model itself at times."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = job_account(world, "drift_monitor", temperature=0.0)
    canaries = world.texts.grammars[f"{world.side}_job"].all("canary")
    prompts = [*canaries, *(world.questions.draw(rng, "problem") for _ in range(rng.randrange(0, 6)))]
    grades = rng.random() < 0.4
    for at in runs(world, start, end, every_days=rng.choice((0.17, 0.33, 0.5))):
        yield at
        calls = [Call(user(p), texts.answer("en", 110)) for p in prompts]
        if grades:
            judged = f"{own.say('judge')}\n\nA: {texts.answer('en', 200)}\nB: {texts.answer('en', 200)}"
            calls.append(Call(user(judged), f'{{"a": {rng.randrange(1, 6)}, "b": {rng.randrange(1, 6)}}}'))
        batch(world, account, at, calls, width=1)


PARTS = (
    Workload(
        id="drift_monitor",
        about="canary prompts every few hours to see whether quality drifts",
        play=play,
        about_families=("F7", "F13"),
    ),
)
