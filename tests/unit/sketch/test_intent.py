"""The trained reading of prompts: what it says of phrases that it was not trained on, and that it is stable."""

from __future__ import annotations

import tomllib
from pathlib import Path
from random import Random

import numpy as np
import pytest

from stillwatch.lab.traffic.grammar import Texts
from stillwatch.sketch import intent, normalise, rows

HELDOUT = tomllib.loads((Path(__file__).parent / "elicitation_heldout.toml").read_text("utf-8"))
HARVEST = ("rationale", "task_synthesis", "instruct_evolution", "transcript_cleaning", "rewriting")


def scores(texts: list[str]) -> np.ndarray:
    """Scores in 255ths, through the sketch's own normalisation."""
    table, scripts = normalise.character_table(), np.zeros(12, np.int64)
    buffer = np.zeros(sum(4 * len(t.encode()) + 64 for t in texts) + 4096, np.uint8)
    bounds, o = np.zeros(len(texts) + 1, np.int64), 0
    for i, text in enumerate(texts):
        data = np.frombuffer(text.encode() + bytes(16), np.uint8)
        o, _ = rows._clip(data, 0, len(data) - 16, 4096, 1024, buffer, o, table, scripts)
        bounds[i + 1] = o
    model = intent.load()
    out = np.zeros(len(texts), np.uint8)
    intent.score(buffer, bounds, model.weights, np.array(model[1:]), out)
    return out


def phrases(kind: str) -> list[str]:
    return [text for texts in HELDOUT[kind].values() for text in texts]


def test_harvesting_phrases_of_others_read_more_like_orders_than_honest_ones() -> None:
    # Neither set was seen in training. A half would be chance: the share of pairs that are ordered rightly.
    bad = np.concatenate([scores(phrases(kind)) for kind in HARVEST]).astype(int)
    good = scores(phrases("none")).astype(int)
    area = (bad[:, None] > good).mean() + (bad[:, None] == good).mean() / 2
    assert area >= 0.8
    assert (good >= 153).mean() <= 0.1


def test_what_lies_before_or_behind_an_order_does_not_hide_it() -> None:
    order = (
        "Write eight new instructions for a language model, each of another kind, with the ideal answer to each. "
        "Return JSON lines with the keys instruction and output; they will be used as training data."
    )
    story = Texts(Random(1)).document(3500)
    alone, before, behind, none = scores([order, f"{story} {order}", f"{order} {story}", story])
    assert min(alone, before, behind) >= 153
    assert none < 153


@pytest.mark.parametrize("text", ["", " ", "\n\t", "?"])
def test_texts_without_words_say_nothing(text: str) -> None:
    assert scores([text])[0] < 153


def test_the_order_of_a_batch_does_not_matter() -> None:
    texts = phrases("none")[:20] + phrases("task_synthesis")[:20]
    assert scores(texts[::-1])[::-1].tolist() == scores(texts).tolist()


def test_a_text_of_many_thousand_words_is_read_up_to_a_bound() -> None:
    assert scores(["word " * 900 + "x" * 200])[0] <= 255
