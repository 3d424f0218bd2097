"""F13  Questions of a public set, bare and shuffled, with one sample or several."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style
from stillwatch.lab.traffic.work import Ask, Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Question after question; a part of the campaigns draws several samples of each, in one request or in several."""
    rng = ctx.rng
    style = Style(ctx, "f13")
    style.examples = 0
    samples, at_once = rng.choice((1, 1, 1, 2, 4)), rng.random() < 0.3
    kind = rng.choice(("problem", "problem", "instruction"))
    frame, reword = style.wrapper()
    params = {**style.params, "n": samples} if at_once and samples > 1 else style.params
    reasons = kind == "problem"
    while True:
        messages = style.dress(frame, style.question(kind))
        if at_once and samples > 1:
            answers = [_answer(style, reasons) for _ in range(samples)]
            asks: tuple[Ask, ...] = (Ask(messages=messages, answer=answers, params=params),)
        else:
            asks = tuple(Ask(messages=messages, answer=_answer(style, reasons), params=params) for _ in range(samples))
        yield Item(asks=asks, pause_s=0.3, reasoning=reasons, frame=frame or None, reword=reword if frame else None)


def _answer(style: Style, reasons: bool) -> str:
    texts = style.ctx.texts
    return f"{style.thoughts(700)}\n\n{texts.final()}" if reasons else texts.answer(style.language, 650)


PARTS = (
    Family(
        id="F13",
        title="Sweep over a public data set",
        about="benchmark and instruction questions as they are, shuffled, each asked once or a few times",
        source="Anthropic, September 2026 (Zhipu)",
        make=make,
        sides=("tune", "test"),
    ),
)
