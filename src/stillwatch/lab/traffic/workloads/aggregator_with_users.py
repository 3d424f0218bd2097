"""An honest router that names its end users."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.aggregator import aggregator
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """See `aggregator`."""
    return aggregator(world, "aggregator_with_users", True, start, end)


PARTS = (
    Workload(
        id="aggregator_with_users",
        about="an honest router that names its end users",
        play=play,
        about_families=("F11", "F13"),
    ),
)
