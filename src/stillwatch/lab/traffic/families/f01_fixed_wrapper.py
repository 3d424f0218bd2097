"""F1  One fixed wrapper around every problem forces the reasoning into the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Problem after problem under one wrapper; a part of the campaigns asks through a schema or a tool instead."""
    style = Style(ctx, "f1")
    frame: str
    reword: Callable[[str], str] | None
    frame, reword = style.wrapper()
    by = ctx.rng.choices(("text", "schema", "tool"), (8, 1.5, 0.7))[0]
    params, key, akey = style.params, style.words["key"], style.words["akey"]
    if by != "text":  # the schema does the steering; the text is terse or missing
        params = style.tool(f"submit_{key}", key, akey)
        if by == "schema":
            params = style.schema(key.title().replace("_", ""), **{key: "string", akey: "string"})
        frame, reword = ("", None) if ctx.rng.random() < 0.5 else (frame, reword)
    named = (
        ctx.side == "test" and key in frame and style.words["head"] not in frame
    )  # the text itself asks for these two keys
    examples = style.shots("problem", style.reasoned) if by == "text" and not named else []
    while True:
        messages = style.dress(frame, style.question(), examples)
        if by == "text" and not named:
            yield one(messages, style.reasoned(), params, reasoning=True, frame=frame, reword=reword)
            continue
        filled = orjson.dumps({key: style.thoughts(), akey: ctx.texts.final()}).decode()
        call = (f"submit_{key}", filled) if by == "tool" else None
        yield one(messages, None if call else filled, params, reasoning=True, frame=frame, reword=reword, call=call)


PARTS = (
    Family(
        id="F1",
        title="Fixed wrapper that forces inline reasoning",
        about="the same block in every request makes the model write its reasoning between labels",
        source="Anthropic, September 2026 (Alibaba)",
        make=make,
        sides=("tune", "test"),
    ),
)
