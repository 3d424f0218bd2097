"""Invented records for the customer's own small model, as the contract allows."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.desk import Call, batch, job_account, letter, runs, scale, style, user
from stillwatch.lab.traffic.work import Workload, families
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Generation and a second pass that filters."""
    rng = world.rng
    own = style(world)
    account = job_account(
        world, "licensed_synthetic", temperature=1.0, contract_flags="synthetic_data", declared_use="synthetic data"
    )
    pipeline = families()["F17"].make(own.ctx) if rng.random() < 0.5 else None
    filters = rng.random() < 0.5
    for at in runs(world, start, end, every_days=2.0):
        yield at
        calls = []
        if pipeline is not None:  # a published pipeline, as harvesters run it
            asks = [ask for _ in range(scale(world, 30)) for ask in next(pipeline).asks]
            batch(world, account, at, [Call(ask.messages, ask.answer, ask.params) for ask in asks], width=4)
            continue
        for _ in range(scale(world, 40)):
            born = [orjson.dumps({"text": letter(world, own)}).decode() for _ in range(3)]
            calls.append(Call(user(own.say("synthetic")), "\n".join(born)))
            if filters and rng.random() < 0.4:
                calls.append(Call(user(f"{own.say('judge')}\n\n{born[0]}"), f'{{"a": {rng.randrange(1, 6)}}}'))
        batch(world, account, at, calls, width=4)


PARTS = (
    Workload(
        id="licensed_synthetic",
        about="synthetic data for the customer's own model, allowed by contract",
        play=play,
        about_families=("F17", "F7"),
    ),
)
