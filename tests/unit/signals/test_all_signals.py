"""One walk over all signals: what each must say about itself, and what none may read."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import get_args

import ibis
import pyarrow as pa
import pytest

from stillwatch import signals, tables
from stillwatch.engine import ACCOUNTS, signal_sql
from stillwatch.errors import UsageError
from stillwatch.signals import exchanges
from stillwatch.signals.measure import able, missing
from stillwatch.signals.registry import ALL, POPULAR, Family, Shape, Signal, Tables, Weighing, signal

ROOT = Path(__file__).parents[3]
FOLDER = Path(signals.__file__).parent
EVERY = [pytest.param(s, id=i) for i, s in sorted(ALL.items())]


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    """tools/signals_lock.py"""
    spec = importlib.util.spec_from_file_location("signals_lock", ROOT / "tools" / "signals_lock.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ids_are_unique_over_the_files_of_the_folder():
    ids = re.findall(r'^    id="(\w+)"', "\n".join(f.read_text("utf-8") for f in FOLDER.glob("*.py")), re.M)
    assert sorted(ids) == sorted(set(ids))
    assert set(ids) <= set(ALL)


@pytest.mark.parametrize("one", EVERY)
def test_a_signal_says_what_it_means_misses_and_looks_like(one: Signal):
    assert re.fullmatch(r"SG[1-4]\d\d", one.id)
    for text in (one.title, one.means, one.unit, one.sentence, one.source, one.enable, *one.innocent, *one.misses):
        assert text.strip()
    assert one.innocent and one.misses
    assert one.family in get_args(Family) and one.shape in get_args(Shape) and one.weighed_by in get_args(Weighing)
    assert one.version >= 1 and one.least >= 1
    assert (one.bits > 0) == (one.shape == "pair")
    assert all(re.fullmatch(r"AML\.T\d{4}(\.\d{3})?", name) for name in one.atlas)


@pytest.mark.parametrize("one", EVERY)
def test_the_first_digit_of_an_id_is_its_family(one: Signal):
    assert one.family == {"1": "content", "2": "tempo", "3": "identity", "4": "network"}[one.id[2]]


@pytest.mark.parametrize("one", EVERY)
def test_a_file_is_headed_by_its_id_and_title_and_has_three_kinds_of_vectors(one: Signal):
    file = Path(one.measure.__code__.co_filename)
    assert file.stem == one.measure.__name__
    assert file.read_text(encoding="utf-8").startswith(f'"""{one.id}  {one.title}')
    vectors = tomllib.loads(file.with_suffix(".vectors.toml").read_text(encoding="utf-8"))["vector"]
    assert {v["kind"] for v in vectors} == {"fires", "quiet", "edge"}
    assert len({v["name"] for v in vectors}) == len(vectors)


@pytest.mark.parametrize("one", EVERY)
def test_needs_are_columns_that_exist(one: Signal):
    for part in "|".join(one.needs).split("|"):
        known = tables.ACCOUNT.names if part.startswith("accounts.") else exchanges.COLUMNS
        assert part.removeprefix("accounts.") in known, part
    assert set(exchanges.COLUMNS) <= set(tables.SKETCH.names)


@pytest.mark.parametrize("one", EVERY)
def test_the_sentence_can_be_filled_in(one: Signal):
    text = one.sentence.format(value=0.5, n=1234)
    assert text.endswith(".") and "{" not in text
    assert one.sentence.format(value=3.0, n=2.0)  # sample sizes are read back as floats


@pytest.mark.parametrize("one", EVERY)
def test_no_signal_reads_country_language_or_script(one: Signal):
    assert "country" not in exchanges.COLUMNS
    sketch = pa.schema([tables.SKETCH.field(c) for c in exchanges.COLUMNS])
    given = exchanges.measured(ibis.table(ibis.Schema.from_pyarrow(sketch), name="sketches"))
    blind = {"unit": "uint64", **given.schema()}
    for column in ("language", "script"):
        del blind[column]
    values = ibis.table({"kind": "string", "value": "uint64", "account": "uint64"}, name="values_")
    accounts = ibis.table(ibis.Schema.from_pyarrow(ACCOUNTS), name="accounts")
    measured = one.measure(Tables(ibis.table(blind, name="exchanges"), accounts, values))
    sql = str(ibis.to_sql(measured, dialect="duckdb")).lower()  # an expression that reads them does not get here
    assert not re.search(r"\b(country|language|script)\b", sql)


