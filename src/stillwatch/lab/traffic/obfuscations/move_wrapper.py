"""The wrapper wanders between the system prompt, the user's message and a tool's result."""

from __future__ import annotations

from stillwatch.lab.traffic.frames import map_messages, without_frame
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Context, Item, Obfuscation


def change(ctx: Context, item: Item) -> Item:
    """A place drawn for each item."""
    frame = item.frame
    if not frame:
        return item
    place, ident = ctx.rng.choice(("system", "prefix", "suffix", "tool")), f"call_{ctx.rng.getrandbits(40):010x}"

    def move(messages: list[Json]) -> list[Json]:
        rest = without_frame(messages, frame)
        if not rest or rest[-1]["role"] == "assistant":  # the wrapper is a turn of its own: it has to stay one
            return messages
        users = [i for i, message in enumerate(rest) if message["role"] == "user"]
        if not users or place == "system":
            rest = [m for m in rest if m["role"] != "system"] if place == "system" and users else rest
            return [{"role": "system", "content": frame}, *rest]
        first = users[0] if len(item.asks) > 1 else users[-1]
        text = rest[first]["content"]
        if place == "tool":
            function = {"name": "load_guidelines", "arguments": "{}"}
            call = {"id": ident, "type": "function", "function": function}
            return [
                *rest[: first + 1],
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": ident, "content": frame},
                *rest[first + 1 :],
            ]
        joined = f"{frame}\n\n{text}" if place == "prefix" else f"{text}\n\n{frame}"
        return [*rest[:first], {**rest[first], "content": joined}, *rest[first + 1 :]]

    return map_messages(item, move)


PARTS = (Obfuscation(id="move_wrapper", about="the wrapper moves between system, user and tool result", change=change),)
