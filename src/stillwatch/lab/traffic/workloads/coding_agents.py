"""Developers run a coding agent on their own repositories: tool calls, thoughts, tests, the same harness prompt."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.clients import CLIENTS
from stillwatch.lab.traffic.desk import scale, together
from stillwatch.lab.traffic.harness import public, tools
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import Account, World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Unrelated developers; each has a few projects and follows up by hand."""
    rng = world.rng
    harness = public(world.texts, world.side, rng)
    client = CLIENTS[rng.choice(("opencode", "openai-node-6.1.0", "openai-python-2.20.0-raw-linux"))]
    made = [
        world.account("honest", "coding_agents", client=client, temperature=None)
        for _ in range(scale(world, 16, 0.3))
    ]  # fmt: skip
    yield from together([_develop(world, account, harness, start, end) for account in made])


def _develop(
    world: World, account: Account, harness: tuple[str, list[str]], start: float, end: float
) -> Iterator[float]:
    rng, texts = world.rng, world.texts
    system, names = harness
    defined = tools(names)
    share = 0.15 + 0.4 * rng.random()
    for at in moments(world, start, end, share=share, per_day=1.4, shape="office", tz_h=account.tz_h, weekend=0.4):
        yield at
        messages: list[Json] = [
            {"role": "system", "content": system},
            {"role": "user", "content": texts.say("code", "task")},
        ]
        for _ in range(1 + int(rng.expovariate(0.3))):
            name = rng.choice(names)
            arguments = orjson.dumps({"path": texts.say("code", "path")}).decode()
            thought = f"{texts.say('code', 'say')} {texts.say('code', 'say')}"
            at = (
                world.exchange(account, at, messages, thought, params={"tools": defined}, tool_call=(name, arguments))
                + 4
            )
            call = {
                "id": f"call_{world.hex(10)}",
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }
            messages = [
                *messages,
                {"role": "assistant", "content": thought, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": call["id"], "content": texts.file(10)},
            ]
            if len(messages) > 24:
                break
            if rng.random() < 0.15:
                messages = [*messages, {"role": "user", "content": texts.say("code", "follow")}]
                at += 60 * rng.random()


PARTS = (
    Workload(
        id="coding_agents",
        about="developers with a coding agent on their own repositories",
        play=play,
        about_families=("F10",),
    ),
)
