"""A marketplace of prompt templates: subscribers with accounts of their own fill the same expert roles."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import borrowed, scale, style, together
from stillwatch.lab.traffic.population import chatter, moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import Account, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """The same dozen templates over many accounts that have nothing else in common."""
    rng, own = world.rng, style(world)
    templates = [borrowed(world, own, "f2", chance=0.4) or own.say("expert") for _ in range(rng.randrange(3, 12))]
    actors = []
    for _ in range(scale(world, 30, 0.3)):
        account = world.account("honest", "expert_templates")
        actors.append(_fill(world, account, templates, start, end))
        if rng.random() < 0.3:
            actors.append(chatter(world, account, start, end))
    yield from together(actors)


def _fill(world: World, account: Account, templates: list[str], start: float, end: float) -> Iterator[float]:
    rng, texts = world.rng, world.texts
    share = 0.1 + 0.3 * rng.random()
    for at in moments(world, start, end, share=share, per_day=2, shape="office", tz_h=account.tz_h, weekend=0.3):
        yield at
        matter = rng.choice((texts.ask(account.language), world.questions.draw(rng, "instruction")))
        asks = [f"{rng.choice(templates)}\n\n{matter}", *(texts.say(account.language, "follow") for _ in range(2))]
        world.converse(account, at, asks[: world.turns(1.6)], section=account.language, mean_chars=800)


PARTS = (
    Workload(
        id="expert_templates",
        about="unrelated subscribers fill the expert templates of one marketplace",
        play=play,
        about_families=("F2",),
    ),
)
