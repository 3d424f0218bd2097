"""A publisher of exercise books: the answers are printed at the back, the workings are missing."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, borrowed, job_account, runs, scale, style
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Chapter by chapter, in working hours."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame = borrowed(world, own, "f3") or own.say("solutions")
    account = job_account(world, "solution_manual", declared_use=rng.choice(("education", "writing help", None)))
    for at in runs(world, start, end, every_days=1.0, hour=7 + 8 * rng.random(), weekdays=True):
        yield at
        calls = [
            Call(own.dress(frame, f"{own.question()}\nAnswer: {texts.final()}"), own.thoughts())
            for _ in range(scale(world, 14))
        ]
        batch(world, account, at, calls, width=rng.choice((1, 1, 3)))


PARTS = (
    Workload(
        id="solution_manual",
        about="worked solutions for exercises whose answers are known, for a book",
        play=play,
        about_families=("F3",),
    ),
)
