"""A game for phones: players send cues, one word comes back."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import borrowed, job_account, scale, style, user
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Rounds of a few cues in the evening."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = job_account(world, "word_game", model="gpt-4o-mini")
    params = {"max_tokens": rng.choice((3, 5, 10))}
    per_day = scale(world, 8)
    for at in moments(world, start, end, share=1.0, per_day=per_day, shape="person", tz_h=account.tz_h, weekend=1.3):
        yield at
        for _ in range(rng.randrange(2, 6)):
            word = texts.say("en", "noun")
            at = (
                world.exchange(
                    account, at, user(borrowed(world, own, "f19", "word", 0.5) or own.say("word")), word, params=params
                )
                + 8
                + 20 * rng.random()
            )


PARTS = (Workload(id="word_game", about="a game in which single words come back", play=play, about_families=("F19",)),)
