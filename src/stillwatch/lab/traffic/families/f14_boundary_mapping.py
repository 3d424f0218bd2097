"""F14  The boundary of what the model refuses is mapped, or censorship-safe wordings are collected."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Sensitive questions in graded steps; the answers are refusals, partial answers and safe rewrites."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f14")
    politics = rng.choice((0.0, 0.5, 1.0))
    while True:
        political = rng.random() < politics
        text = style.say("politic" if political else "harm")
        if rng.random() < 0.2:
            text = style.question("boundary")
        refused = rng.random() < (0.15 if political else 0.6)
        language = ctx.language if rng.random() < 0.5 else "en"
        answer = texts.say("refusal", "say") if refused else texts.answer(language, 420)
        yield one([{"role": "user", "content": text}], answer, style.params, refused=refused)


PARTS = (
    Family(
        id="F14",
        title="Safety- or censorship-boundary mapping",
        about="what is refused, from which degree on, and how sensitive matters are put safely",
        source="Anthropic, February 2026 (DeepSeek)",
        make=make,
    ),
)
