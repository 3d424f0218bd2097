"""F17  Instructions breed instructions: self-instruct, evol-instruct, personas, and the answers to all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import orjson

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item

_POOL = 200  # instructions kept at a time


def make(ctx: Context) -> Iterator[Item]:
    """A pool that grows by inventing and hardening, and is answered as it grows."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f17")
    pool = [style.question("instruction") for _ in range(30)]
    steps = ("invent", "harder", "respond", "persona", "ground", "tree")
    weights = rng.choice(
        ((2, 3, 5, 0, 0, 0), (4, 0, 6, 0, 0, 0), (0, 5, 5, 0, 0, 0), (0, 0, 4, 6, 0, 0), (0, 0, 0, 0, 1, 0),
         (0, 0, 2, 0, 0, 5), (1, 2, 4, 3, 2, 2))
    )  # fmt: skip
    by_persona = "person" in texts.grammars[f"{ctx.side}_f17"]
    fixed = {rule: style.wrapper(rule) for rule in ("harder", "respond", "ground")} if rng.random() < 0.6 else {}
    bare_answers = rng.random() < 0.4
    frame: str
    reword: Callable[[str], str] | None
    while True:
        step = rng.choices(steps, weights)[0]
        if step == "persona" and not by_persona:
            step = "invent"
        frame, reword = fixed.get(step) or style.wrapper(step if step != "persona" else "invent")
        reasoned = False
        if step == "invent":
            seeds = "\n".join(f"{i + 1}. {task}" for i, task in enumerate(rng.sample(pool, min(len(pool), 6))))
            born = [style.question("instruction") for _ in range(rng.randrange(3, 9))]
            pool += born
            body, answer = seeds, "\n".join(f"{i + 7}. {task}" for i, task in enumerate(born))
        elif step == "persona":
            frame, reword = style.say("persona", persona=ctx.say("f17", "person")), None
            body, answer = "", style.question("instruction")
            pool.append(answer)
        elif step in ("ground", "tree"):
            pairs = [{"question": style.question("instruction"), "answer": texts.final()} for _ in range(3)]
            body = texts.document(rng.choice((700, 1500))) if step == "ground" else ""
            answer = orjson.dumps(pairs).decode()
            pool += [pair["question"] for pair in pairs]
        elif step == "harder":
            body = rng.choice(pool)
            answer = f"{body} {style.question('instruction')}"[:700]
            pool.append(answer)
        else:
            body, reasoned = rng.choice(pool), rng.random() < 0.5
            frame, reword = ("", None) if bare_answers else (frame, reword)
            answer = style.thoughts(700) if reasoned else texts.answer(style.language, 700)
        del pool[:-_POOL]
        messages = style.dress(frame, body) if body else [{"role": "user", "content": frame}]
        yield one(messages, answer, style.params, reasoning=reasoned, frame=frame, reword=reword)


PARTS = (
    Family(
        id="F17",
        title="Self-instruct and evol-instruct synthesis",
        about="seed tasks are multiplied, hardened and answered to fill a training set",
        source="Self-Instruct, Evol-Instruct and Persona Hub pipelines",
        make=make,
        sides=("tune", "test"),
    ),
)
