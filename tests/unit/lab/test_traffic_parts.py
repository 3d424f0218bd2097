"""The parts of generated traffic: families, obfuscations, honest workloads, and the two sides of their grammars."""

from __future__ import annotations

import itertools
import re
import tomllib
from importlib.resources import files
from random import Random

import orjson
import pytest

from stillwatch.lab.traffic import split, work
from stillwatch.lab.traffic.clockwork import run, seeded
from stillwatch.lab.traffic.grammar import Texts
from stillwatch.lab.traffic.questions import Questions
from stillwatch.lab.traffic.work import Context, Item
from stillwatch.lab.traffic.world import World

_PAIRS = [(side, name) for side in split.SIDES for name in split.families(side)]
_WORDS = 4  # so many words in a row count as a literal


def _context(side: str, seed: int, language: str = "en") -> Context:
    rng = Random(seed)
    texts = Texts(rng, pool=40)
    return Context(rng=rng, texts=texts, side=side, questions=Questions(texts, side), language=language)


def _items(side: str, family: str, seed: int, count: int = 12, language: str = "en") -> list[Item]:
    return list(itertools.islice(work.families()[family].make(_context(side, seed, language)), count))


def _texts(item: Item) -> str:
    return orjson.dumps([[ask.messages, ask.answer, ask.params, ask.tool_call] for ask in item.asks]).decode()


def test_all_families_of_the_design_exist() -> None:
    assert set(work.families()) == {f"F{i}" for i in range(1, 21)}
    for side in split.SIDES:
        for name in split.families(side):
            assert side in work.families()[name].sides, name


@pytest.mark.parametrize(("side", "family"), _PAIRS)
def test_a_family_makes_items_that_vary_and_repeat_by_seed(side: str, family: str) -> None:
    if not work.families()[family].observable:
        assert _items(side, family, 1) == []
        return
    for seed, language in enumerate(("en", "zh", "ja", "ko")):
        made = _items(side, family, seed, language=language)
        assert len(made) == 12
        assert [_texts(i) for i in made] == [_texts(i) for i in _items(side, family, seed, language=language)]
        assert len({_texts(i) for i in made}) >= 10
        for item in made:
            assert item.asks
            for ask in item.asks:
                assert ask.messages[-1]["role"] in ("user", "tool")
                assert re.search(r"\[\[[a-z]", _texts(item)) is None
                assert ask.answer is not None or ask.tool_call or (ask.model or "").startswith("text-embedding")
            if item.frame:
                assert orjson.dumps(item.frame).decode()[1:-1] in _texts(item)


@pytest.mark.parametrize(("side", "family"), [p for p in _PAIRS if p[1] in ("F1", "F3", "F7", "F9", "F17")])
def test_campaigns_do_not_share_their_wrapper(side: str, family: str) -> None:
    frames = [next((i.frame for i in _items(side, family, seed) if i.frame), None) for seed in range(30)]
    kept = [f for f in frames if f]
    assert len(kept) >= 15
    assert len(set(kept)) >= 0.8 * len(kept)


def _fragments(side: str) -> set[str]:
    """Runs of words of one side's grammars, slots left out."""
    found: set[str] = set()
    for file in (files("stillwatch.lab.traffic") / "prompts").iterdir():
        if not file.name.startswith(f"{side}_"):
            continue
        for rules in tomllib.loads(file.read_text("utf-8")).values():
            for text in itertools.chain.from_iterable(rules.values()):
                for piece in re.split(r"\{[^}]*\}|\[\[[^\]]*\]\]|[.,;:!?\n]", text):
                    words = piece.lower().split()
                    found.update(" ".join(words[i : i + _WORDS]) for i in range(len(words) - _WORDS + 1))
    return found


def test_the_two_sides_share_no_literal_of_four_words() -> None:
    shared = _fragments("tune") & _fragments("test")
    assert len(_fragments("tune")) > 500 and len(_fragments("test")) > 500
    assert shared == set()


@pytest.mark.parametrize("name", sorted(work.obfuscations()))
def test_an_obfuscation_hides_and_breaks_nothing(name: str) -> None:
    hide = work.obfuscations()[name]
    change, changed = hide.change, 0
    if hide.order is not None:
        plain = [_texts(i) for i in itertools.islice(work.families()["F15"].make(_context("test", 5)), 20)]
        ctx = _context("test", 5)
        mixed = [_texts(i) for i in itertools.islice(hide.order(ctx, work.families()["F15"].make(ctx)), 20)]
        assert mixed != plain
        changed = 1
    for family in ("F1", "F6", "F10", "F13", "F17", "F18"):
        ctx = _context("test", 5, "fr")
        for item in itertools.islice(work.families()[family].make(ctx), 6):
            hidden = change(ctx, item)
            changed += _texts(hidden) != _texts(item)
            assert hidden.harvest and hidden.reasoning == item.reasoning
            assert len(hidden.asks) >= len(item.asks)
            for ask in hidden.asks:
                assert ask.messages[-1]["role"] in ("user", "tool")
                orjson.dumps(ask.messages)
    assert changed


@pytest.mark.parametrize("side", split.SIDES)
@pytest.mark.parametrize("name", sorted(work.workloads()))
def test_a_workload_plays_in_order_and_repeats_by_seed(name: str, side: str) -> None:
    def play() -> tuple[list[tuple[float, str]], World]:
        world = World(seeded(4, "world"), days=7)
        world.side, world.questions = side, Questions(world.texts, side)
        rng = seeded(4, name)
        world.rng = world.texts.rng = rng
        actor = work.workloads()[name].play(world, world.start, world.end)
        return [(line.end, line.exchange_id) for line in run(world, [(rng, actor)])], world

    lines, world = play()
    assert lines
    assert [end for end, _ in lines] == sorted(end for end, _ in lines)
    assert lines == play()[0]
    assert {account.role for account in world.accounts.values()} == {"honest"}


def test_every_family_has_an_honest_look_alike() -> None:
    resembled = set(itertools.chain.from_iterable(w.about_families for w in work.workloads().values()))
    assert {f"F{i}" for i in range(1, 20)} <= resembled
