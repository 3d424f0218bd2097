"""F1  One fixed wrapper around every problem forces the reasoning into the answer."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Problem after problem under one wrapper; a part of the campaigns asks through a JSON schema instead."""
    style = Style(ctx, "f1")
    frame, reword = style.wrapper()
    by_schema = ctx.rng.random() < 0.2
    params = style.params
    if by_schema:  # the schema does the steering; the text is terse or missing
        key, akey = style.words["key"], style.words["akey"]
        params = style.schema(key.title().replace("_", ""), **{key: "string", akey: "string"})
        frame, reword = ("", None) if ctx.rng.random() < 0.5 else (frame, reword)
    examples = [] if by_schema else style.shots("problem", style.reasoned)
    while True:
        answer = style.reasoned()
        if by_schema:
            answer = orjson.dumps({key: ctx.texts.reasoning(900), akey: ctx.texts.final()}).decode()
        messages = style.dress(frame, style.question(), examples)
        yield one(messages, answer, params, reasoning=True, frame=frame, reword=reword)


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
