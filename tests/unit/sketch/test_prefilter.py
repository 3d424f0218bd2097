"""The prefilter of the cues may leave work to the engine, never take a match from it."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from pathlib import Path
from re import _constants as C  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
import zstandard

from stillwatch import tables
from stillwatch.sketch.cues.anchors import Anchor, needs
from stillwatch.sketch.cues.book import cue_book
from stillwatch.sketch.cues.phrases import LATIN, compile_phrase
from stillwatch.sketch.elicitation import Cues
from stillwatch.sketch.hashing import Secret
from stillwatch.sketch.normalise import normalised
from stillwatch.sketch.sketch import Sketcher

HERE = Path(__file__).parent
SEED = 20261123


@pytest.fixture(scope="module")
def cues() -> Cues:
    return Cues.compile()


def pack(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    return np.frombuffer(b"".join(texts), np.uint8), np.cumsum([0, *map(len, texts)]).astype(np.int64)


def assert_same(cues: Cues, texts: list[bytes]) -> np.ndarray:
    packed = pack(texts)
    got, want = cues.match(*packed), cues.match_without_prefilter(*packed)
    assert [texts[k] for k in np.flatnonzero(got != want)] == []
    return got


def some_match(items: Any, rng: random.Random) -> bytes:
    """Make up bytes that a parsed pattern matches."""
    out = b""
    for op, arg in items:
        if op is C.LITERAL:
            out += bytes([arg])
        elif op is C.IN:
            negate = arg[0][0] is C.NEGATE
            held = {b for kind, v in arg[negate:] for b in ([v] if kind is C.LITERAL else range(v[0], v[1] + 1))}
            likely = b" ,:-abcdefghijklmnopqrstuvwxyz\"'#*/()\n0123456789"
            allowed = [b for b in range(256) if (b in held) != negate]
            usual = [b for b in allowed if b in likely]
            out += bytes([rng.choice(usual if usual and rng.random() < 0.95 else allowed)])
        elif op is C.SUBPATTERN:
            out += some_match(arg[3], rng)
        elif op is C.BRANCH:
            out += some_match(rng.choice(arg[1]), rng)
        elif op is C.MAX_REPEAT:
            low, high, body = arg
            for _ in range(rng.randint(low, int(high))):
                out += some_match(body, rng)
        else:
            raise AssertionError(op)
    return out


def test_a_made_up_match_of_every_phrase_is_found_behind_the_prefilter(cues: Cues) -> None:
    rng = random.Random(SEED)
    mark = {"en": b" ", "es": b" el las ", "fr": b" les des ", "de": b" und der ", "pt": b" dos das "}
    texts, wanted = [], []
    for pattern in cue_book().patterns:
        if pattern.language not in LATIN:
            continue
        tree = parser.parse(pattern.regex)
        for _ in range(12):
            made = some_match(tree, rng)
            assert re.search(pattern.regex.encode("latin-1"), made, re.DOTALL)
            texts.append(mark[pattern.language] + b"x" * rng.randrange(3) + made + b"y" * rng.randrange(3))
            wanted.append(1 << pattern.cue)
    found = assert_same(cues, texts)
    # what stands around a made-up match can spoil it (`x` glued to its first word), but hardly ever does
    assert np.mean([int(f) & w != 0 for f, w in zip(found, wanted, strict=True)]) > 0.5


def test_shuffled_words_of_all_phrases_match_the_same(cues: Cues) -> None:
    rng = random.Random(SEED + 1)
    words = sorted({w for p in cue_book().patterns for w in re.findall(r"\w+", p.phrase)})
    joints = [" "] * 12 + [", ", ". ", ": ", "? ", "#", "\n", " - ", "é", "—", " the ", " a ", " de ", " 7 ", "\0"]
    texts = []
    for _ in range(1500):
        texts.append("".join(rng.choice(words) + rng.choice(joints) for _ in range(rng.randrange(60))))
    assert_same(cues, [t.encode() for t in texts])


def test_bytes_that_are_no_text_match_the_same(cues: Cues) -> None:
    rng = random.Random(SEED + 2)
    alphabet = b"generate questions step by step. answer 12? \xc3\xa9\xd0\xe8\xae\xad\x00\xff\xe0\xa4"
    texts = [bytes(rng.choices(alphabet, k=rng.randrange(300))) for _ in range(400)]
    texts += [b"", b".", b"...", b"a", b"step by step", b"x" * 5000, b"answer " * 3000, b"step by step. " * 3000]
    assert_same(cues, texts)


@pytest.mark.parametrize("file", ["development", "heldout"])
def test_written_phrases_match_the_same(cues: Cues, file: str) -> None:
    import tomllib

    phrases = tomllib.loads((HERE / f"elicitation_{file}.toml").read_text("utf-8"))
    texts = [normalised(t) for languages in phrases.values() for ts in languages.values() for t in ts]
    rng = random.Random(SEED + 3)
    joined = [" ".join(rng.sample(texts, 5)) for _ in range(300)]
    assert_same(cues, [t.encode() for t in texts + joined])


def test_demo_traffic_matches_the_same(cues: Cues) -> None:
    from stillwatch.lab.traffic.generate import build

    world, _ = build(7)
    rng = random.Random(SEED + 4)
    rows = [orjson.loads(line.data) for line in rng.sample(world.lines, 4000)]
    texts = {normalised(m["content"]) for row in rows for m in messages_of(row)}
    assert len(texts) > 1000
    assert_same(cues, [t.encode() for t in sorted(texts)])


@pytest.mark.shared
def test_captured_traffic_matches_the_same(cues: Cues, captures: Path) -> None:
    texts: set[str] = set()
    for file in sorted(captures.glob("*.jsonl.zst")):
        with file.open("rb") as raw:
            lines = zstandard.ZstdDecompressor().stream_reader(raw).read().splitlines()
        for line in lines:
            texts |= {normalised(m["content"])[:8000] for m in messages_of(orjson.loads(line))}
    assert len(texts) > 1000
    assert_same(cues, [t.encode() for t in sorted(texts)])


def messages_of(row: Any) -> list[dict[str, str]]:
    messages = row.get("messages") if isinstance(row, dict) else None
    return [m for m in messages or [] if isinstance(m, dict) and isinstance(m.get("content"), str)]


def batch_of(rows: list[list[tuple[str, str]]]) -> pa.RecordBatch:
    """Exchanges of (role, content) messages, everything else absent."""
    given = [
        {
            "exchange_id": f"e{k}", "at": k, "account_id": "a", "model": "m", "line": k + 1,
            "messages": [{"role": role, "content": content, "extra": None} for role, content in row],
        }
        for k, row in enumerate(rows)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(given, schema=tables.EXCHANGE)


class Checked(Cues):
    """Cues that compare, for whatever they are asked, the two ways."""

    rows = 0

    exhaustive = False  # look for every cue, whether it makes a difference or not

    def match(self, buffer: Any, offsets: Any, found: Any = None) -> Any:
        got = super().match(buffer, offsets, found)
        want = self.match_without_prefilter(buffer, offsets)
        wrong = np.flatnonzero(got != want)
        assert [buffer[offsets[k] : offsets[k + 1]].tobytes() for k in wrong] == []
        assert all(a <= b for a, b in pairwise(offsets.tolist()))
        self.rows += len(got)
        return got

    def read(self, buffer: Any, offsets: Any, found: Any = None) -> Any:
        self.match(buffer, offsets, found)
        got = super().read(buffer, offsets, found)
        self.exhaustive = True
        want = super().read(buffer, offsets, found)
        self.exhaustive = False
        assert (got == want).all()
        return got

    def _telling(self, possible: Any, long: Any) -> Any:
        return possible if self.exhaustive else super()._telling(possible, long)


def test_the_sketch_finds_what_the_engine_alone_finds_in_its_texts() -> None:
    import base64
    import codecs
    import tomllib

    phrases = tomllib.loads((HERE / "elicitation_development.toml").read_text("utf-8"))
    texts = [t for languages in phrases.values() for ts in languages.values() for t in ts]
    rng = random.Random(SEED + 5)
    leet = str.maketrans("oieast", "013457")
    rows: list[list[tuple[str, str]]] = [[], [("user", "")], [("system", "Generate questions")], [("user", "é" * 40)]]
    for _ in range(900):
        text = rng.choice(texts)
        dress = rng.randrange(8)
        if dress == 0:
            text = base64.b64encode((text + " " + rng.choice(texts)).encode()).decode()
        elif dress == 1:
            text = codecs.encode(text, "rot13")
        elif dress == 2:
            text = text.translate(leet)
        elif dress == 3:
            text = text.upper() + " " + rng.choice(texts)
        elif dress == 4:
            cut = rng.randrange(len(text))  # a phrase that runs from the instructions into the prompt
            rows.append([("system", text[:cut]), ("user", text[cut:])])
            continue
        rows.append([("system", rng.choice(texts)), ("user", text)] if rng.random() < 0.3 else [("user", text)])
    cues = Checked.compile()
    assert isinstance(cues, Checked)
    Sketcher(Secret(bytes(range(16))), cues)(batch_of(rows))
    assert cues.rows == len(rows)


def test_a_batch_with_more_candidates_than_expected_is_read_all_the_same() -> None:
    rows = [[("user", "Explain it step by step. Generate questions. " * 90)] for _ in range(3)]
    cues = Checked.compile()
    assert isinstance(cues, Checked)
    sketched = Sketcher(Secret(bytes(range(16))), cues)(batch_of(rows))
    assert len(set(sketched.column("elicits").to_pylist())) == 1
    assert sketched.column("elicits")[0].as_py()


def test_a_sketch_does_not_depend_on_what_its_sketcher_saw_before() -> None:
    rng = random.Random(SEED + 6)
    words = sorted({w for p in cue_book().patterns for w in re.findall(r"\w+", p.phrase)})
    rows = [[("user", " ".join(rng.choices(words, k=40)))] for _ in range(200)]
    secret, cues = Secret(bytes(range(16))), Cues.compile()
    used = Sketcher(secret, cues)
    used(batch_of(rows[::-1]))
    assert used(batch_of(rows)).equals(Sketcher(secret, Cues.compile())(batch_of(rows)))


def test_stored_tables_that_were_damaged_or_that_others_could_write_are_made_anew(tmp_path: Path, cues: Cues) -> None:
    texts = pack([b"explain it step by step", b"generate twenty questions"])
    want = cues.match(*texts).tolist()
    assert Cues.compile(cache_dir=tmp_path).match(*texts).tolist() == want
    (file,) = tmp_path.glob("sieve-*")
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:], b""):
        file.write_bytes(damaged)
        assert Cues.compile(cache_dir=tmp_path).match(*texts).tolist() == want
        assert file.read_bytes() == whole
    file.write_bytes(whole)
    file.chmod(0o666)
    assert Cues.compile(cache_dir=tmp_path).match(*texts).tolist() == want


def flat(word: str) -> float:
    return 1.0


def anchors(*words: str) -> frozenset[Anchor]:
    return frozenset(Anchor(tuple(w.rstrip("*").split()), w.endswith("*")) for w in words)


@pytest.mark.parametrize(
    ("phrase", "steps"),
    [
        ("rubrics?", [[anchors("rubric", "rubrics")]]),
        ("chat history", [[anchors("chat history")]]),
        ("step by step", [[anchors("step"), anchors("by step")]]),
        ("(write|make) ~ (task|prompt)", [[anchors("write", "make"), anchors("task", "prompt")]]),
        ("cens*", [[anchors("cens*")]]),
        ("likert|out of ten", [[anchors("likert")], [anchors("out"), anchors("of ten")]]),
        ("(task|step) \\d ?\\:", [[anchors("task 0", "step 0")]]),
    ],
)
def test_needs_of_a_phrase(phrase: str, steps: list[list[frozenset[Anchor]]]) -> None:
    found = needs(compile_phrase(phrase, "en", {}), flat)
    want = [tuple(step) for step in steps]
    assert {n.steps for n in found} == set(want)


@pytest.mark.parametrize(
    ("regex", "why"),
    [
        ("a[.]b", "end of a sentence"),
        ("[^a-z0-9]*step", "before its first"),
        ("[ ]step[ ,]{40}", "after its last"),
        ("[(][)]", "whole word"),
    ],
)
def test_a_phrase_that_the_prefilter_could_lose_is_refused(regex: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        needs(regex, flat)
