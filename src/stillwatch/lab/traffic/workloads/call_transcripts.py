"""A call centre has its own transcripts summarised and tidied, some of them with its own bot."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, borrowed, job_account, runs, scale, style
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Role markers, tool calls of the bot, half sentences; a clean record comes back."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame, form = borrowed(world, own, "f8") or own.say("transcript"), rng.randrange(4)
    account = job_account(world, "call_transcripts")
    record = texts.grammars["record"]
    for at in runs(world, start, end, every_days=0.5):
        yield at
        calls = []
        for _ in range(scale(world, 14)):
            turns = [record.pick(rng, "turn", form) for _ in range(rng.randrange(3, 10))]
            if rng.random() < 0.4:
                turns.insert(rng.randrange(len(turns)), record.pick(rng, "act", form))
            calls.append(Call(own.dress(frame, "\n".join(turns)), "\n".join(t for t in turns if rng.random() < 0.7)))
        batch(world, account, at, calls, width=3)


PARTS = (
    Workload(
        id="call_transcripts",
        about="a call centre tidies its transcripts, its bot's included",
        play=play,
        about_families=("F8", "F12"),
    ),
)
