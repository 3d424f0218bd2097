"""A team writes test questions for its own document search, from its own documents."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.desk import Call, batch, job_account, paper, runs, scale, style, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Passage in, questions and answers out; then the search answers them and is graded."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame, rag = own.say("ragtest"), own.say("rag")
    account = job_account(world, "retrieval_tests")
    for at in runs(world, start, end, every_days=rng.choice((1.0, 3.0)), weekdays=True):
        yield at
        calls = []
        for _ in range(scale(world, 25)):
            passage, question = paper(world, own, 1100), texts.say("doc", "question")
            pair = [{"question": question, "answer": texts.say("doc", "sentence")}]
            calls.append(Call(user(f"{frame}\n\n{passage}"), orjson.dumps(pair).decode()))
            calls.append(Call(user(f"{rag}\n\n{passage}\n\n{question}"), paper(world, own, 160)))
            if rng.random() < 0.5:
                graded = own.dress(own.say("judge"), f"{question}\nA: {pair[0]['answer']}")
                calls.append(Call(graded, f'{{"a": {rng.randrange(1, 6)}}}', {"temperature": 0.0}))
        batch(world, account, at, calls, width=4)


PARTS = (
    Workload(
        id="retrieval_tests",
        about="test questions for the customer's own document search",
        play=play,
        about_families=("F17", "F7"),
    ),
)
