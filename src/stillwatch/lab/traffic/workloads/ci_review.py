"""Code review in continuous integration: one key, a new address for each runner."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.clients import any_client
from stillwatch.lab.traffic.desk import scale, style, user
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A review for each push, from an ephemeral machine."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame = own.say("review")
    account = world.account("honest", "ci_review", ips=[world.host_ip()], business=True, stream=False,
                            declared_use="coding")  # fmt: skip
    clients = [any_client(rng) for _ in range(3)]
    per_day = scale(world, 26)
    for at in moments(world, start, end, share=0.95, per_day=per_day, shape="office", tz_h=account.tz_h, weekend=0.2):
        yield at
        text = f"{frame}\n\n```diff\n{texts.file(int(10 + 30 * rng.random()))}\n```"
        world.exchange(account, at, user(text), texts.answer("code", 420), ip=world.host_ip(),
                       client=rng.choice(clients))  # fmt: skip


PARTS = (
    Workload(
        id="ci_review",
        about="reviews of changes from runners that get a new address for each job",
        play=play,
        about_families=("F10", "F9"),
    ),
)
