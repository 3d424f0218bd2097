"""A learning app climbs a ladder of difficulty with each of its learners."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import job_account, scale, style
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A session is a handful of items, each a little harder."""
    rng = world.rng
    own = style(world)
    account = job_account(world, "adaptive_learning", programme="education" if rng.random() < 0.4 else None)
    per_day = scale(world, 12)
    for at in moments(world, start, end, share=1.0, per_day=per_day, shape="person", tz_h=account.tz_h, weekend=0.7):
        yield at
        learner = f"learner-{rng.randrange(120)}"
        for _ in range(rng.randrange(2, 7)):
            messages = own.dress(own.say("ladder"), own.question())
            at = world.exchange(account, at, messages, own.reasoned(350), customer=learner) + 30 + 90 * rng.random()


PARTS = (
    Workload(
        id="adaptive_learning",
        about="a learning app with a ladder of difficulty",
        play=play,
        about_families=("F15",),
    ),
)
