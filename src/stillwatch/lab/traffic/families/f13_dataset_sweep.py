"""F13  Questions of a public set, bare and shuffled, with one sample or several."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.work import Ask, Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Question after question; a part of the campaigns draws several samples of each."""
    rng, texts = ctx.rng, ctx.texts
    samples = rng.choice((1, 1, 2, 4))
    kind = rng.choice(("problem", "problem", "instruction"))
    suffix = rng.choice(("", "", "", "\n\n" + ctx.say("f13", "short")))
    params = {"temperature": rng.choice((0.6, 0.7, 0.8, 1.0)), "max_tokens": rng.choice((2048, 4096, 8192))}
    while True:
        messages = [{"role": "user", "content": ctx.questions.draw(rng, kind) + suffix}]
        asks = tuple(Ask(messages=messages, answer=texts.reasoning(700), params=params) for _ in range(samples))
        yield Item(asks=asks, pause_s=0.3, reasoning=kind == "problem", frame=suffix.strip() or None)


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
