"""F11  Another product's users, relayed live: organic talk in many languages under a foreign identity."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.grammar import LANGUAGE_SHARES, LANGUAGES
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.style import Style
from stillwatch.lab.traffic.work import Ask, Context, Family, Item


def conversation(ctx: Context, system: str | None, language: str, params: Json, turns: int, codes: bool) -> Item:
    """One conversation of a relayed user."""
    rng, texts = ctx.rng, ctx.texts
    messages: list[Json] = [{"role": "system", "content": system}] if system else []
    section = "code" if codes else language
    asks = []
    for turn in range(turns):
        if codes:
            text = texts.say("code", "follow" if turn else "task")
            if not turn:
                text += f"\n\n```\n{texts.file(int(4 + 20 * rng.random()))}\n```"
        else:
            text = texts.say(language, "follow") if turn else texts.ask(language)
        messages = [*messages, {"role": "user", "content": text}]
        answer = texts.answer(section, 520)
        asks.append(Ask(messages=messages, answer=answer, params=params))
        messages = [*messages, {"role": "assistant", "content": answer}]
    return Item(asks=tuple(asks), pause_s=40.0, frame=system)


def make(ctx: Context) -> Iterator[Item]:
    """Conversations of users who believe that they talk to another model."""
    rng = ctx.rng
    style = Style(ctx, "f11")
    style.draw("f11", "brand", "maker")
    system, reword = style.wrapper("identity")
    coding = rng.choice((0.0, 0.2, 0.7))
    while True:
        language = rng.choices(LANGUAGES, LANGUAGE_SHARES)[0] if rng.random() < 0.6 else ctx.language
        turns = min(6, 1 + int(rng.expovariate(0.7)))
        item = conversation(ctx, system, language, style.params, turns, rng.random() < coding)
        yield Item(asks=item.asks, pause_s=item.pause_s, frame=system, reword=reword)


PARTS = (
    Family(
        id="F11",
        title="Live relay of another product's users",
        about="requests of another lab's customers are passed on live, under that lab's identity",
        source="Anthropic, September 2026 (Moonshot, DeepSeek)",
        make=make,
    ),
)
