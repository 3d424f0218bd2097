"""A professional firm asks densely about its one field, case by case."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.clients import any_client
from stillwatch.lab.traffic.desk import borrowed, scale, style
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World

_FIELDS = {"tune": ("science", "systems", "code"), "test": ("law", "medicine", "kernel")}


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Partners and juniors on one key, with follow-ups."""
    rng, texts = world.rng, world.texts
    own = style(world)
    field, frame = rng.choice(_FIELDS[world.side]), borrowed(world, own, "f2") or own.say("expert")
    account = world.account("honest", "specialist_firm", business=True, language="en")
    desks = [(world.home_ip(), any_client(rng)) for _ in range(rng.randrange(2, 7))]
    framed, per_day = rng.random() < 0.6, scale(world, 26)
    for at in moments(world, start, end, share=0.95, per_day=per_day, shape="office", tz_h=account.tz_h, weekend=0.15):
        yield at
        ip, client = rng.choice(desks)
        asks = [own.ctx.say(field, "item"), *(texts.say("en", "follow") for _ in range(2))]
        world.converse(account, at, asks[: world.turns(1.8)], section="en", mean_chars=900,
                       system=frame if framed else None, ip=ip, client=client)  # fmt: skip


PARTS = (
    Workload(
        id="specialist_firm",
        about="a firm asks about its one field all day",
        play=play,
        about_families=("F16", "F2"),
    ),
)
