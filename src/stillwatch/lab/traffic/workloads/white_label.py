"""A product with a persona of its own, for its own users, in many languages; it never says which model it is."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import borrowed, job_account, scale, style
from stillwatch.lab.traffic.people import chat_asks
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A bank, a town, a travel app."""
    rng, texts = world.rng, world.texts
    own = style(world)
    system = borrowed(world, own, "f11", "identity") or own.say("whitelabel")
    account = job_account(world, "white_label", stream=rng.random() < 0.6)
    tells, per_day, zone = rng.random() < 0.5, scale(world, 14), rng.choice((-5, 0, 1, 8))
    for at in moments(world, start, end, share=1.0, per_day=per_day, shape="person", tz_h=zone, weekend=0.9):
        yield at
        language, caller = texts.language(), f"c{rng.randrange(500)}"
        world.converse(account, at, chat_asks(world, language, world.turns(2.0)), section=language, system=system,
                       end_user=caller if tells else None, customer=caller)  # fmt: skip


PARTS = (
    Workload(
        id="white_label",
        about="a product under its own name with users in many languages",
        play=play,
        about_families=("F11", "F12"),
    ),
)
