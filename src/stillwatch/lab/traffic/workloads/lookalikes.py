"""The hard honest traffic of the demo as workloads: each is played out whole when it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stillwatch.lab.traffic.lookalikes_groups import GROUPS
from stillwatch.lab.traffic.lookalikes_jobs import JOBS
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import Account, World


def _whole(play: Callable[[World], list[Account]]) -> Callable[[World, float, float], Iterator[float]]:
    def go(world: World, start: float, end: float) -> Iterator[float]:
        play(world)
        yield from ()

    return go


PARTS = tuple(Workload(id=p.__name__, about=(p.__doc__ or "").strip(), play=_whole(p)) for p in (*JOBS, *GROUPS))
