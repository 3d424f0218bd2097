"""Learners have the model think aloud in the language that they learn."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import borrowed, job_account, scale, style
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World

_CODES = {"German": "de", "French": "fr", "Japanese": "ja", "Spanish": "es", "Korean": "ko", "Portuguese": "pt",
          "Chinese": "zh"}  # fmt: skip


def play(world: World, start: float, end: float) -> Iterator[float]:
    """One app, many target languages."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = job_account(world, "language_school", declared_use="education", client=None, ips=None)
    per_day = scale(world, 26)
    wording = own.ctx.say("job", "language")
    for at in moments(world, start, end, share=1.0, per_day=per_day, shape="person", tz_h=account.tz_h, weekend=1.0):
        yield at
        own.draw("job", "target")
        language = _CODES.get(own.words["target"], "es")
        frame = borrowed(world, own, "f4") or own.fill(wording)
        answer = f"{texts.sentences(language, 'say', 500)}\n\n{texts.answer(language, 200)}"
        ask = texts.ask(rng.choice(("en", language)))
        world.exchange(account, at, own.dress(frame, ask), answer, customer=f"learner-{rng.randrange(200)}")


PARTS = (
    Workload(
        id="language_school",
        about="thinking aloud in the language that the learner practises",
        play=play,
        about_families=("F4",),
    ),
)
