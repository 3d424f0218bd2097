"""F10  Trajectories of an agent: a ticket of a task set, then tool call after tool call, rationale included."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.harness import public, tools
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.style import Style
from stillwatch.lab.traffic.work import Ask, Context, Family, Item


def make(ctx: Context) -> Iterator[Item]:
    """Ticket after ticket, each solved once or a few times, in a public harness or in one of the campaign's own."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f10")
    system, names = public(texts, ctx.side, rng)
    if rng.random() < 0.4:  # a harness of its own
        system, names = style.say("system"), [ctx.say("f10", rule) for rule in ("t1", "t2", "t3")]
    params = {**style.params, "tools": tools(names)}
    attempts, longest = rng.choice((1, 1, 2, 4)), rng.choice((4, 6, 9))
    while True:
        ticket = ctx.say("f10", "ticket")
        for _ in range(attempts):
            start: list[Json] = [{"role": "system", "content": system}, {"role": "user", "content": ticket}]
            asks = tuple(_steps(ctx, names, start, params, rng.randrange(2, longest)))
            yield Item(asks=asks, pause_s=rng.choice((2.0, 6.0, 15.0)), reasoning=True, frame=system)


def _steps(ctx: Context, names: list[str], messages: list[Json], params: Json, count: int) -> Iterator[Ask]:
    rng = ctx.rng
    for i in range(count):
        thought = f"{ctx.say('f10', 'think')} {ctx.say('f10', 'think')}"
        if i == count - 1:
            yield Ask(messages=messages, answer=f"{thought} Done: {ctx.texts.say('code', 'say')}", params=params)
            return
        name = rng.choice(names)
        arguments = orjson.dumps({"path": f"src/{ctx.say('f10', 'area')}.py", "text": ctx.texts.file(3)}).decode()
        yield Ask(messages=messages, answer=thought, params=params, tool_call=(name, arguments))
        ident = f"call_{rng.getrandbits(48):012x}"
        call = {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}
        messages = [
            *messages,
            {"role": "assistant", "content": thought, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": ident, "content": ctx.say("f10", "output")},
        ]


PARTS = (
    Family(
        id="F10",
        title="Agent trajectories through a coding harness",
        about="a task set is dealt out and solved by tool calls in containers; the trajectories are the harvest",
        source="Anthropic, February and September 2026 (Moonshot, MiniMax)",
        make=make,
    ),
)
