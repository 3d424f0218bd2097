"""F15  All capabilities in turn, each up a ladder of difficulty."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """A skill, rung after rung, then the next skill; a part of the campaigns shuffles both."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f15")
    style.words["top"] = str(rng.choice((5, 8, 10, 20)))
    template = ctx.say("f15", "wrap")
    bare = rng.random() < 0.25  # the ladder is kept outside the prompts
    shuffled = rng.random() < 0.4
    kinds = ("problem", "problem", "instruction")
    while True:
        style.draw("f15", "skill")
        rungs = list(range(1, int(style.words["top"]) + 1))
        if shuffled:
            rng.shuffle(rungs)
        for rung in rungs:
            if shuffled:
                style.draw("f15", "skill")
            style.words["level"] = str(rung)
            frame = "" if bare else style.fill(template)
            messages = style.dress(frame, style.question(rng.choice(kinds)))
            answer = f"{style.thoughts(250 + 90 * rung)}\n{texts.final()}"
            yield one(messages, answer, style.params, reasoning=True, frame=frame,
                      reword=None if bare else lambda language: style.say("wrap"))  # fmt: skip


PARTS = (
    Family(
        id="F15",
        title="Capability sweep with a difficulty ladder",
        about="skill after skill, easy to hard, to learn where the model stands and to collect what it does there",
        source="Anthropic, February 2026; extraction literature",
        make=make,
        sides=("tune", "test"),
    ),
)
