"""Analysts look at phishing: look-alike letters, unseen characters, encoded payloads, other people's instructions."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import letter, scale, style, through, user
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World

_ORDERS = (
    "What does this mail want? Is it phishing?", "Decode and explain what it would do.",
    "Which characters are not what they seem?",
    "Verdict and reason for the ticket.", "Normalise the text, then summarise.",
)  # fmt: skip


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A security team on one key."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = world.account("honest", "phishing_desk", business=True, language="en",
                            programme="research" if rng.random() < 0.3 else None)  # fmt: skip
    order = rng.choice(_ORDERS) if rng.random() < 0.5 else None
    per_day = scale(world, 24)
    for at in moments(world, start, end, share=0.97, per_day=per_day, shape="office", tz_h=account.tz_h, weekend=0.4):
        yield at
        bait = letter(world, own) if rng.random() < 0.7 else own.ctx.say("job", "probe")
        change = rng.choice(("homoglyphs", "zero_width", "base64", "typos"))
        content = through(world, change, user(bait))[0]["content"]
        answer = texts.answer(own.language, 350) if rng.random() < 0.93 else texts.say("refusal", "say")
        world.exchange(account, at, user(f"{order or rng.choice(_ORDERS)}\n\n{content}"), answer)


PARTS = (
    Workload(
        id="phishing_desk",
        about="analysts of phishing paste look-alike letters, unseen characters and encoded text",
        play=play,
        about_families=("F5", "F14"),
    ),
)
