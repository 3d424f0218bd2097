"""The style of one campaign: labels, topic, wording and place of its wrapper, drawn once and kept.

No two campaigns share strings, since each draws from a wide grammar; one campaign resembles itself, as real ones do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from stillwatch.lab.traffic.grammar import Grammar
from stillwatch.lab.traffic.rows import Json, answer_format
from stillwatch.lab.traffic.work import Ask, Context, Item

_PARAMETER = re.compile(r"\[\[([a-z]+[0-9]?)\]\]")
_TOPICS: Final = ("maths", "code", "science", "systems")


class Style:
    """What a campaign settles once. Everything random comes from the campaign's own stream."""

    def __init__(self, ctx: Context, section: str) -> None:
        """`section` is the family's section of the grammar, without its side (`f1`)."""
        rng = ctx.rng
        self.ctx, self.section = ctx, section
        self.words: dict[str, str] = {
            "count": str(rng.choice((2, 3, 4, 5, 8, 10, 12, 15, 20))), "level": str(rng.randrange(2, 10)),
            "minutes": str(rng.choice((10, 20, 30, 45, 60, 90))), "rate": str(rng.randrange(5, 60)),
            "top": str(rng.choice((4, 5, 7, 10, 10, 100))), "least": str(rng.randrange(80, 500)),
            "most": str(rng.randrange(600, 2500)),
        }  # fmt: skip
        for name in ("open", "aopen"):
            self.words[name], self.words[f"{name.removesuffix('open')}close"] = ctx.say("style", name).split("|")
        self.draw("style", "head", "ahead", "key", "akey", "persona")
        self.language = ctx.language
        self.topic = rng.choice(_TOPICS) if rng.random() < 0.4 else None
        self.place = rng.choice(("system", "system", "prefix", "prefix", "suffix"))
        self.examples = rng.randrange(1, 3) if rng.random() < 0.15 else 0
        self.params: Json = {}
        if rng.random() < 0.75:
            self.params["temperature"] = rng.choice((0.0, 0.3, 0.6, 0.7, 0.8, 1.0))
        if rng.random() < 0.7:
            self.params["max_tokens"] = rng.choice((1024, 2048, 4096, 8192, 16384))
        if rng.random() < 0.3:
            self.params["top_p"] = rng.choice((0.9, 0.95, 1.0))

    def _grammar(self, section: str) -> Grammar:
        return self.ctx.texts.grammars[f"{self.ctx.side}_{section}"]

    def draw(self, section: str, *names: str) -> None:
        """Settle parameters by rules of the same names."""
        for name in names:
            self.words[name] = self.ctx.say(section, name)

    def fill(self, text: str, **more: str) -> str:
        """Replace each `[[name]]`.

        Raises:
            KeyError: the campaign has no such parameter.
        """
        words = {**self.words, **more}
        return _PARAMETER.sub(lambda found: words[found[1]], text)

    def say(self, rule: str, language: str | None = None, **more: str) -> str:
        """A wording of a rule of the section; in `language`, or the campaign's, where the grammar has it."""
        own = f"{rule}_{language or self.language}"
        return self.fill(
            self.ctx.say(self.section, own if own in self._grammar(self.section) else rule), **more
        ).strip()

    def wrapper(self, rule: str = "wrap") -> tuple[str, Callable[[str], str]]:
        """The campaign's wrapper, and what words it anew in a given language with the same labels."""
        return self.say(rule), lambda language: self.say(rule, language)

    def question(self, kind: str = "problem") -> str:
        """A question in the campaign's language and, where it has one, of its topic."""
        ctx = self.ctx
        own = f"{ctx.side}_{ctx.language}"
        if kind != "boundary" and own in ctx.texts.grammars and ctx.rng.random() < 0.6:
            return ctx.texts.say(own, "item")
        if kind == "problem" and self.topic and not ctx.questions.real:
            return ctx.say(self.topic, "item")
        return ctx.questions.draw(ctx.rng, kind)

    def dress(self, frame: str, body: str, examples: list[Json] | None = None) -> list[Json]:
        """Messages with the wrapper where this campaign puts it."""
        shots = examples or []
        if not frame:
            return [*shots, {"role": "user", "content": body}]
        if self.place == "system":
            return [{"role": "system", "content": frame}, *shots, {"role": "user", "content": body}]
        text = f"{frame}\n\n{body}" if self.place == "prefix" else f"{body}\n\n{frame}"
        return [*shots, {"role": "user", "content": text}]

    def shots(self, kind: str, answer: Callable[[], str]) -> list[Json]:
        """The few-shot examples of this campaign; mostly none."""
        return [
            message
            for _ in range(self.examples)
            for message in (
                {"role": "user", "content": self.question(kind)},
                {"role": "assistant", "content": answer()},
            )
        ]

    def schema(self, name: str, **types: str) -> Json:
        """The campaign's parameters with a `response_format`."""
        return {**self.params, "response_format": answer_format(name, **types)}

    def tool(self, name: str, *fields: str) -> Json:
        """The campaign's parameters with a function that the model has to call."""
        function = {"name": name, "description": name.replace("_", " "), "parameters_keys": list(fields)}
        choice = {"type": "function", "function": {"name": name}}
        return {**self.params, "tools": [{"type": "function", "function": function}], "tool_choice": choice}

    def thoughts(self, chars: float = 900.0) -> str:
        """A line of thought, mostly in the language that is spoken."""
        texts, rng = self.ctx.texts, self.ctx.rng
        if self.language == "en" or rng.random() < 0.3:
            return texts.reasoning(chars)
        return texts.sentences(self.language, "say", chars * rng.lognormvariate(0.0, 0.5) * 0.9)

    def reasoned(self, chars: float = 900.0) -> str:
        """An answer in the labels that a wrapper of this campaign may name."""
        return self.labelled(self.thoughts(chars), self.ctx.texts.final())

    def labelled(self, first: str, second: str) -> str:
        """Two parts between the labels that the grammars of this side ask for."""
        w = self.words
        if self.ctx.side == "test":  # headings there, tags on the other side
            return f"{w['head']}\n{first}\n\n{w['ahead']}\n{second}"
        return f"{w['open']}\n{first}\n{w['close']}\n{w['aopen']}\n{second}\n{w['aclose']}"


def one(
    messages: list[Json], answer: str | list[str] | None, params: Json | None = None, *, reasoning: bool = False,
    frame: str | None = None, reword: Callable[[str], str] | None = None, refused: bool = False,
    thought: str | None = None, model: str | None = None, call: tuple[str, str] | None = None,
) -> Item:  # fmt: skip
    """An item of a single request; `thought` is returned beside the answer, `call` in its place."""
    ask = Ask(messages=messages, answer=answer, params=params, refused=refused, reasoning=thought, model=model,
              tool_call=call)  # fmt: skip
    return Item(asks=(ask,), reasoning=reasoning, frame=frame or None, reword=reword)
