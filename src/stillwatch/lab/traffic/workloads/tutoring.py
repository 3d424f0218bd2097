"""A school product explains everything step by step, in the very labels that a harvest asks for."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import borrowed, job_account, scale, style
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Pupils of one product; exam questions, in the product's language."""
    rng = world.rng
    own = style(world)
    frame = borrowed(world, own, "f1") or own.say("tutor")
    account = job_account(world, "tutoring", programme="education" if rng.random() < 0.5 else None,
                          declared_use="education")  # fmt: skip
    tells = rng.random() < 0.5
    per_day = scale(world, 30)
    for at in moments(world, start, end, share=1.0, per_day=per_day, shape="person", tz_h=account.tz_h, weekend=0.6):
        yield at
        pupil = f"pupil-{rng.randrange(200)}"
        messages: list[Json] = [
            {"role": "system", "content": frame},
            {"role": "user", "content": own.question()},
        ]
        for _ in range(world.turns(2.0)):
            answer = own.reasoned(420)
            at = world.exchange(account, at, messages, answer, end_user=pupil if tells else None, customer=pupil) + 50
            messages = [
                *messages,
                {"role": "assistant", "content": answer},
                {"role": "user", "content": own.say("pupil")},
            ]


PARTS = (
    Workload(
        id="tutoring",
        about="a school product that always shows its reasoning",
        play=play,
        about_families=("F1", "F15"),
    ),
)
