r"""What a text must hold for a phrase to match it: words, pairs of neighbouring words, and their order.

`needs(regex)` reads a compiled phrase, not its notation, so that the two can never disagree. Whatever it cannot
express it leaves out: the needs are necessary, never sufficient, and the engine judges what passes.

A *word* is a longest run of `a-z` and `0-9`; every other byte separates. A *sentence* ends at `.`, `?`, `!` and NUL,
which no phrase of a Latin-script language crosses (`needs` refuses one that does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from re import _constants as C  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")
ENDS = frozenset(b".?!\x00")  # of a sentence
_DIGITS = frozenset(b"0123456789")
# Strings below are written with word bytes and marks: SEP, one or more other bytes; ANY, any bytes of a sentence;
# DIGIT, one or more digits.
_SEP, _ANY, _DIGIT = "\u00b7", "*", "\u2460"
NUMBER = "0"  # every number is the same word
_GAP = frozenset({"", _ANY + _SEP})  # after a separator: some words, or none
_MOST_STRINGS = 3000  # in one factor; more are cut in two, which only weakens the need
_MOST_CHOICES = 96  # of a phrase; more are replaced by ANY
CONTEXT = 32  # bytes that are given to the engine on either side of a sentence
_SINGLE = (C.LITERAL, C.NOT_LITERAL, C.IN, C.ANY)

Factor = frozenset[str]
Choice = tuple[Factor, ...]  # factors in order; gaps of unknown words lie between them


class Anchor(NamedTuple):
    """One or two neighbouring words; an open one is the beginning of a word."""

    words: tuple[str, ...]
    open: bool = False


class Need(NamedTuple):
    """Anchors of which one must occur, for each step, the steps one after the other."""

    steps: tuple[frozenset[Anchor], ...]  # 1 or 2


Price = Callable[[str], float]  # of a word: how common it is


def needs(regex: str, price: Price) -> list[Need]:
    """Return the alternatives of which one must hold in a sentence that `regex` matches.

    Args:
        regex: over bytes, as `compile_phrase` gives it for a Latin-script language.
        price: about how common a word is; dear words are not chosen as anchors where cheap ones do.
    Raises:
        ValueError: the phrase can cross the end of a sentence, begins or ends with too much punctuation, or holds no
            word.
    """
    tree = parser.parse(regex)
    _check(list(tree), regex)
    out = []
    for choice in _sequence(list(tree)):
        if len(choice) == 1:
            out += _in_one(choice[0], price)
            continue
        steps = [anchors for factor in choice if (anchors := _anchors(factor, price)) is not None]
        out.append(tuple(_best(steps, price)))
    if not all(out):
        raise ValueError(f"`{regex}` can match without any whole word; name one, or the beginning of one")
    return [Need(steps) for steps in out]


def _check(items: list[Any], regex: str) -> None:
    """The end of a sentence may stand only before the first and after the last word, and not far from it."""
    if 3 in _states({0}, items):
        raise ValueError(f"`{regex}` can match across the end of a sentence")
    if max(_edge(items, forward)[0] for forward in (True, False)) > CONTEXT:
        raise ValueError(f"`{regex}` can match more than {CONTEXT} bytes before its first or after its last word")


def _states(states: set[int], items: list[Any]) -> set[int]:
    """What a match has held after `items`: 0 no word yet, 1 words, 2 an end after words, 3 a word after that."""
    for op, arg in items:
        if op in _SINGLE:
            held = _class(op, arg)
            after: set[int] = set()
            for state in states:
                if held & _WORD:
                    after.add((1, 1, 3, 3)[state])
                if held & ENDS:
                    after.add((0, 2, 2, 3)[state])
                if held - _WORD - ENDS:
                    after.add(state)
            states = after
        elif op is C.BRANCH:
            states = set().union(*(_states(states, list(branch)) for branch in arg[1]))
        elif op is C.SUBPATTERN:
            states = _states(states, list(arg[3]))
        elif op is C.MAX_REPEAT:
            reached = _states(states, list(arg[2]))
            for _ in range(3):  # there are four states: no more rounds can add one
                reached |= _states(reached, list(arg[2]))
            states = reached | (states if arg[0] == 0 else set())
        else:
            raise ValueError(f"`{op}` is outside the notation of phrases")
    return states


def _edge(items: list[Any], forward: bool) -> tuple[int, bool]:
    """Most bytes that a match can hold before its first word (or after its last), and whether it can do without one."""
    width = 0
    for op, arg in items if forward else reversed(items):
        if op in _SINGLE:
            held = _class(op, arg)
            most, wordless = (1, True) if held - _WORD else (0, False)
        elif op is C.BRANCH:
            found = [_edge(list(branch), forward) for branch in arg[1]]
            most, wordless = max(w for w, _ in found), any(p for _, p in found)
        elif op is C.SUBPATTERN:
            most, wordless = _edge(list(arg[3]), forward)
        else:
            most, wordless = _edge(list(arg[2]), forward)
            most, wordless = most * int(arg[1]), wordless or arg[0] == 0
        width += most
        if not wordless:
            return width, False
    return width, True


def _class(op: Any, arg: Any) -> frozenset[int]:
    if op is C.LITERAL:
        return frozenset({arg})
    if op is C.ANY:
        return frozenset(range(256))
    if op is C.NOT_LITERAL:
        return frozenset(range(256)) - {arg}
    held: set[int] = set()
    negate = False
    for kind, value in arg:
        if kind is C.NEGATE:
            negate = True
        elif kind is C.LITERAL:
            held.add(value)
        elif kind is C.RANGE:
            held.update(range(value[0], value[1] + 1))
        else:
            raise ValueError(f"`{kind}` is outside the notation of phrases")
    return frozenset(range(256)) - held if negate else frozenset(held)


def _sequence(items: Iterable[Any]) -> list[Choice]:
    choices: list[Choice] = [(frozenset({""}),)]
    for item in items:
        after = _node(item)
        if len(choices) * len(after) > _MOST_CHOICES:
            after = [(frozenset({_ANY}),)]
        choices = [_joined(left, right) for left, right in product(choices, after)]
    return choices


def _joined(left: Choice, right: Choice) -> Choice:
    last, first = left[-1], right[0]
    if first == _GAP and all(s.endswith(_SEP) for s in last):
        return (*left, frozenset({_SEP}), *right[1:])
    if len(last) * len(first) <= _MOST_STRINGS:
        return (*left[:-1], frozenset(_tidied(a + b) for a, b in product(last, first)), *right[1:])
    if all(s.endswith(_SEP) for s in last):
        return (*left, frozenset(_tidied(_SEP + s) for s in first), *right[1:])
    return (
        *left[:-1],
        frozenset(_tidied(s + _ANY) for s in last),
        frozenset(_tidied(_ANY + s) for s in first),
        *right[1:],
    )


def _tidied(text: str) -> str:
    while _SEP * 2 in text:
        text = text.replace(_SEP * 2, _SEP)
    while _ANY * 2 in text:
        text = text.replace(_ANY * 2, _ANY)
    return text


def _node(item: Any) -> list[Choice]:
    op, arg = item
    if op in _SINGLE:
        held = _class(op, arg)
        if not held & _WORD:
            return [(frozenset({_SEP}),)]
        if held == _DIGITS:
            return [(frozenset({_DIGIT}),)]
        if held <= _WORD and len(held) <= 4:
            return [(frozenset(map(chr, held)),)]
        return [(frozenset({_ANY}),)]
    if op is C.SUBPATTERN:
        return _sequence(arg[3])
    if op is C.BRANCH:
        choices = [choice for branch in arg[1] for choice in _sequence(branch)]
        return _united(choices)
    low, high, body = arg
    inner = _sequence(body)
    if low == 0:
        empty: Choice = (frozenset({""}),)
        if high == 1:
            return _united([empty, *inner])
    if all(len(choice) == 1 for choice in inner):
        strings = frozenset(s for (factor,) in inner for s in factor)
        if strings == {_SEP}:
            return [(frozenset({_SEP} if low else {"", _SEP}),)]
        if strings == {_DIGIT} and low:
            return [(strings,)]
        # `(a |b )*`: what follows begins a word, whatever was repeated
        ended = all(s.endswith(_SEP) for s in strings)
        more = _ANY + _SEP
        return [(frozenset(({more} if low else {"", more}) if ended else {_ANY}),)]
    return [(frozenset({_ANY}),)]


def _united(choices: list[Choice]) -> list[Choice]:
    single = frozenset(s for choice in choices if len(choice) == 1 for s in choice[0])
    several = [choice for choice in choices if len(choice) > 1]
    out: list[Choice] = []
    if single:
        out.append((single,))
    return [*out, *several]


def _in_one(factor: Factor, price: Price) -> list[tuple[frozenset[Anchor], ...]]:
    """Steps of a phrase without gaps: two where its strings are long enough for two, as one anchor says too little."""
    single: set[Anchor] = set()
    double: dict[frozenset[Anchor], set[Anchor]] = {}
    for text in factor:
        ordered = list(_all_anchors(text))
        if not ordered:
            return [()]
        best = min(ordered, key=lambda found: (_price(found[2], price), found))
        two = [(a, b) for a in ordered for b in ordered if a[1] <= b[0] and len(a[2].words) + len(b[2].words) > 2]
        if two:
            a, b = min(two, key=lambda pair: (_price(pair[0][2], price) * _price(pair[1][2], price), pair))
            double.setdefault(frozenset({a[2]}), set()).add(b[2])
        else:
            single.add(best[2])
    out: list[tuple[frozenset[Anchor], ...]] = [(frozenset(single),)] if single else []
    # firsts with the same seconds share a need; few needs matter more than the last false candidate
    by_last: dict[frozenset[Anchor], set[Anchor]] = {}
    for first, last in double.items():
        by_last.setdefault(frozenset(last), set()).update(first)
    if len(by_last) > 3:
        by_last = {frozenset(set().union(*by_last)): set().union(*by_last.values())}
    return [*out, *((frozenset(first), last) for last, first in by_last.items())]


def _anchors(factor: Factor, price: Price) -> frozenset[Anchor] | None:
    """The cheapest anchor of each string; None if some string has none."""
    out = set()
    for text in factor:
        found = [anchor for _, _, anchor in _all_anchors(text)]
        if not found:
            return None
        out.add(min(found, key=lambda anchor: (_price(anchor, price), anchor)))
    return frozenset(out)


def _all_anchors(text: str) -> Iterable[tuple[int, int, Anchor]]:
    """Each anchor of a string, with the numbers of its first word and of the word after it."""
    at = 0
    for piece in text.split(_ANY):
        parts = piece.split(_SEP)
        # the first and the last part touch whatever stands outside, unless a separator does
        whole = [_word(part) for part in parts[1:-1]]
        for k, word in enumerate(whole):
            if word:
                yield at + k, at + k + 1, Anchor((word,))
                if k + 1 < len(whole) and whole[k + 1]:
                    yield at + k, at + k + 2, Anchor((word, whole[k + 1]))
        last = parts[-1].split(_DIGIT)[0]
        if len(parts) > 1 and len(last) >= 2 and not last.isdigit():
            yield at + len(whole), at + len(whole) + 1, Anchor((last,), open=True)
        at += len(parts)


def _word(part: str) -> str:
    """A word as the walk sees it; empty where it is not known in full."""
    if all(char == _DIGIT or char.isdigit() for char in part):
        return NUMBER if part else ""
    return "" if _DIGIT in part else part


def _price(anchor: Anchor, price: Price) -> float:
    if len(anchor.words) == 2:
        return 0.01 + 0.002 * price(anchor.words[0]) * price(anchor.words[1])
    return price(anchor.words[0]) * (2 if anchor.open else 1)


def _best(steps: list[frozenset[Anchor]], price: Price) -> list[frozenset[Anchor]]:
    """The two steps that ordinary text meets least; a third would cost more than it saves."""
    cost = [sum(_price(anchor, price) for anchor in step) for step in steps]
    kept = sorted(sorted(range(len(steps)), key=cost.__getitem__)[:2])
    return [steps[i] for i in kept]
