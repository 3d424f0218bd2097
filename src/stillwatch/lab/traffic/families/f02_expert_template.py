"""F2  An expert role with slots, filled anew for each request."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """A template of the campaign's own, with its field and client; now and then another field of the same list."""
    style = Style(ctx, "f2")
    style.draw("f2", "field", "client")
    wide = ctx.rng.random() < 0.5  # one narrow field, or a list of them
    frame = style.say("wrap", slot="[[slot]]") if ctx.rng.random() < 0.6 else ""
    while True:
        if wide:
            style.draw("f2", "field", "client")
        slot = style.question(ctx.rng.choice(("problem", "instruction")))
        text = style.fill(frame, slot=slot) if frame else style.say("wrap", slot=slot)
        yield one([{"role": "user", "content": text}], style.thoughts(1100), style.params, reasoning=True)


PARTS = (
    Family(
        id="F2",
        title="Slot-filled expert template",
        about="`You are an expert ... combining ...`: harmless alone, tens of thousands of times with other slots",
        source="Anthropic, February 2026",
        make=make,
        sides=("tune", "test"),
    ),
)
