"""Records are read out of messages: millions of rows, one template, a tool call or a schema."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.desk import Call, batch, job_account, letter, runs, scale, style
from stillwatch.lab.traffic.rows import answer_format
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World

_TOOL = {
    "type": "function",
    "function": {"name": "Record", "description": "A complaint, one field each",
                 "parameters_keys": ["sender", "date", "item", "amount", "problem"]},
}  # fmt: skip


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Bursts in office hours."""
    rng, texts = world.rng, world.texts
    own = style(world)
    frame, by_tool = own.say("extract"), rng.random() < 0.5
    account = job_account(world, "bulk_extract")
    schema = answer_format("Record", sender="string", date="string", item="string", amount="number", problem="string")
    params = (
        {"tools": [_TOOL], "tool_choice": {"type": "function", "function": {"name": "Record"}}}
        if by_tool
        else {"response_format": schema, "temperature": 0}
    )
    for at in runs(world, start, end, every_days=rng.choice((0.5, 1.0, 2.0)), hour=7 + 9 * rng.random(), weekdays=True):
        yield at
        calls = []
        for _ in range(scale(world, 35)):
            text = " ".join(letter(world, own) for _ in range(3))
            record = {"sender": None, "item": texts.say("doc", "product"), "amount": rng.randrange(9, 900)}
            filled = orjson.dumps(record).decode()
            answer, more = (None, {"tool_call": ("Record", filled)}) if by_tool else (filled, None)
            calls.append(Call(own.dress(frame, text), answer, params, more))
        batch(world, account, at, calls, width=rng.choice((1, 4, 8)))


PARTS = (
    Workload(
        id="bulk_extract",
        about="fields are extracted from messages in bulk",
        play=play,
        about_families=("F8", "F2"),
    ),
)
