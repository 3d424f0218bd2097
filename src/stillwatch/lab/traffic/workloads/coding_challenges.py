"""A hiring platform has coding challenges written by program: statement, tests, solution; people then sit them."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, borrowed, job_account, runs, scale, style, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A few new challenges on a working day, and the marks of yesterday's candidates."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = job_account(world, "coding_challenges", declared_use="hiring" if rng.random() < 0.5 else None)
    for at in runs(world, start, end, every_days=1.0, hour=7 + 9 * rng.random(), weekdays=True):
        yield at
        calls = []
        for _ in range(scale(world, 5)):
            brief = borrowed(world, own, "f9", chance=0.7) or own.say("unittests")
            made = f"{texts.say('code', 'task')}\n\n```\n{texts.file(18)}\n```\n```\n{texts.file(9)}\n```"
            calls.append(Call(user(brief), made))
            for _ in range(rng.randrange(0, 6)):
                attempt = f"{texts.say('code', 'task')}\n\n```\n{texts.file(int(6 + 20 * rng.random()))}\n```"
                marked = f"{rng.randrange(1, 11)}/10. {texts.say('code', 'say')}"
                calls.append(Call(own.dress(own.say("judge"), attempt), marked, {"temperature": 0.0}))
        batch(world, account, at, calls, width=3)


PARTS = (
    Workload(
        id="coding_challenges",
        about="a hiring platform has tasks with tests written, and marks what candidates hand in",
        play=play,
        about_families=("F9", "F7"),
    ),
)
