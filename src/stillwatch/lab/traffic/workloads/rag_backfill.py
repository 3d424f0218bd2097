"""A new customer indexes its archive at full rate in the first days of its life, then hardly shows up."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, job_account, paper, scale, style, user
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import DAY_S, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Summaries and embeddings in one go; questions afterwards."""
    rng, texts = world.rng, world.texts
    own = style(world)
    at = start + (0.1 + 0.5 * rng.random()) * (end - start)
    account = job_account(world, "rag_backfill", model="gpt-4o-mini", created_at=int((at - DAY_S) * 1e6))
    yield at
    frame, width = own.say("index"), rng.choice((4, 8, 16))
    for _ in range(scale(world, 7)):
        calls = [Call(user(frame + "\n\n" + paper(world, own, 1400)), paper(world, own, 240)) for _ in range(30)]
        embeds = {"model": "text-embedding-3-small", "reasoning": ""}
        calls += [Call(user(paper(world, own, 1500)), "", {"encoding_format": "base64"}, embeds) for _ in range(8)]
        at = batch(world, account, at, calls, width)
        yield at
    asked = own.say("rag")
    for moment in moments(world, at, end, share=0.7, per_day=5, shape="office", tz_h=account.tz_h, weekend=0.2):
        yield moment
        text = f"{asked}\n\n{paper(world, own, 1800)}\n\n{texts.say('doc', 'question')}"
        world.exchange(account, max(moment, at), user(text), paper(world, own, 200))


PARTS = (
    Workload(
        id="rag_backfill",
        about="a new account indexes an archive at full rate, with embeddings",
        play=play,
        about_families=("F18", "F16"),
    ),
)
