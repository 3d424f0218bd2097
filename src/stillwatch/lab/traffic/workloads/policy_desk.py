"""A platform's safety team tries its own filter: borderline texts, graded, refused in part."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, borrowed, job_account, runs, scale, style, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Posts to be labelled, replies to be softened, edge cases to be discussed."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = job_account(world, "policy_desk", declared_use="content moderation" if rng.random() < 0.5 else None)
    for at in runs(world, start, end, every_days=1.0, hour=6 + 10 * rng.random(), weekdays=rng.random() < 0.6):
        yield at
        calls = []
        for _ in range(scale(world, 20)):
            text = borrowed(world, own, "f14", "harm", 0.4) or world.questions.draw(rng, "boundary")
            if rng.random() < 0.5:
                calls.append(Call(own.dress(own.say("classify"), text), rng.choice(own.words["labels"].split(", "))))
            else:
                refused = rng.random() < 0.3
                calls.append(
                    Call(user(text), texts.say("refusal", "say") if refused else texts.answer(own.language, 380))
                )
        batch(world, account, at, calls, width=4)


PARTS = (
    Workload(
        id="policy_desk",
        about="a safety team maps its own platform's boundary",
        play=play,
        about_families=("F14", "F5"),
    ),
)
