"""A software firm has unit tests written for its own code, file by file."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, runs, scale, style, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A coverage drive: real files in, tests out, then a fix where one fails."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame = own.say("unittests")
    account = job_account(world, "own_unit_tests", declared_use="coding")
    for at in runs(world, start, end, every_days=1.0, hour=8 + 8 * rng.random(), weekdays=True):
        yield at
        calls = []
        for _ in range(scale(world, 14)):
            code = texts.file(int(10 + 40 * rng.random()))
            calls.append(Call(user(f"{frame}\n\n```\n{code}\n```"), f"```\n{texts.file(20)}\n```"))
            if rng.random() < 0.3:
                calls.append(
                    Call(user(f"{texts.say('code', 'follow')}\n\n```\n{code}\n```"), texts.answer("code", 500))
                )
        batch(world, account, at, calls, width=rng.choice((1, 3, 8)))


PARTS = (
    Workload(
        id="own_unit_tests",
        about="unit tests for the customer's own code, in a drive",
        play=play,
        about_families=("F9", "F10"),
    ),
)
