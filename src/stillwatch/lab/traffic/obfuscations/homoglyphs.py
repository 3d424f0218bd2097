"""Latin letters are replaced by others that look alike."""

from __future__ import annotations

from stillwatch.lab.traffic.frames import map_text
from stillwatch.lab.traffic.work import Context, Item, Obfuscation

_ALIKE = str.maketrans("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ")


def change(ctx: Context, item: Item) -> Item:
    """A tenth to a half of the letters that have a twin."""
    rate = 0.1 + 0.4 * ctx.rng.random()
    return map_text(item, lambda text: "".join(c.translate(_ALIKE) if ctx.rng.random() < rate else c for c in text))


PARTS = (Obfuscation(id="homoglyphs", about="letters are replaced by look-alikes of other scripts", change=change),)
