"""Labels and forms: what is asked for and what came back, told without a phrase."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from stillwatch import tables
from stillwatch.sketch import forms, labels
from stillwatch.sketch.elicitation import WINDOW, Cues
from stillwatch.sketch.hashing import Secret
from stillwatch.sketch.sketch import Sketcher


@pytest.fixture(scope="module")
def sketcher() -> Sketcher:
    return Sketcher(Secret(bytes(16)), Cues.compile())


def names(bits: int, of: tuple[str, ...]) -> set[str]:
    return {name for i, name in enumerate(of) if bits >> i & 1}


def read(
    sketcher: Sketcher, prompt: str = "", response: str | None = None, **columns: str
) -> tuple[set[str], set[str]]:
    row = {
        "exchange_id": "x", "at": 0, "account_id": "a", "line": 1, "response": response,
        "messages": [{"role": "user", "content": prompt, "extra": None}], **columns,
    }  # fmt: skip
    made = sketcher(pa.RecordBatch.from_pylist([row], schema=tables.EXCHANGE))
    asked, given = (made.column(name)[0].as_py() or 0 for name in ("asked_form", "answer_form"))
    return names(asked, forms.ASKED), names(given, forms.GIVEN)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Question: why", {"question"}), ("**Final answer 2:** x", {"answer"}),
        ("### New Problem\n", {"question", "fresh"}),
        ('"test_cases": [', {"tests"}), ("<finalAnswer>", {"answer"}), ("[Rewritten Prompt] x", {"question", "fresh"}),
        ("3. Instruction: x", {"question"}), ("改写后的问题：", {"question", "fresh"}), ("Antwort: x", {"answer"}),
        ("ВОПРОС: x", {"question"}), ("Rephrase the above question: x", {"question"}),
        ('"instruction_or_question": {', set()), ("Note that this is not a label", set()), ("https://x", set()),
    ],
)  # fmt: skip
def test_a_label_names_its_part(text: str, parts: set[str]) -> None:
    data = np.frombuffer(text.encode() + bytes(16), np.uint8)
    _, _, found = labels.label_at(data, 0, len(data) - 16, *labels.vocabulary())
    assert names(found, labels.PARTS) == parts


BLOCKS = "".join(f"Zork: thing {i}\nBlat: result {i}\n\n" for i in range(3))


def test_examples_left_open_for_a_new_one_are_told_from_examples_to_complete(sketcher: Sketcher) -> None:
    assert "open_block" in read(sketcher, BLOCKS + "Zork:")[0]
    completed = read(sketcher, BLOCKS + "Zork: thing 9\nBlat:")[0]
    assert "open_part" in completed and "open_block" not in completed
    assert not read(sketcher, BLOCKS + "Which of them do you like?")[0]


def test_a_numbered_list_left_open_asks_for_the_next_item(sketcher: Sketcher) -> None:
    assert "open_list" in read(sketcher, "1. Sort a list.\n2. Name a river.\n3. Add two numbers.\n4.")[0]
    assert "open_list" not in read(sketcher, ">>> f(1)\n    1\n>>> f(2)\n    2\n>>> f(3)\n    3\n")[0]


def test_a_schema_says_what_is_asked_for(sketcher: Sketcher) -> None:
    pairs = json.dumps({"properties": {"qas": {}, "question": {"type": "string"}, "answer": {"type": "string"}}})
    assert {"question", "answer", "schema"} <= read(sketcher, response_format=pairs)[0]
    bill = json.dumps({"properties": {"amount": {"type": "number"}, "due_date": {"type": "string"}}})
    assert not read(sketcher, response_format=bill)[0]


def test_several_tools_are_things_to_do_and_no_form_to_fill_in(sketcher: Sketcher) -> None:
    one = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"question": {}, "answer": {}}}}}
    assert {"question", "answer"} <= read(sketcher, tools=json.dumps([one]))[0]
    assert not read(sketcher, tools=json.dumps([one, one]))[0]


def test_a_format_block_counts_and_data_of_the_same_shape_does_not(sketcher: Sketcher) -> None:
    assert {"question", "answer"} <= read(sketcher, 'Return {"question": "...", "answer": "..."}')[0]
    assert not read(sketcher, 'Here it is: {"question": "Who won in 1998?", "answer": "France did."}')[0]


def test_an_answer_shows_what_was_made(sketcher: Sketcher) -> None:
    pairs = "\n".join(f"Q{i}: What is {i}?\nA{i}: It is {i}." for i in range(3))
    assert {"pairs", "questions", "many"} <= read(sketcher, "x", pairs)[1]
    talk = "User: hi\nAssistant: hello\nUser: and?\nAssistant: more"
    assert "talk" in read(sketcher, "x", talk)[1]
    assert "is_question" in read(sketcher, "x", "How many apples does Ann have left after lunch?")[1]
    assert not read(sketcher, "x", "Boil the water. Then add salt and wait for ten minutes.")[1]


def test_cues_far_from_each_other_are_no_order_for_tasks() -> None:
    near = "Write questions about ports. They must be diverse and must not repeat."
    far = "Write questions about ports. " + "The sea is wide and blue today. " * (WINDOW // 16) + "It is diverse."
    texts = [t.lower().encode() for t in (near, far)]
    offsets = np.cumsum([0, *map(len, texts)])
    classes = Cues.compile()
    found = classes.read(np.frombuffer(b"".join(texts) + bytes(16), np.uint8), offsets)
    told = [set(classes.names(int(bits))) for bits in found]
    assert "task_synthesis" in told[0] and "task_synthesis" not in told[1]
    assert "task_synthesis_weak" in told[1]
