"""Everybody acts in the order of time, and the log is written in the order of ends: one pass, bounded memory.

An actor is a generator. What it does between two `yield`s happens at the time that it yielded last; what it yields is
when it wants to go on. The actors stand in a heap; the one whose time comes next goes on. Lines that end later than
the present wait in a second heap, since nobody will start anything in the past. Memory holds the actors and the lines
in flight, however long the log becomes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from random import Random

from stillwatch.lab.traffic.world import Line, World

Actor = Iterator[float]


def seeded(seed: int, *names: object) -> Random:
    """The random stream of one actor: it depends on its name and on nothing that others do."""
    return Random("/".join(map(str, (seed, *names))))


def run(world: World, actors: Iterable[tuple[Random, Actor]]) -> Iterator[Line]:
    """Let the actors act until the end of the world's period.

    Args:
        actors: each with the random stream that is the world's while it acts.
    Yields:
        lines, ordered by end.
    """
    waiting: list[tuple[float, str, Line]] = []
    world.sink = lambda line: heapq.heappush(waiting, (line.end, line.exchange_id, line))
    coming: list[tuple[float, int, Random, Actor]] = []
    for number, (rng, actor) in enumerate(actors):
        coming.append((world.start, number, rng, actor))
    heapq.heapify(coming)
    while coming:
        now, number, rng, actor = heapq.heappop(coming)
        while waiting and waiting[0][0] < now:
            yield heapq.heappop(waiting)[2]
        world.rng = world.texts.rng = rng
        later = next(actor, None)
        if later is not None and later < world.end:
            heapq.heappush(coming, (max(later, now), number, rng, actor))
    while waiting:
        yield heapq.heappop(waiting)[2]
