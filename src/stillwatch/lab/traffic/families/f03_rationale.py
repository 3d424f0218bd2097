"""F3  The answer is given; the reasoning that led to it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item

_PAIR = (
    "Question: {q}\nAnswer: {a}",
    "### Prompt\n{q}\n### Response\n{a}",
    "<q>{q}</q>\n<a>{a}</a>",
    "PROBLEM\n{q}\n\nKEY\n{a}",
    '{{"prompt": "{q}", "output": "{a}"}}',
    "Q: {q}\nA: {a}",
    "Input:\n{q}\n\nGold output:\n{a}",
    "[user] {q}\n[assistant] {a}",
)


def make(ctx: Context) -> Iterator[Item]:
    """Pairs of a question and its answer, short or long, in one layout."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f3")
    frame, reword = style.wrapper()
    pair, long_answers = rng.choice(_PAIR), rng.random() < 0.5
    as_turns = rng.random() < 0.25  # the exchange is replayed as turns, then the order follows
    while True:
        question = style.question(rng.choice(("problem", "problem", "instruction")))
        given = texts.answer(style.language, 420) if long_answers else texts.final()
        if as_turns:
            messages = [
                {"role": "user", "content": question},
                {"role": "assistant", "content": given},
                {"role": "user", "content": frame},
            ]
        else:
            messages = style.dress(frame, pair.format(q=question, a=given))
        yield one(messages, style.thoughts(1200), style.params, reasoning=True, frame=frame, reword=reword)


PARTS = (
    Family(
        id="F3",
        title="Rationale for given answers",
        about="a finished answer is supplied and the reasoning behind it is requested",
        source="Anthropic, February 2026 (DeepSeek)",
        make=make,
        sides=("tune", "test"),
    ),
)
