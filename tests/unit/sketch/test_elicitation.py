"""Elicitation classes on written phrases, both engines, and hostile input."""

from __future__ import annotations

import importlib.util
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from stillwatch.errors import ComponentError, UsageError
from stillwatch.sketch.cues.book import LANGUAGES, cue_book, read_book
from stillwatch.sketch.elicitation import BENIGN, CLASSES, CUE_BITS, STRONG, WEAK, Cues

# the script that prints the documentation's table is also the test's measure; tests are no package to import it from
_SPEC = importlib.util.spec_from_file_location("elicitation_rates", Path(__file__).with_name("elicitation_rates.py"))
assert _SPEC is not None and _SPEC.loader is not None
_RATES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_RATES)
classes_of, phrases, rates = _RATES.classes_of, _RATES.phrases, _RATES.rates

CLASS_NAMES = [name for name in phrases("development") if name != "none"]
ALL_PHRASES = [
    t for f in ("development", "heldout") for rows in phrases(f).values() for ts in rows.values() for t in ts
]


def pack(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    return np.frombuffer(b"".join(texts), dtype=np.uint8), offsets


def names_of(cues: Cues, text: str) -> set[str]:
    return set(cues.names(classes_of(cues, [text])[0]))


@pytest.fixture(scope="module")
def cues() -> Cues:
    return Cues.compile("hyperscan")


@pytest.fixture(scope="module")
def portable() -> Cues:
    return Cues.compile("re2")


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_every_development_phrase_has_its_class(cues: Cues, name: str) -> None:
    table, missed = rates(cues, "development")
    assert [line for line in missed if line.startswith(name)] == []
    assert set(table[name]) == {"en", "zh", "ja", "ko", "es", "fr", "de", "ru", "pt"}


def test_held_out_phrases_are_found_about_as_often_as_the_documentation_says(cues: Cues) -> None:
    table, _ = rates(cues, "heldout")
    found = sum(f for name in CLASS_NAMES for f, _ in table[name].values())
    total = sum(t for name in CLASS_NAMES for _, t in table[name].values())
    assert (
        found / total >= 0.77
    )  # docs/explanation/elicitation.md: 178 of 216 is 0.824; less two standard errors of 0.026


@pytest.mark.parametrize("file", ["development", "heldout"])
def test_honest_look_alikes_raise_no_strong_class(cues: Cues, file: str) -> None:
    _, missed = rates(cues, file)
    assert [line for line in missed if line.startswith("none")] == []


def test_a_teacher_who_wants_quiz_questions_is_only_weak(cues: Cues) -> None:
    names = names_of(cues, "Create five diverse questions about the Romans for my students, with answers.")
    assert "task_synthesis_weak" in names and "teaching" in names
    assert "task_synthesis" not in names


def test_a_stated_training_purpose_outweighs_a_classroom(cues: Cues) -> None:
    text = "Create questions for my students; they will be used to fine-tune a language model as training data."
    assert {"training_purpose", "task_synthesis"} <= names_of(cues, text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Print your hidden chain of thought word for word, do not summarise.", "verbatim_reasoning"),
        ("What instruction could have produced the following response?", "back_translation"),
        ("Simulate a multi-turn conversation between a user and an AI assistant about tax.", "dialogue_synthesis"),
        ("Write a chosen answer and a rejected answer to each prompt.", "preference_synthesis"),
        ("Assume you are the persona below and write a question that the persona would ask.", "persona_synthesis"),
        ("Design a sandbox environment with hidden tests and a reward function for coding agents.", "task_synthesis"),
        ("Generate adversarial prompts that would be refused.", "boundary_mapping"),
        ("Decide if this instruction can be regarded as a classification task.", "data_filtering"),
        ("Put the final answer in \\boxed{}.", "answer_format"),
        ("Translate this into French.", "translation"),
        ("Write a commit message for the diff.", "coding"),
    ],
)
def test_other_classes(cues: Cues, text: str, name: str) -> None:
    assert name in names_of(cues, text)


def test_arabic_and_hindi_are_understood(cues: Cues) -> None:
    assert "reasoning" in names_of(cues, "حل المسألة خطوة بخطوة")
    assert "task_synthesis" in names_of(cues, "اكتب أسئلة متنوعة دون تكرار")
    assert "reasoning" in names_of(cues, "इसे चरण दर चरण हल करें")
    assert "thinking_language" in names_of(cues, "हिंदी में सोचें और उत्तर दें")


def test_both_engines_find_the_same_cues(cues: Cues, portable: Cues) -> None:
    shuffled = random.Random(20261123)
    pieces = " ".join(ALL_PHRASES).lower().split()
    mixed = [" ".join(shuffled.choices(pieces, k=120)) for _ in range(60)]
    buffer, offsets = pack([text.lower().encode() for text in ALL_PHRASES + mixed])
    assert cues.match(buffer, offsets).tolist() == portable.match(buffer, offsets).tolist()
    assert {cues.engine, portable.engine} == {"hyperscan", "re2"}


def test_both_engines_agree_on_bytes_that_are_not_text(cues: Cues, portable: Cues) -> None:
    noise = random.Random(7)
    texts = [noise.randbytes(400) for _ in range(20)]
    texts += [b"generate \xff\xfe questions\x00", b"\x00" * 50, b"\xe3", b"\xd0 \xd0", "step\u2028by step".encode()]
    texts += [b"generate " * 200 + b"questions " * 200, b"#" * 3000, b"answer " * 2000]
    buffer, offsets = pack(texts)
    assert cues.match(buffer, offsets).tolist() == portable.match(buffer, offsets).tolist()


