"""The wrapper is worded anew in each request, as if a language model had rewritten it."""

from __future__ import annotations

from stillwatch.lab.traffic.frames import swap_frame
from stillwatch.lab.traffic.work import Context, Item, Obfuscation


def change(ctx: Context, item: Item) -> Item:
    """Another wording in the same language."""
    return swap_frame(item, item.reword(ctx.language)) if item.reword else item


PARTS = (Obfuscation(id="paraphrase", about="the wrapper is worded anew in each request", change=change),)
