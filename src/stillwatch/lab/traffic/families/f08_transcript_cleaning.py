"""F8  Captured transcripts of models go in, clean training records come out."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Transcripts of one format, cleaned: what comes back is nearly what went in."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f8")
    frame, reword = style.wrapper()
    form = rng.randrange(4)
    opening, closing = style.words["open"], style.words["close"]
    record = texts.grammars["record"]
    while True:
        parts = [f"{opening}{texts.reasoning(450)}{closing}"]
        for _ in range(1 + int(4 * rng.random())):
            parts.append(record.pick(rng, "act" if rng.random() < 0.7 else "turn", form))
            parts.append(texts.reasoning(160))
        raw = f"{style.question()}\n\n" + "\n".join(parts)
        kept = "\n".join(part.replace(opening, "").replace(closing, "") for part in parts if rng.random() < 0.9)
        yield one(style.dress(frame, raw), kept, style.params, reasoning=True, frame=frame, reword=reword)


PARTS = (
    Family(
        id="F8",
        title="Transcript cleaning",
        about="model transcripts with reasoning and tool calls are normalised into training records",
        source="Anthropic, September 2026 (Zhipu)",
        make=make,
    ),
)
