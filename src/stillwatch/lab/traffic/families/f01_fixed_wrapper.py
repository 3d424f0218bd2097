"""F1  One fixed wrapper around every problem forces the reasoning into the answer."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.work import Ask, Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Problem after problem under one wrapper, which is the system prompt in a part of the campaigns."""
    rng, texts = ctx.rng, ctx.texts
    wrapper = ctx.say("f1", "wrap")
    in_system = rng.random() < 0.5
    params = {"temperature": rng.choice((0.6, 0.7, 1.0)), "max_tokens": rng.choice((4096, 8192, 16384))}
    opening, closing = rng.choice((("<think>", "</think>"), ("<reasoning>", "</reasoning>"), ("### Reasoning", "###")))
    while True:
        problem = ctx.questions.draw(rng, "problem")
        messages = [{"role": "system", "content": wrapper}, {"role": "user", "content": problem}]
        if not in_system:
            messages = [{"role": "user", "content": f"{wrapper}\n\n{problem}"}]
        answer = f"{opening}\n{texts.reasoning(900)}\n{closing}\n{texts.final()}"
        yield Item(asks=(Ask(messages=messages, answer=answer, params=params),), reasoning=True, frame=wrapper)


PARTS = (
    Family(
        id="F1",
        title="Fixed wrapper that forces inline reasoning",
        about="the same block in every request makes the model write its reasoning between tags",
        source="Anthropic, September 2026 (Alibaba)",
        make=make,
        sides=("tune", "test"),
    ),
)
