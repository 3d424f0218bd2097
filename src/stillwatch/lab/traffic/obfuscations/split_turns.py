"""The order is split over several turns: first the matter, then what to do with it."""

from __future__ import annotations

from dataclasses import replace

from stillwatch.lab.traffic.frames import without_frame
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Context, Item, Obfuscation


def change(ctx: Context, item: Item) -> Item:
    """Only items of one request with a frame: the question goes alone, the wrapper follows in a second turn."""
    if not item.frame or len(item.asks) != 1 or item.asks[0].answer is None:
        return item
    ask = item.asks[0]
    rest: list[Json] = without_frame(ask.messages, item.frame)
    if not rest or rest[-1]["role"] != "user":
        return item
    first = ctx.texts.answer(ctx.language if ctx.rng.random() < 0.5 else "en", 300)
    later = [*rest, {"role": "assistant", "content": first}, {"role": "user", "content": item.frame}]
    opening = replace(ask, messages=rest, answer=first, params=None)
    return replace(item, asks=(opening, replace(ask, messages=later)), pause_s=8.0)


PARTS = (Obfuscation(id="split_turns", about="the question first, the wrapper in a later turn", change=change),)
