"""Messages are sorted into classes, by the thousand; a part of the customers wants log-probabilities with the label."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, letter, paper, runs, scale, style
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """One instruction, a new message each time, a label back."""
    rng = world.rng
    own = style(world)
    frame = own.say("classify")
    labels = own.words["labels"].split(", ")
    account = job_account(world, "bulk_classify", model=rng.choice(("gpt-4o-mini", "gpt-4o")))
    params = {"temperature": 0, "max_tokens": rng.choice((1, 3, 5, 10))}
    if rng.random() < 0.5:
        params |= {"logprobs": True, "top_logprobs": rng.choice((2, 5, 10))}
    kind = rng.choice(("ticket", "paper"))
    for at in runs(world, start, end, every_days=rng.choice((0.5, 1.0, 3.0)), weekdays=rng.random() < 0.5):
        yield at
        calls = [
            Call(
                own.dress(frame, letter(world, own) if kind == "ticket" else paper(world, own, 300)),
                rng.choice(labels),
                params,
            )
            for _ in range(scale(world, 40))
        ]
        batch(world, account, at, calls, width=12)


PARTS = (
    Workload(
        id="bulk_classify",
        about="messages to labels in bulk, partly with log-probabilities",
        play=play,
        about_families=("F18", "F7", "F19"),
    ),
)
