"""A firm moves from one account to another overnight; open conversations go on under the new key."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import scale, style
from stillwatch.lab.traffic.people import chat_asks
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import DAY_S, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """One product prompt, one card, two accounts, a cut in between."""
    rng, texts = world.rng, world.texts
    system = style(world).say("whitelabel")
    cut = start + (0.3 + 0.4 * rng.random()) * (end - start)
    shared: Json = {"payment_fingerprint": world.payment(), "org_name": f"Org {world.hex(4)}",
              "email_domain": f"{world.hex(6)}.example"}  # fmt: skip
    old = world.account("honest", "migration", business=True, language="en", **shared)
    new = world.account("honest", "migration", business=True, language="en", client=old.client, ips=old.ips,
                        created_at=int((cut - DAY_S) * 1e6), tz_h=old.tz_h, **shared)  # fmt: skip
    per_day = scale(world, 22)
    for at in moments(world, start, end, share=0.95, per_day=per_day, shape="office", tz_h=old.tz_h, weekend=0.1):
        yield at
        account = old if at < cut else new
        asks = chat_asks(world, "en", world.turns(2.6))
        kept = world.converse(account, at, asks, section="en", system=system)
        if cut - DAY_S < at < cut:
            world.converse(new, cut + 3600 * 8 * rng.random(), [texts.say("en", "follow")], section="en", history=kept)


PARTS = (
    Workload(
        id="migration",
        about="a firm's traffic moves from account A to account B",
        play=play,
        about_families=("F12", "F6"),
    ),
)
