"""F5  A search for a wrapper that works: many attempts, many refusals; then the winner at scale."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Attempts until some have worked, then the harvest with one of those, then and again a few new attempts."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f5")
    attempts = int(60 * rng.lognormvariate(0, 0.8))
    asked = [style.question() for _ in range(rng.choice((1, 3, 10, 30)))]  # few questions, so that attempts compare
    for _ in range(attempts):
        yield _attempt(ctx, style, rng.choice(asked))
    frame, reword = style.wrapper("winner")
    w = style.words
    while True:
        if rng.random() < 0.02:
            yield _attempt(ctx, style, rng.choice(asked))
            continue
        answer = f"{w['head']}\n{style.thoughts(1000)}\n{w['ahead']}\n{texts.final()}"
        messages = style.dress(frame, style.question())
        yield one(messages, answer, style.params, reasoning=True, frame=frame, reword=reword)


def _attempt(ctx: Context, style: Style, question: str) -> Item:
    rng, texts = ctx.rng, ctx.texts
    attempt = style.say("probe")
    if rng.random() < 0.4:
        messages = [
            {"role": "user", "content": question},
            {"role": "assistant", "content": texts.answer("en", 300)},
            {"role": "user", "content": attempt},
        ]
    else:
        messages = [
            {"role": rng.choice(("system", "user")), "content": attempt},
            {"role": "user", "content": question},
        ]
    if rng.random() < 0.82:
        return one(messages, texts.say("refusal", "say"), style.params, refused=True)
    return one(messages, texts.reasoning(500), style.params, reasoning=True)


PARTS = (
    Family(
        id="F5",
        title="Technique search, then scale-up",
        about="thousands of different extraction wrappers, mostly refused, until one wins and is scaled up",
        source="Anthropic, September 2026 (12,000 requests of one lab)",
        make=make,
    ),
)
