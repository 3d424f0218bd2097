"""A reseller with a contract: the machinery of any relay, but allowed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from stillwatch.lab.traffic.campaign import honest_customers
from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.desk import scale
from stillwatch.lab.traffic.relay import STYLES, Relay
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A pool of accounts behind one relay, sticky customers, failover."""
    rng = world.rng
    block, card = world.host_ip().rsplit(".", 1)[0], world.payment()
    pool = [
        world.account("honest", "permitted_reseller", ips=[f"{block}.{rng.randrange(16, 20)}"], client=CLIENTS["relay"],
                      business=True, stream=rng.random() < 0.8, temperature=None, max_tokens=None,
                      payment_fingerprint=card, contract_flags="reseller", declared_use="reselling under contract")
        for _ in range(rng.randrange(3, 10))
    ]  # fmt: skip
    relay = Relay(accounts=pool, style=rng.choice(STYLES), rng=Random(rng.random()))
    yield from honest_customers(world, relay, scale(world, 320, 0.3), start, end)


PARTS = (
    Workload(
        id="permitted_reseller",
        about="a relay that resells under contract",
        play=play,
        about_families=("F11",),
    ),
)
