"""F12  Organic sessions, stored earlier, replayed in batch."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.families.f11_live_relay import conversation
from stillwatch.lab.traffic.grammar import LANGUAGE_SHARES, LANGUAGES
from stillwatch.lab.traffic.style import Style
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Whole sessions at machine pace; some only from their last turn on, with history from elsewhere."""
    rng = ctx.rng
    style = Style(ctx, "f11")
    style.draw("f11", "brand", "maker")
    own_prompt = rng.random() < 0.5
    coding, from_last = rng.choice((0.1, 0.5, 0.9)), rng.random() < 0.5
    while True:
        system = style.say("identity") if own_prompt else None
        language = rng.choices(LANGUAGES, LANGUAGE_SHARES)[0]
        item = conversation(
            ctx, system, language, style.params, 1 + int(rng.expovariate(0.5)) % 6, rng.random() < coding
        )
        yield Item(asks=item.asks[-1:] if from_last else item.asks, pause_s=0.5, frame=system)


PARTS = (
    Family(
        id="F12",
        title="Store and replay of organic sessions",
        about="sessions of another product's users are stored and sent again in batch through an agent harness",
        source="Anthropic, September 2026 (Xiaomi)",
        make=make,
    ),
)
