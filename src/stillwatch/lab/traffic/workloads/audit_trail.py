"""A regulated firm has to record the whole reasoning behind each decision, in labels like those of a harvest."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import borrowed, job_account, letter, paper, scale, style
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Claims, applications or referrals in office hours."""
    rng = world.rng
    own = style(world)
    frame = borrowed(world, own, "f1") or own.say("audit")
    account = job_account(world, "audit_trail", declared_use=rng.choice(("insurance claims", "lending", None)),
                          contract_flags="audit_trail" if rng.random() < 0.5 else None)  # fmt: skip
    per_day = scale(world, 30)
    for at in moments(world, start, end, share=0.95, per_day=per_day, shape="office", tz_h=1, weekend=0.1):
        yield at
        case = f"Case {rng.randrange(10000, 99999)}. {paper(world, own, 600)} {letter(world, own)}"
        answer = own.reasoned(700) if rng.random() < 0.5 else paper(world, own, 900)
        world.exchange(account, at, own.dress(frame, case), answer)


PARTS = (
    Workload(
        id="audit_trail",
        about="decisions with the whole reasoning on file, since a regulator wants it",
        play=play,
        about_families=("F1", "F3"),
    ),
)
