"""People who mix languages as they live: emigrants, borderlands, families of two tongues."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import scale, through, together, user
from stillwatch.lab.traffic.people import everyday_asks
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import Account, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Strangers with nothing in common but that."""
    made = [world.account("honest", "bilingual_chats", language="en") for _ in range(scale(world, 18, 0.3))]
    yield from together([_chat(world, account, start, end) for account in made])


def _chat(world: World, account: Account, start: float, end: float) -> Iterator[float]:
    rng = world.rng
    other, share = rng.choice(("es", "de", "zh", "ja", "pt")), 0.2 + 0.4 * rng.random()
    for at in moments(world, start, end, share=share, per_day=2.2, shape="person", tz_h=account.tz_h, weekend=1.1):
        yield at
        language = rng.choice(("en", other))
        asks = everyday_asks(world, language, world.turns(1.8))
        if language == "en":
            asks = [str(through(world, "code_switch", user(ask))[0]["content"]) for ask in asks]
        world.converse(account, at, asks, section=rng.choice((language, other)))


PARTS = (
    Workload(
        id="bilingual_chats",
        about="people who mix two languages in a sentence",
        play=play,
        about_families=("F4", "F11"),
    ),
)
