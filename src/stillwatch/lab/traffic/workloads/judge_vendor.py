"""A vendor grades the chatbots of its customers with a rubric."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.desk import Call, batch, borrowed, job_account, letter, runs, scale, style
from stillwatch.lab.traffic.rows import answer_format
from stillwatch.lab.traffic.work import Workload
from stillwatch.lab.traffic.world import World


def play(world: World, start: float, end: float) -> Iterator[float]:
    """Answers of bots in, marks out; one frame for each client of the vendor."""
    rng, texts = world.rng, world.texts
    own = style(world)
    account = job_account(world, "judge_vendor", temperature=0.0, declared_use="evaluation of chatbots",
                          contract_flags="evaluation" if rng.random() < 0.5 else None)  # fmt: skip
    frames = [borrowed(world, own, "f7", "pair") or own.say("judge") for _ in range(rng.randrange(1, 5))]
    wanted = answer_format("Verdict", a="integer", b="integer", winner="string", reason="string")
    params = {"temperature": 0.0, "response_format": wanted} if rng.random() < 0.6 else {"temperature": 0.0}
    top = int(own.words["top"])
    for at in runs(world, start, end, every_days=rng.choice((0.5, 1.0, 2.0))):
        yield at
        calls = []
        for _ in range(scale(world, 30)):
            first, second = texts.answer(own.language, 280), texts.answer(own.language, 280)
            body = f"Question: {letter(world, own)}\n\nA: {first}\n\nB: {second}"
            a, b = rng.randrange(1, top + 1), rng.randrange(1, top + 1)
            answer = f'{{"a": {a}, "b": {b}, "winner": "{rng.choice("ab")}", "reason": "{texts.say("en", "say")}"}}'
            calls.append(Call(own.dress(rng.choice(frames), body), answer, params))
        batch(world, account, at, calls, width=6)


PARTS = (
    Workload(
        id="judge_vendor",
        about="marks for the chatbots of other firms, as a service",
        play=play,
        about_families=("F7",),
    ),
)
