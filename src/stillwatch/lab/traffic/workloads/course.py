"""A course assignment: students, one exercise, one evening, one campus network, one programme."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import scale, style, together
from stillwatch.lab.traffic.population import chatter
from stillwatch.lab.traffic.style import Style
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import DAY_S, Account, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Most paste the exercise as it is; many chat before and after."""
    rng = world.rng
    own, campus = style(world), world.home_ip()
    exercises = [world.questions.draw(rng, "problem") for _ in range(rng.randrange(1, 4))]
    hour = start + int((0.1 + 0.8 * rng.random()) * (end - start) / DAY_S) * DAY_S + (12 + 8 * rng.random()) * 3600
    domain, actors = f"uni-{world.hex(4)}.example", []
    for _ in range(scale(world, 40, 0.3)):
        account = world.account(
            "honest", "course", ips=[campus, world.home_ip()],
            signup_ip=campus if rng.random() < 0.4 else world.home_ip(),
            programme="education" if rng.random() < 0.6 else None, email_domain=domain, business=False, tz_h=1,
            created_at=int((world.start - (1 + 30 * rng.random()) * DAY_S) * 1e6),
            model=rng.choice(("gpt-4o-mini", "gpt-4o")),
        )  # fmt: skip
        actors.append(_solve(world, own, account, exercises, hour, end))
        if rng.random() < 0.5:
            actors.append(chatter(world, account, start, end))
    yield from together(actors)


def _solve(
    world: World, own: Style, account: Account, exercises: list[str], hour: float, end: float
) -> Iterator[float]:
    rng = world.rng
    at = hour + 5400 * rng.random()
    for exercise in exercises:
        if at >= end:
            return
        yield at
        order = rng.choice(("", "Explain step by step. ", "Show all your reasoning. ", "why? "))
        asks = [order + exercise, *(own.say("pupil") for _ in range(world.turns(2.2)))]
        world.converse(account, at, asks, section="en", mean_chars=800, pause_s=70)
        at += 600 + 1800 * rng.random()


PARTS = (
    Workload(
        id="course",
        about="students solve one assignment in one evening",
        play=play,
        about_families=("F13", "F1"),
    ),
)
