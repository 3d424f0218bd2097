"""A software house pays for the sub-accounts of its customers with one card; all share the product's template."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import scale, together
from stillwatch.lab.traffic.population import product
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Sub-accounts from one office and one host."""
    card, host, name = world.payment(), world.host_ip(), f"Org {world.hex(4)}"
    made = [
        world.account("honest", "saas_cards", ips=[host if world.rng.random() < 0.6 else world.host_ip()],
                      business=True, payment_fingerprint=card, org_name=name)
        for _ in range(scale(world, 14, 0.4))
    ]  # fmt: skip
    yield from together([product(world, account, start, end) for account in made])


PARTS = (
    Workload(
        id="saas_cards",
        about="sub-accounts of a software house on one card",
        play=play,
        about_families=("F2",),
    ),
)
