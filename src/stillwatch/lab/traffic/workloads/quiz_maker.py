"""Teachers and an education firm have question-and-answer pairs written by program, for pupils."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.desk import Call, batch, job_account, runs, scale, style, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Unit after unit, with solutions; a second pass has them checked."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = job_account(world, "quiz_maker", programme="education" if rng.random() < 0.5 else None,
                          declared_use="education" if rng.random() < 0.7 else None)  # fmt: skip
    wording, checks = own.ctx.say("job", "quiz") if rng.random() < 0.5 else None, rng.random() < 0.4
    for at in runs(world, start, end, every_days=rng.choice((0.7, 1.5, 3.0)), weekdays=rng.random() < 0.5):
        yield at
        calls = []
        for _ in range(scale(world, 26)):
            own.draw("job", "unit")
            text = own.fill(wording) if wording else own.say("quiz")
            pairs = [{"question": own.question(), "answer": texts.final()} for _ in range(4)]
            calls.append(Call(user(text), orjson.dumps(pairs).decode()))
            if checks:
                order = "Solve the question and say whether the key is right. Show the steps."
                asked = f"{order}\n\n{pairs[0]['question']}\nKey: {pairs[0]['answer']}"
                calls.append(Call(user(asked), f"{texts.reasoning(400)}\nright"))
        batch(world, account, at, calls, width=rng.choice((1, 2, 5)))


PARTS = (
    Workload(
        id="quiz_maker",
        about="questions with answers are written by program for pupils",
        play=play,
        about_families=("F17", "F9", "F3"),
    ),
)
