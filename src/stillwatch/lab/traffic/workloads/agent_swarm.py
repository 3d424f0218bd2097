"""A firm's own agents: a planner and its workers, each with an account, on the firm's own repositories."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from stillwatch.lab.traffic.desk import scale
from stillwatch.lab.traffic.harness import public, tools
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """A plan, then the workers' loops, at any hour."""
    rng, texts = world.rng, world.texts
    system, names = public(texts, world.side, rng)
    defined = tools(names)
    card, host, domain = world.payment(), world.host_ip(), f"{world.hex(6)}.example"
    team = [
        world.account("honest", "agent_swarm", ips=[host], business=True, payment_fingerprint=card, stream=False,
                      email_domain=domain, declared_use="coding")
        for _ in range(rng.randrange(3, 9))
    ]  # fmt: skip
    for at in moments(world, start, end, share=1.0, per_day=scale(world, 5), shape="flat", tz_h=0, weekend=0.9):
        yield at
        task = texts.say("code", "task")
        plan = texts.sentences("code", "say", 500)
        done = world.exchange(team[0], at, [{"role": "system", "content": system}, {"role": "user", "content": task}],
                              plan)  # fmt: skip
        for worker in rng.sample(team[1:], rng.randrange(1, len(team))):
            messages: list[Json] = [
                {"role": "system", "content": system},
                {"role": "user", "content": f"{task}\n\nPlan:\n{plan}"},
            ]
            at = done + rng.random() * 5
            for _ in range(rng.randrange(2, 6)):
                name = rng.choice(names)
                arguments = orjson.dumps({"path": texts.say("code", "path")}).decode()
                thought = texts.say("code", "say")
                at = world.exchange(worker, at, messages, thought, params={"tools": defined},
                                    tool_call=(name, arguments)) + 2  # fmt: skip
                call = {"id": f"call_{world.hex(10)}", "type": "function",
                        "function": {"name": name, "arguments": arguments}}  # fmt: skip
                messages = [
                    *messages,
                    {"role": "assistant", "content": thought, "tool_calls": [call]},
                    {"role": "tool", "tool_call_id": call["id"], "content": texts.file(12)},
                ]


PARTS = (
    Workload(
        id="agent_swarm",
        about="planner and workers of one firm, each an account",
        play=play,
        about_families=("F10", "F9"),
    ),
)
