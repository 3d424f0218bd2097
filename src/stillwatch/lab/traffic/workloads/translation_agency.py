"""Documents into several languages, in office hours."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import job_account, style, user
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World

_NAMES = {"de": "German", "fr": "French", "ja": "Japanese", "ar": "Arabic", "es": "Spanish", "zh": "Chinese",
          "ko": "Korean", "pt": "Portuguese", "ru": "Russian"}  # fmt: skip


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A text, then all its translations."""
    rng, texts = world.rng, world.texts
    account = job_account(world, "translation_agency", declared_use="translation")
    system = style(world).say("translate")
    languages = rng.sample(sorted(_NAMES), rng.randrange(2, 8))
    for at in moments(world, start, end, share=0.95, per_day=6, shape="office", tz_h=account.tz_h, weekend=0.05):
        yield at
        text = texts.document(700)
        for language in languages:
            asked = user(f"Translate into {_NAMES[language]}:\n\n{text}", system)
            at = world.exchange(account, at, asked, texts.sentences(language, "say", 500)) + 2


PARTS = (
    Workload(
        id="translation_agency",
        about="documents are translated into many languages",
        play=play,
        about_families=("F4", "F8"),
    ),
)
