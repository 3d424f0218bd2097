"""The parts of traffic: what is asked (families), how it is hidden (obfuscations), who is honest (workloads).

A part is one file in `families/`, `obfuscations/` or `workloads/` that ends in `PARTS = (Family(...),)` (or
`Obfuscation`, `Workload`). Nothing else has to be touched: the registries below find it. A family says only *what* is
asked and what comes back, as `Item`s; `campaign.py` decides who sends it, when, from where, and how it is hidden.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any

from stillwatch.lab.traffic.grammar import Texts
from stillwatch.lab.traffic.questions import Questions
from stillwatch.lab.traffic.rows import Json

if TYPE_CHECKING:
    from stillwatch.lab.traffic.world import Account, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, before anybody sends it, and what will come back."""

    messages: list[Json]  # OpenAI form, the whole history
    answer: str | list[str] | None  # one text for each choice; None for an embedding or a tool call
    reasoning: str | None = None  # returned beside the answer
    params: Json | None = None  # temperature, max_tokens, n, response_format, logprobs, tools ...; None: the account's
    model: str | None = None  # None: the account's
    tool_call: tuple[str, str] | None = None
    thinking_blocks: list[Json] | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece of work: requests that one account sends in this order.

    `frame` is the constant part of the prompt (the wrapper), where there is one: obfuscations move or rewrite it.
    """

    asks: tuple[Ask, ...]
    pause_s: float = 2.0  # between two of them
    harvest: bool = True
    reasoning: bool = False  # do the answers carry a reasoning trace?
    frame: str | None = None
    reword: Callable[[str], str] | None = None  # the frame in other words, in a language (`en`, `zh`, ...)


@dataclass(slots=True, kw_only=True)
class Context:
    """What a family may draw on. One for each campaign: `rng` is the campaign's own."""

    rng: Random
    texts: Texts
    side: str  # tune | test
    questions: Questions
    language: str = "en"

    def say(self, section: str, rule: str) -> str:
        """A text of this side's grammar: section `f1` is found as `tune_f1` or `test_f1`."""
        return self.texts.say(f"{self.side}_{section}", rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What a harvester asks for. `make` never ends; it is asked for as many items as the campaign has slots."""

    id: str  # F1 ... F20 of DESIGN section 8; a variant adds a letter
    title: str
    about: str
    source: str
    make: Callable[[Context], Iterator[Item]]
    sides: tuple[str, ...] = ("test",)  # on which side it is used
    observable: bool = True  # False: it leaves no traffic
    expected_miss: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Obfuscation:
    """A way to hide work: an item in, an item out; or all items in, in another order."""

    id: str
    about: str
    change: Callable[[Context, Item], Item]
    order: Callable[[Context, Iterator[Item]], Iterator[Item]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Honest traffic. `play` makes accounts, sends their requests, and yields the times at which it wants to go on."""

    id: str
    about: str
    play: Callable[[World, float, float], Iterator[float]]  # world, start, end (seconds since 1970)
    accounts: Callable[[World], Sequence[Account]] | None = None
    about_families: tuple[str, ...] = field(default_factory=tuple)  # which families it resembles


@cache
def _parts(folder: str) -> dict[str, Any]:
    package = import_module(f"stillwatch.lab.traffic.{folder}")
    found: dict[str, Any] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        for part in getattr(import_module(f"{package.__name__}.{module}"), "PARTS", ()):
            if part.id in found:
                raise ValueError(f"`{folder}` has two parts called `{part.id}`; the second is in {module}.py")
            found[part.id] = part
    return found


def families() -> dict[str, Family]:
    """Every family, by id."""
    return _parts("families")


def obfuscations() -> dict[str, Obfuscation]:
    """Every obfuscation, by id."""
    return _parts("obfuscations")


def workloads() -> dict[str, Workload]:
    """Every honest workload, by id."""
    return _parts("workloads")
