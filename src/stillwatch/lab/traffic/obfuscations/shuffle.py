"""Work is sent out of order: ladders, phases and sorted sets lose their shape."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.work import Context, Item, Obfuscation

_AHEAD = 60  # items that are held back to draw from


def order(ctx: Context, items: Iterator[Item]) -> Iterator[Item]:
    """Always a random one of the next items."""
    held: list[Item] = []
    for item in items:
        held.append(item)
        if len(held) >= _AHEAD:
            yield held.pop(ctx.rng.randrange(len(held)))


def change(ctx: Context, item: Item) -> Item:
    """Each item stays as it is."""
    return item


PARTS = (Obfuscation(id="shuffle", about="work is sent out of order", change=change, order=order),)
