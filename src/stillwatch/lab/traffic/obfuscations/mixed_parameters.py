"""Parameters differ from request to request, so that no two look alike."""

from __future__ import annotations

from dataclasses import replace

from stillwatch.lab.traffic.work import Context, Item, Obfuscation


def change(ctx: Context, item: Item) -> Item:
    """Temperature and token limit drawn anew; structure (schemas, tools, log-probabilities) stays."""
    rng = ctx.rng
    noise = {"temperature": round(0.2 + 0.9 * rng.random(), 2), "max_tokens": rng.randrange(800, 9000)}
    asks = [
        replace(ask, params={**(ask.params or {}), **noise}) if ask.answer is not None else ask for ask in item.asks
    ]
    return replace(item, asks=tuple(asks))


PARTS = (Obfuscation(id="mixed_parameters", about="sampling parameters change with each request", change=change),)
