"""F4  The thinking must show, and in one language, whatever the language of the question."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.grammar import LANGUAGES
from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Questions in many languages; the language of the thinking is the campaign's, or follows the question."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f4")
    style.draw("f4", "lang")
    frame, reword = style.wrapper()
    spoken = [lang for lang in LANGUAGES if lang not in ("ar", "hi")]
    rng.shuffle(spoken)
    spoken = spoken[: rng.choice((1, 3, 6, 9))]
    while True:
        language = rng.choice(spoken)
        own = f"{ctx.side}_{language}"
        question = texts.say(own, "item") if own in texts.grammars else style.question()
        thinking = texts.sentences(language, "say", rng.lognormvariate(0, 0.4) * 900)
        answer = f"{thinking}\n\n{texts.answer(language, 250)}"
        yield one(style.dress(frame, question), answer, style.params, reasoning=True, frame=frame, reword=reword)


PARTS = (
    Family(
        id="F4",
        title="Language-pinned thinking",
        about="thinking has to appear in one language, or strictly in that of the user, for many languages",
        source="Google GTIG, February 2026; Anthropic, September 2026",
        make=make,
    ),
)
