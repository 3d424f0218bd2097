"""A product team runs the same evaluation set every night; on Sundays with several models."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, borrowed, job_account, runs, scale, style
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import DAY_S, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """The same questions with reasoning, night after night, ten at a time."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame = borrowed(world, own, "f13") or own.say("evaluate")
    account = job_account(world, "nightly_eval", contract_flags="evaluation" if rng.random() < 0.5 else None)
    questions = [own.dress(frame, world.questions.draw(rng, "problem")) for _ in range(scale(world, 30))]
    params = {"temperature": 0.0, "max_tokens": rng.choice((1024, 2048, 4096))}
    for at in runs(world, start, end, every_days=1.0, hour=24 * rng.random()):
        yield at
        sunday = int((at - world.start) // DAY_S) % 7 == 6
        for model in (None, "gpt-4o-mini", "deepseek-r1") if sunday else (None,):
            calls = [Call(m, f"{texts.reasoning(500)}\n{texts.final()}", params, {"model": model}) for m in questions]
            at = batch(world, account, at, calls, width=10)


PARTS = (
    Workload(
        id="nightly_eval",
        about="an evaluation set is run every night, the same prompts each time",
        play=play,
        about_families=("F13", "F1"),
    ),
)
