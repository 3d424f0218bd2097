"""A research group measures pass@k on a public benchmark: several samples of each question, once for each model."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, borrowed, job_account, runs, scale, style
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """One fixed set; it is run for a paper, and again for its revision."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame, samples = borrowed(world, own, "f13") or own.say("evaluate"), rng.choice((2, 4, 8))
    account = job_account(world, "pass_at_k", programme="research" if rng.random() < 0.5 else None,
                          declared_use="research" if rng.random() < 0.5 else None)  # fmt: skip
    questions = [own.dress(frame, world.questions.draw(rng, "problem")) for _ in range(scale(world, 60))]
    params = {"temperature": rng.choice((0.6, 0.8, 1.0)), "max_tokens": 4096}
    at_once = rng.random() < 0.5
    for at in runs(world, start, end, every_days=6.0):
        yield at
        model = rng.choice(("gpt-4o", "deepseek-r1", "claude-sonnet-4-5"))
        for question in questions:
            answers = [f"{texts.reasoning(500)}\n{texts.final()}" for _ in range(samples)]
            calls = (
                [Call(question, list(answers), {**params, "n": samples}, {"model": model})]
                if at_once
                else [Call(question, answer, params, {"model": model}) for answer in answers]
            )
            at = batch(world, account, at, calls, width=samples)
            yield at


PARTS = (
    Workload(
        id="pass_at_k",
        about="several samples of each question of a benchmark, for a paper",
        play=play,
        about_families=("F13", "F1"),
    ),
)
