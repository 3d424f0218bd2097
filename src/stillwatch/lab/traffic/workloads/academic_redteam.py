"""Researchers study refusals and leaks: many wrappers, many refusals, marks by a judge; a paper comes of it."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, borrowed, job_account, runs, scale, style, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A fixed set of probes against several models, some days in a row; a university's account."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = job_account(world, "academic_redteam", programme="research" if rng.random() < 0.7 else None,
                          declared_use="research", email_domain=f"uni-{world.hex(4)}.example")  # fmt: skip
    probes = [borrowed(world, own, "f5", "probe", 0.5) or own.say("redteam") for _ in range(scale(world, 40))]
    judged = rng.random() < 0.5
    for at in runs(world, start, end, every_days=2.5):
        yield at
        for model in rng.sample(("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "deepseek-r1"), 2):
            calls = []
            for probe in probes:
                text = probe if rng.random() < 0.8 else world.questions.draw(rng, "boundary")
                answer = texts.say("refusal", "say") if rng.random() < 0.55 else texts.answer("en", 300)
                calls.append(Call(user(text), answer, {"temperature": 0.0}, {"model": model}))
                if judged:
                    asked = f"Refused, partly or complied? One word.\n\n{answer}"
                    calls.append(Call(user(asked), rng.choice(("refused", "partly", "complied"))))
            at = batch(world, account, at, calls, width=6)


PARTS = (
    Workload(
        id="academic_redteam",
        about="a study of refusals: many wrappers, many refusals",
        play=play,
        about_families=("F5", "F14", "F7"),
    ),
)
