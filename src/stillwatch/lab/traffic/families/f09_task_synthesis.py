"""F9  Tasks, environments and tests are written for somebody's reinforcement learning."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """One brief, a new subject and level each time; files with tests and solutions come back."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f9")
    fixed = rng.random() < 0.6
    style.draw("f9", "subject")
    template = style.ctx.say("f9", "wrap")
    seeded = rng.random() < 0.4  # each brief brings a problem to start from
    while True:
        style.draw("f9", "subject")
        style.words["level"] = str(rng.randrange(1, 11))
        frame = style.fill(template) if fixed else style.say("wrap")
        body = f"Seed: {style.question()}" if seeded else ""
        text = f"{frame}\n\n{body}".strip()
        files = [
            f"# task_{i}\n{texts.say('code', 'task')}\n\n```\n{texts.file(int(8 + 14 * rng.random()))}\n```\n"
            f"# test_{i}\n```\n{texts.file(int(4 + 8 * rng.random()))}\n```"
            for i in range(rng.randrange(1, 4))
        ]
        messages = [{"role": "user", "content": text}]
        if style.place == "system":
            messages = [{"role": "system", "content": frame}, {"role": "user", "content": body or "Next."}]
        yield one(messages, "\n\n".join(files), style.params, frame=frame, reword=lambda language: style.say("wrap"))


PARTS = (
    Family(
        id="F9",
        title="Task, test and environment synthesis",
        about="tasks with hidden tests, containers and reference solutions, by the thousand",
        source="Anthropic, February and September 2026",
        make=make,
        sides=("tune", "test"),
    ),
)
