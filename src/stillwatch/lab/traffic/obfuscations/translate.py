"""The wrapper comes in another language than the question, a new one in each request."""

from __future__ import annotations

from stillwatch.lab.traffic.frames import swap_frame
from stillwatch.lab.traffic.work import Context, Item, Obfuscation

_LANGUAGES = ("en", "zh", "es", "de", "ja", "ru", "fr", "pt", "ko")


def change(ctx: Context, item: Item) -> Item:
    """A wording in a random language, where the grammar has one; else English."""
    return swap_frame(item, item.reword(ctx.rng.choice(_LANGUAGES))) if item.reword else item


PARTS = (Obfuscation(id="translate", about="the wrapper is in another language in each request", change=change),)
