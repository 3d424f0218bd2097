"""A mail gateway has bodies classified as they arrive: in base64, in many languages."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, letter, runs, scale, style, through, user
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Batches around the clock; a label or a record comes back."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame, labels = own.say(rng.choice(("classify", "extract"))), own.words["labels"].split(", ")
    account = job_account(world, "encoded_mail")
    for at in runs(world, start, end, every_days=0.6):
        yield at
        calls = []
        for _ in range(scale(world, 12)):
            body = letter(world, own) if rng.random() < 0.5 else texts.answer(texts.language(), 250)
            sent = through(world, "base64", user(body)) if rng.random() < 0.7 else user(body)
            calls.append(Call([{"role": "system", "content": frame}, *sent], rng.choice(labels)))
        batch(world, account, at, calls, width=4)


PARTS = (
    Workload(
        id="encoded_mail",
        about="mail bodies in base64 are classified",
        play=play,
        about_families=("F18", "F8"),
    ),
)
