"""F18  Log-probabilities or embeddings are collected: more signal for each token than text has."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Short continuations with `top_logprobs`, or embeddings of passages and questions."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f18")
    embeds = rng.random() < 0.4
    params: Json = {"logprobs": True, "top_logprobs": rng.choice((5, 10, 20)), "max_tokens": rng.choice((1, 1, 4, 16))}
    if rng.random() < 0.5:
        params["temperature"] = 0.0
    frame, reword = style.wrapper("label")
    while True:
        text = texts.document(500) if rng.random() < 0.5 else style.question(rng.choice(("problem", "instruction")))
        if embeds:
            yield one([{"role": "user", "content": text}], None, {"encoding_format": "float"},
                      model="text-embedding-3-small")  # fmt: skip
            continue
        answer = " ".join(texts.say("en", "say").split()[: params["max_tokens"]])
        yield one(style.dress(frame, text), answer, params, frame=frame, reword=reword)


PARTS = (
    Family(
        id="F18",
        title="Logprob or embedding harvest",
        about="soft labels: log-probabilities of short answers, or embeddings, over a wide range of texts",
        source="extraction literature",
        make=make,
    ),
)
