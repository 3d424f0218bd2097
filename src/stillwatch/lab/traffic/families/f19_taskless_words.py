"""F19  Single-word answers to unrelated cues: nothing in the content gives it away. Expected to be missed."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Cue after cue, a word each."""
    rng = ctx.rng
    style = Style(ctx, "f19")
    params = {"max_tokens": rng.choice((2, 3, 8)), "temperature": rng.choice((0.0, 1.0))}
    while True:
        yield one([{"role": "user", "content": style.say("word")}], ctx.say("f19", "answer"), params)


PARTS = (
    Family(
        id="F19",
        title="Taskless single words",
        about="capability moves through single-word answers on unrelated prompts",
        source="arXiv 2609.29233 (Active Taskless Distillation)",
        make=make,
        expected_miss=True,
    ),
)
