"""F6  Reasoning that came back sealed is fed to another session, model or account, which has to open it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.style import Style
from stillwatch.lab.traffic.work import Ask, Context, Family, Item

_MODELS = ("claude-sonnet-4-5", "claude-sonnet-4-5", "gpt-4o")
_HELD = 40


def make(ctx: Context) -> Iterator[Item]:
    """One item earns a sealed block; a later one, in whatever account it lands, has it opened."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f6")
    order, reword = style.wrapper("order")
    often = rng.choice((1, 1, 2, 3))  # times that a block is replayed
    earned: list[tuple[str, str, str]] = []  # question, answer, signature
    while True:
        if not earned or (len(earned) < _HELD and rng.random() < 0.5):
            question, answer = style.question(), texts.answer(style.language, 400)
            signature = base64.b64encode(rng.randbytes(rng.randrange(160, 420))).decode()
            block = {"type": "thinking", "thinking": texts.reasoning(160), "signature": signature}
            ask = Ask(
                messages=[{"role": "user", "content": question}], answer=answer, params=style.params,
                model="claude-sonnet-4-5", thinking_blocks=[block],
            )  # fmt: skip
            earned += [(question, answer, signature)] * often
            yield Item(asks=(ask,))
            continue
        question, answer, signature = earned.pop(rng.randrange(max(1, len(earned) // 2)))
        block = {"type": "thinking", "thinking": "", "signature": signature}
        messages: list[Json] = [
            {"role": "user", "content": question if rng.random() < 0.7 else style.question()},
            {"role": "assistant", "content": answer, "thinking_blocks": [block]},
            {"role": "user", "content": order},
        ]
        ask = Ask(messages=messages, answer=style.thoughts(1000), params=style.params, model=rng.choice(_MODELS))
        yield Item(asks=(ask,), reasoning=True, frame=order, reword=reword)


PARTS = (
    Family(
        id="F6",
        title="Reasoning-blob replay",
        about="a sealed reasoning block is copied into other conversations, models and accounts to be read out",
        source="Anthropic and OpenAI, September 2026",
        make=make,
    ),
)
