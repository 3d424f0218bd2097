"""Strangers who leave through the same few exits: VPN users, travellers, a shared office."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import scale, together
from stillwatch.lab.traffic.population import chatter, coder
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Three exits; languages and hours that do not fit the exits."""
    rng = world.rng
    exits = [world.host_ip() for _ in range(3)]
    made = [
        world.account("honest", "vpn_users", ips=[*exits, world.home_ip()], signup_ip=rng.choice(exits))
        for _ in range(scale(world, 12, 0.3))
    ]
    yield from together([(coder if rng.random() < 0.25 else chatter)(world, a, start, end) for a in made])


PARTS = (Workload(id="vpn_users", about="strangers behind the same exits", play=play, about_families=("F11",)),)
