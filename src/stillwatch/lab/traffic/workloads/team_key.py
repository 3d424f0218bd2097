"""Colleagues share a key: several addresses, clients and languages in one account."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.clients import any_client
from stillwatch.lab.traffic.people import chat_asks, code_asks
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Four to fourteen desks."""
    rng = world.rng
    account = world.account("honest", "team_key", business=True)
    desks = [
        (f"desk-{i}", world.home_ip(), any_client(rng), world.texts.language(), rng.random() < 0.4)
        for i in range(rng.randrange(4, 15))
    ]
    for at in moments(world, start, end, share=0.95, per_day=10, shape="office", tz_h=account.tz_h, weekend=0.2):
        yield at
        desk, ip, client, language, codes = rng.choice(desks)
        turns = world.turns(2.5)
        asks = code_asks(world, turns) if codes else chat_asks(world, language, turns)
        world.converse(account, at, asks, section="code" if codes else language, ip=ip, client=client, customer=desk)


PARTS = (Workload(id="team_key", about="a team shares one key", play=play, about_families=("F11",)),)