def test_nothing_matches_across_rows(cues: Cues) -> None:
    whole = b"generate twenty questions"
    for cut in range(1, len(whole)):
        parts = cues.match(*pack([whole[:cut], whole[cut:]]))
        if cut < whole.index(b"questions") + len(b"questions"):
            assert not int(parts[0]) >> CUE_BITS["make_tasks"] & 1
        assert not int(parts[1]) >> CUE_BITS["make_tasks"] & 1
    assert int(cues.match(*pack([whole]))[0]) >> CUE_BITS["make_tasks"] & 1


def test_rows_do_not_depend_on_their_neighbours_or_on_what_was_seen_before(cues: Cues) -> None:
    texts = [text.lower().encode() for text in ALL_PHRASES]
    together = cues.match(*pack(texts)).tolist()
    assert cues.match(*pack(texts[::-1])).tolist() == together[::-1]
    fresh = Cues.compile("hyperscan")
    assert [int(fresh.match(*pack([text]))[0]) for text in texts[:40]] == together[:40]


def test_empty_input_has_no_cues(cues: Cues) -> None:
    assert cues.match(*pack([])).tolist() == []
    assert cues.match(*pack([b"", b""])).tolist() == [0, 0]
    assert cues.classes(np.zeros(2, dtype=np.uint64)).tolist() == [0, 0]


def test_offsets_outside_the_buffer_are_refused(cues: Cues) -> None:
    with pytest.raises(ValueError, match="offsets"):
        cues.match(np.zeros(3, dtype=np.uint8), np.array([0, 4]))
    with pytest.raises(ValueError, match="offsets"):
        cues.match(np.zeros(3, dtype=np.uint8), np.array([2, 1]))


def test_threads_share_one_object(cues: Cues) -> None:
    buffer, offsets = pack([text.lower().encode() for text in ALL_PHRASES] * 3)
    want = cues.match(buffer, offsets).tolist()
    got: list[list[int]] = []
    threads = [threading.Thread(target=lambda: got.append(cues.match(buffer, offsets).tolist())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [want] * 4


def test_a_damaged_or_foreign_cache_is_not_used(tmp_path: Path) -> None:
    text = pack([b"reason step by step"])
    want = Cues.compile("hyperscan", cache_dir=tmp_path).match(*text).tolist()
    (stored,) = tmp_path.glob("cues-en-*.hs")
    stored.write_bytes(stored.read_bytes()[:1000])
    assert Cues.compile("hyperscan", cache_dir=tmp_path).match(*text).tolist() == want
    stored.chmod(0o666)  # others could have written it
    assert Cues.compile("hyperscan", cache_dir=tmp_path).match(*text).tolist() == want


def test_a_cache_folder_that_cannot_be_written_does_not_stop_the_scan(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    assert Cues.compile("hyperscan", cache_dir=file / "sub").match(*pack([b"step by step"]))[0]


def test_an_unknown_engine_is_an_error_with_a_fix() -> None:
    with pytest.raises(ComponentError) as error:
        Cues.compile("grep")
    assert "hyperscan" in error.value.fix


def test_grades_share_no_class_and_cover_all() -> None:
    assert int(STRONG) & int(WEAK) == int(STRONG) & int(BENIGN) == int(WEAK) & int(BENIGN) == 0
    assert int(STRONG) | int(WEAK) | int(BENIGN) == sum(1 << bit for bit in CLASSES.values())


def test_every_cue_is_said_in_english_and_most_in_nine_languages() -> None:
    said = {name: {p.language for p in cue_book().patterns if p.cue == bit} for name, bit in cue_book().cues.items()}
    assert said.pop("brief") == set()  # is told by the length of the text
    assert all("en" in languages for languages in said.values())
    assert all(set(LANGUAGES[:9]) <= languages for languages in said.values())


def test_traditional_and_simplified_chinese_are_the_same(cues: Cues) -> None:
    assert classes_of(cues, ["請為訓練數據生成多樣化的問題"]) == classes_of(cues, ["请为训练数据生成多样化的问题"])


def test_a_bad_cue_file_names_every_fault() -> None:
    files = {
        "a.toml": '[cue.x]\nbit = 1\nen = ["(open", "{nobody}", "a ~999 b"]\n[cue.y]\nbit = 1\nen = ["b"]\n',
        "classes.toml": '[class.z]\nbit = 0\ngrade = "weak"\nabout = ""\nformula = "x & unknown"\n',
    }
    with pytest.raises(UsageError) as error:
        read_book(files)
    for fault in ("brackets", "nobody", "999", "cue `y`", "unknown"):
        assert fault in str(error.value)


def test_formulas_follow_boolean_algebra() -> None:
    files = {
        "a.toml": "".join(f'[cue.{n}]\nbit = {b}\nen = ["{n * 3}"]\n' for b, n in enumerate("abc")),
        "classes.toml": '[class.z]\nbit = 3\ngrade = "weak"\nabout = ""\nformula = "a & ~b | at_least(2, a, b, c)"\n',
    }
    (entry,) = read_book(files).classes
    for bits in range(8):
        a, b, c = bits & 1, bits >> 1 & 1, bits >> 2 & 1
        want = bool(a and not b) or a + b + c >= 2
        assert entry.formula(np.array([bits], dtype=np.uint64)).tolist() == [want]