@pytest.mark.parametrize("one", EVERY)
def test_a_signal_abstains_without_its_needs_and_runs_with_them(one: Signal):
    first = frozenset(need.split("|")[0] for need in one.needs)
    last = frozenset(need.split("|")[-1] for need in one.needs)
    assert missing(one, first) == () == missing(one, last)
    for need in one.needs:
        assert missing(one, first - set(need.split("|"))) == (need,)
    run, abstained = able(frozenset(), one.shape)
    assert one not in run and (one.id, one.needs) in [(a.signal, a.missing) for a in abstained]


def test_values_that_pairs_share_have_a_limit_of_popularity():
    asked = {w for s in ALL.values() for w in re.findall(r"[\"'](\w+)[\"']", signal_sql(s.id)) if w in POPULAR}
    shared = {s.id for s in ALL.values() if s.weighed_by == "popularity"}
    assert asked >= set(POPULAR) and len(shared) >= len(POPULAR)


def test_a_taken_id_is_an_error_that_names_both_files():
    def elsewhere(t):  # pragma: no cover - never measured
        return t

    taken = ALL["SG101"]
    with pytest.raises(UsageError, match=r"SG101.*material_share\.py.*test_all_signals\.py"):
        signal(
            id="SG101", title="t", means="m", innocent=("i",), misses=("m",), unit="u", family="content",
            needs=("prompt",), sentence="s", source="s",
        )(elsewhere)  # fmt: skip
    assert ALL["SG101"] is taken


@pytest.mark.parametrize("empty", ["innocent", "misses"])
def test_a_signal_without_innocent_explanations_or_misses_is_refused(empty):
    words = {"innocent": ("i",), "misses": ("m",)} | {empty: ()}
    with pytest.raises(UsageError, match="SG999"):
        signal(
            id="SG999", title="t", means="m", unit="u", family="content", needs=("prompt",), sentence="s", source="s",
            **words,
        )(lambda t: t)  # fmt: skip
    assert "SG999" not in ALL


def test_the_lock_is_fresh():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "signals_lock.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_changed_expression_needs_a_new_version(lock):
    old, new = lock.Locked(3, "aaaa"), lock.Locked(3, "bbbb")
    assert lock.faults({"SG104": old}, {"SG104": old}) == []
    assert "version=4" in lock.faults({"SG104": old}, {"SG104": new})[0]
    assert lock.faults({"SG104": old}, {"SG104": new._replace(version=4)}) == []
    assert "gone" in lock.faults({"SG104": old}, {})[0]
    assert "went back" in lock.faults({"SG104": old}, {"SG104": new._replace(version=2)})[0]
    assert lock.faults({}, {"SG999": new}) == []


def test_a_lock_file_reads_back_as_written(lock):
    signals_now = lock.present()
    assert len(signals_now) == len(list(FOLDER.glob("*.vectors.toml")))
    assert lock.parsed(lock.written(signals_now)) == signals_now


DEFINITION = '''
from stillwatch.signals.registry import signal

LIMIT = {limit}

@signal(id="SG99{k}", title="{title}", means="m", innocent=("i",), misses=("m",), unit="u", family="tempo",
        needs=("at",), sentence="s", source="s", least={least})
def made(t):
    """Text {title}."""
    # {title}
    return _counted(t.exchanges.filter(t.exchanges.turns > LIMIT))

def _counted(e):
    return e.group_by("unit").agg(value=e.{what}(){comma}, n=e.count())
'''


@pytest.fixture
def digest_of(tmp_path):
    """Digest of a made-up signal with some parts changed."""
    made = []

    def digest(**parts) -> str:
        words = {"limit": 3, "title": "one", "least": 10, "what": "count", "comma": ""} | parts
        file = tmp_path / f"made{len(made)}.py"
        file.write_text(DEFINITION.format(k=len(made), **words))
        spec = importlib.util.spec_from_file_location(f"made{len(made)}", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made.append(module.made.id)
        return str(module.made.digest)

    yield digest
    for name in made:
        del ALL[name]


def test_a_digest_follows_the_expression_its_helpers_and_limits_and_no_words(digest_of):
    base = digest_of()
    assert digest_of(title="other words") == base
    assert digest_of(what="nunique") != base
    assert digest_of(limit=4) != base
    assert digest_of(least=11) != base
