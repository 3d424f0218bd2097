"""Small talk stands before the order, in the same conversation."""

from __future__ import annotations

from stillwatch.lab.traffic.frames import map_messages
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Context, Item, Obfuscation


def change(ctx: Context, item: Item) -> Item:
    """One or two turns of chat, put after the system prompt."""
    texts, language = ctx.texts, ctx.language
    chat: list[Json] = []
    for turn in range(ctx.rng.choice((1, 1, 2))):
        chat.append({"role": "user", "content": texts.say(language, "follow") if turn else texts.ask(language)})
        chat.append({"role": "assistant", "content": texts.answer(language, 250)})

    def before(messages: list[Json]) -> list[Json]:
        head = 1 if messages and messages[0]["role"] == "system" else 0
        return [*messages[:head], *chat, *messages[head:]]

    return map_messages(item, before)


PARTS = (Obfuscation(id="decoy_chat", about="small talk comes first, in the same conversation", change=change),)
