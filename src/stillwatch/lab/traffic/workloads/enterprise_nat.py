"""Employees with accounts of their own behind one corporate address."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import together
from stillwatch.lab.traffic.population import chatter, coder
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import DAY_S, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """They were signed up in one morning, from one office, with one e-mail domain and one card."""
    rng = world.rng
    exit_ip, day, domain = world.host_ip(), world.start - (30 + 300 * rng.random()) * DAY_S, f"{world.hex(6)}.example"
    shared: Json = {"payment_fingerprint": world.payment()} if rng.random() < 0.5 else {}
    made = [
        world.account("honest", "enterprise_nat", ips=[exit_ip], signup_ip=exit_ip, business=True, tz_h=1,
                      email_domain=domain, created_at=int((day + i * 900) * 1e6),
                      language=rng.choice(("de", "de", "en")), **shared)
        for i in range(rng.randrange(14, 30))
    ]  # fmt: skip
    yield from together([(coder if rng.random() < 0.4 else chatter)(world, a, start, end) for a in made])


PARTS = (
    Workload(
        id="enterprise_nat",
        about="many employees leave through one address",
        play=play,
        about_families=("F11",),
    ),
)
