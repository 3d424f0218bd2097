"""Characters that nobody sees are put between others."""

from __future__ import annotations

from stillwatch.lab.traffic.frames import map_text
from stillwatch.lab.traffic.work import Context, Item, Obfuscation

_UNSEEN = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")


def change(ctx: Context, item: Item) -> Item:
    """After one character in twelve or so."""
    rng = ctx.rng
    return map_text(item, lambda text: "".join(c + rng.choice(_UNSEEN) if rng.random() < 0.08 else c for c in text))


PARTS = (Obfuscation(id="zero_width", about="invisible characters are strewn in", change=change),)
