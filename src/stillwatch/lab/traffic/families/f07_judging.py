"""F7  The model as a reward: rubric marks and pairwise choices, by the thousand."""

from __future__ import annotations

from collections.abc import Iterator

from stillwatch.lab.traffic.style import Style, one
from stillwatch.lab.traffic.work import Context, Family, Item

_LAYOUT = (
    ("Prompt:\n{q}\n\nReply:\n{a}", "Prompt:\n{q}\n\nReply A:\n{a}\n\nReply B:\n{b}"),
    ("<prompt>{q}</prompt><output>{a}</output>", "<prompt>{q}</prompt><one>{a}</one><two>{b}</two>"),
    ("# Task\n{q}\n# Candidate\n{a}", "# Task\n{q}\n# Candidate 1\n{a}\n# Candidate 2\n{b}"),
    ("Instruction: {q}\nOutput: {a}", "Instruction: {q}\nLeft: {a}\nRight: {b}"),
)


def make(ctx: Context) -> Iterator[Item]:
    """Marks, or choices, or both; the candidates are reasoning traces, answers or code."""
    rng, texts = ctx.rng, ctx.texts
    style = Style(ctx, "f7")
    style.draw("f7", "axis", "axis2", "axis3")
    rules = rng.choice((("score",), ("score",), ("pair",), ("score", "pair")))
    wrappers = {rule: style.wrapper(rule) for rule in rules}
    layout = rng.choice(_LAYOUT)
    by = rng.choices(("text", "schema", "tool"), (6, 3, 1))[0]
    params = style.params
    if by == "schema":
        params = style.schema("Marks", a="integer", b="integer", c="integer", why="string")
    elif by == "tool":
        params = style.tool("record_marks", "a", "b", "c", "why")
    params = {**params, "temperature": 0.0} if rng.random() < 0.6 else params
    section = rng.choice(("en", "en", "code"))
    while True:
        rule = rng.choice(rules)
        frame, reword = wrappers[rule]
        question = style.question(rng.choice(("problem", "instruction")))
        a, b = (texts.reasoning(500) if rng.random() < 0.5 else texts.answer(section, 420) for _ in range(2))
        body = layout[rule == "pair"].format(q=question, a=a, b=b)
        marks = [rng.randrange(1, int(style.words["top"]) + 1) for _ in range(3)]
        why = texts.say("en", "say")
        if by != "text":
            answer = f'{{"a": {marks[0]}, "b": {marks[1]}, "c": {marks[2]}, "why": "{why}"}}'
        elif rule == "pair":
            answer = f"{rng.choice('AB')}. {why}"
        else:
            answer = f"{'; '.join(map(str, marks))}\n{why}"
        call = ("record_marks", answer) if by == "tool" else None
        yield one(style.dress(frame, body), None if call else answer, params, frame=frame, reword=reword, call=call)


PARTS = (
    Family(
        id="F7",
        title="Rubric and pairwise judging",
        about="candidate answers in, short marks out: the model serves as a reward model",
        source="Anthropic, February and September 2026 (DeepSeek, Zhipu)",
        make=make,
        sides=("tune", "test"),
    ),
)
