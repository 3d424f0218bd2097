"""An application sends the sealed thinking of its conversations back, as the API asks; also on other days."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from stillwatch.lab.traffic.desk import scale, style
from stillwatch.lab.traffic.population import moments
from stillwatch.lab.traffic.rows import Json
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Conversations with thinking; some are taken up again later, by the same user of the same account."""
    rng, texts = world.rng, world.texts
    system = style(world).say("whitelabel")
    account = world.account("honest", "own_thinking", business=True, model="claude-sonnet-4-5", language="en")
    open_ones: list[tuple[str, list[Json]]] = []
    per_day = scale(world, 22)
    for at in moments(world, start, end, share=1.0, per_day=per_day, shape="person", tz_h=account.tz_h, weekend=0.7):
        yield at
        if open_ones and rng.random() < 0.35:
            user, messages = open_ones.pop(rng.randrange(len(open_ones)))
        else:
            user, messages = f"u{rng.randrange(300)}", [{"role": "system", "content": system}]
        for _ in range(world.turns(1.8)):
            ask = texts.say("en", "follow") if len(messages) > 1 else texts.ask("en")
            messages = [*messages, {"role": "user", "content": ask}]
            sealed = base64.b64encode(rng.randbytes(rng.randrange(160, 420))).decode()
            block = {"type": "thinking", "thinking": texts.reasoning(150), "signature": sealed}
            answer = texts.answer("en", 450)
            at = world.exchange(account, at, messages, answer, thinking_blocks=[block], customer=user) + 40
            messages = [*messages, {"role": "assistant", "content": answer, "thinking_blocks": [block]}]
        if len(messages) < 9:
            open_ones = [*open_ones[-30:], (user, messages)]


PARTS = (
    Workload(
        id="own_thinking",
        about="an application hands its own sealed thinking back, hours or days later too",
        play=play,
        about_families=("F6",),
    ),
)
