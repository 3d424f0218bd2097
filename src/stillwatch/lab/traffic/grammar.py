"""Texts from small grammars: TOML rules in, sentences out.

A rule is a list of alternatives; `{name}` expands another rule of the same section, `{#2-40}` a whole number.
Answers are filled from the same grammars: they look like text, and come from no model.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

_SLOT = re.compile(r"\{(#\d+-\d+|[a-z_]+[0-9]?)\}")
_SPACE_FREE = frozenset({"zh", "ja"})
LANGUAGES = ("en", "zh", "es", "de", "ja", "pt", "fr", "ru", "ar", "hi", "ko")
LANGUAGE_SHARES = (38, 10, 8, 8, 7, 6, 5, 5, 5, 5, 3)  # per cent of people; invented, only wide

# A literal, a number (low, count), or the alternatives of another rule.
_Rule = list[Any]


class Grammar:
    """Rules of one section, compiled."""

    __slots__ = ("_rules", "name")

    def __init__(self, name: str, rules: Mapping[str, Sequence[str]]) -> None:
        """Compile `rules`.

        Raises:
            ValueError: an alternative names a rule that does not exist.
        """
        self.name = name
        self._rules: dict[str, _Rule] = {rule: [] for rule in rules}
        for rule, alternatives in rules.items():
            self._rules[rule].extend(self._compile(text) for text in alternatives)

    def _compile(self, text: str) -> Any:
        parts = _SLOT.split(text)
        if len(parts) == 1:
            return text
        out: list[Any] = []
        for i, part in enumerate(parts):
            if i % 2 == 0:
                if part:
                    out.append(part)
            elif part[0] == "#":
                low, high = map(int, part[1:].split("-"))
                out.append((low, high - low + 1))
            elif part in self._rules:
                out.append(self._rules[part])
            else:
                near = difflib.get_close_matches(part, self._rules, 1) or ["none"]
                raise ValueError(f"prompt section `{self.name}` has no rule `{part}`; the nearest is `{near[0]}`")
        return tuple(out)

    def __contains__(self, rule: str) -> bool:
        return rule in self._rules

    def say(self, rng: Random, rule: str) -> str:
        """One random expansion of `rule`."""
        return _expand(rng.random, self._rules[rule])

    def all(self, rule: str) -> list[str]:
        """Alternatives of `rule` that have no slots, in file order."""
        return [text for text in self._rules[rule] if isinstance(text, str)]

    def pick(self, rng: Random, rule: str, index: int) -> str:
        """Expansion of one chosen alternative of `rule`."""
        return _expand(rng.random, [self._rules[rule][index % len(self._rules[rule])]])

    def combinations(self, rule: str) -> int:
        """How many expansions `rule` has (equal texts from different paths count twice)."""
        total = 0
        for parts in self._rules[rule]:
            ways = 1
            for part in (parts,) if isinstance(parts, str) else parts:
                if isinstance(part, tuple):
                    ways *= part[1]
                elif isinstance(part, list):
                    name = next(k for k, v in self._rules.items() if v is part)
                    ways *= self.combinations(name)
            total += ways
        return total


def _expand(random: Callable[[], float], alternatives: _Rule) -> str:
    parts = alternatives[int(random() * len(alternatives))]
    if type(parts) is str:
        return parts
    out = []
    for part in parts:
        kind = type(part)
        if kind is str:
            out.append(part)
        elif kind is tuple:
            out.append(str(part[0] + int(random() * part[1])))
        else:
            out.append(_expand(random, part))
    return "".join(out)


@cache
def grammars() -> Mapping[str, Grammar]:
    """Every section of every file in `prompts/`, by name (`en`, `zh`, `code`, `problem`, `hydra`, ...)."""
    found: dict[str, Grammar] = {}
    folder = files(__package__) / "prompts"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for section, rules in tomllib.loads(file.read_text("utf-8")).items():
                if section in found:
                    raise ValueError(f"prompts/{file.name} has a second section `{section}`")
                found[section] = Grammar(section, rules)
    return found


class Texts:
    """Prompts, documents and answers, drawn with one random stream."""

    def __init__(self, rng: Random, pool: int = 500) -> None:
        """`pool` sentences are prepared per kind of answer; a longer text repeats none of them nearby."""
        self.rng = rng
        self._pool_seed = rng.random()
        self.grammars = grammars()
        self._pool = pool
        self._sentences: dict[tuple[str, str], list[str]] = {}

    def say(self, section: str, rule: str) -> str:
        """One expansion."""
        return self.grammars[section].say(self.rng, rule)

    def sentences(self, section: str, rule: str, chars: float) -> str:
        """Running text of about `chars` characters from one rule."""
        pool = self._sentences.get((section, rule))
        if pool is None:
            grammar = self.grammars[section]
            # from a stream of its own: the pool must not depend on who asks for it first
            own = Random(f"{section}/{rule}/{self._pool_seed}")
            pool = [grammar.say(own, rule) for _ in range(self._pool)]
            if rule != "line":
                pool = [text[:1].upper() + text[1:] for text in pool]
            self._sentences[section, rule] = pool
        random = self.rng.random
        glue, out, size, n = "" if section in _SPACE_FREE else " ", [], 0, len(pool)
        while size < chars:
            sentence = pool[int(random() * n)]
            size += len(sentence) + 1
            out.append(sentence)
            out.append("\n\n" if random() < 0.12 else glue)
        return "".join(out[:-1])

    def answer(self, section: str, mean_chars: float = 520.0) -> str:
        """An answer of log-normal length; `section` is a language or `code`."""
        return self.sentences(section, "say", self.rng.lognormvariate(0.0, 0.7) * mean_chars * 0.8)

    def reasoning(self, mean_chars: float = 900.0) -> str:
        """A worked solution, numbered."""
        steps = self.sentences("problem", "step", self.rng.lognormvariate(0.0, 0.5) * mean_chars * 0.9)
        return steps.replace("\n\n", "\nNext: ")

    def final(self) -> str:
        """The last line of a solution."""
        return self.say("problem", "final")

    def ask(self, language: str) -> str:
        """The first question of a conversation; now and then typed carelessly."""
        text = self.say(language, "ask").strip()
        if self.rng.random() < 0.2:
            text = text.lower().rstrip(".?")
        return text[:1].upper() + text[1:] if self.rng.random() < 0.7 else text

    def file(self, lines: int) -> str:
        """Source code of `lines` lines."""
        return (
            self.sentences("code", "line", lines * 34.0)
            .replace("\n\n", "\n\n\n")
            .replace(" def", "\ndef")
            .replace(":  ", ":\n  ")
        )

    def document(self, chars: float) -> str:
        """Prose for retrieval, extraction and translation."""
        return self.sentences("doc", "sentence", chars)

    def language(self) -> str:
        """A language by the shares of `LANGUAGE_SHARES`."""
        return self.rng.choices(LANGUAGES, LANGUAGE_SHARES)[0]
