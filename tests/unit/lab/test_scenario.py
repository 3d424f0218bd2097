"""A scenario becomes logs and a truth that fit each other, the same for the same seed, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from stillwatch.errors import InputError, UsageError
from stillwatch.lab.traffic import organisation, scenario, split, work
from stillwatch.lab.traffic.clockwork import run

from .conftest import Played, play_toml

TINY = """
days = 6
exchanges = 2500
campaigns = 4
reseller = 1
workloads = ["team_key"]
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play_toml(tmp_path_factory.mktemp("tiny"), TINY)


def test_equal_seeds_give_equal_bytes_and_another_seed_others(tiny: Played, tmp_path: Path) -> None:
    again = play_toml(tmp_path / "again", TINY)
    for file in (*tiny.written.files, tiny.folder / "accounts.jsonl", tiny.folder / "truth.json"):
        assert file.read_bytes() == (again.folder / file.relative_to(tiny.folder)).read_bytes(), file.name
    assert again.key == tiny.key
    other = play_toml(tmp_path / "other", TINY, seed=6)
    assert not {r["litellm_call_id"] for r in other.rows} & {r["litellm_call_id"] for r in tiny.rows}


def test_rows_stand_in_order_of_their_end_in_one_file_a_day(tiny: Played) -> None:
    ends = [r["endTime"] for r in tiny.rows]
    assert ends == sorted(ends)
    assert len(tiny.written.files) == 6


def test_the_truth_names_every_exchange_once_and_adds_up(tiny: Played) -> None:
    assert [k["exchange_id"] for k in tiny.key] == [r["litellm_call_id"] for r in tiny.rows]
    assert tiny.truth["exchanges"] == len(tiny.rows) == tiny.written.exchanges
    by_id = {r["litellm_call_id"]: r for r in tiny.rows}
    for k in tiny.key:
        row = by_id[k["exchange_id"]]
        assert k["account_id"] == row["metadata"]["user_api_key_user_id"]
        assert k["at"] == round(row["startTime"] * 1e6)
    assert (tiny.truth["first_at"], tiny.truth["last_at"]) == (
        min(k["at"] for k in tiny.key), max(k["at"] for k in tiny.key)
    )  # fmt: skip
    assert set(tiny.accounts) == set(tiny.truth["accounts"]) == {k["account_id"] for k in tiny.key}


def test_the_truth_of_a_campaign_is_what_its_exchanges_say(tiny: Played) -> None:
    mine = defaultdict(list)
    for k in tiny.key:
        if k["campaign"]:
            mine[k["campaign"]].append(k)
    assert len(tiny.truth["campaigns"]) == 4
    for name, c in tiny.truth["campaigns"].items():
        rows = mine[name]
        assert c["exchanges"] == len(rows) > 20
        assert c["reasoning_exchanges"] == sum(k["reasoning"] for k in rows)
        assert c["accounts"] == sorted({k["account_id"] for k in rows})
        assert (c["first_at"], c["last_at"]) == (min(k["at"] for k in rows), max(k["at"] for k in rows))
        for account in c["accounts"]:
            assert name in tiny.truth["accounts"][account]["campaigns"]
            assert tiny.truth["accounts"][account]["role"] != "honest"
    for pool, p in tiny.truth["pools"].items():
        for account in set(p["accounts"]) & set(tiny.truth["accounts"]):
            assert tiny.truth["accounts"][account]["pool"] == pool


def test_harvest_is_a_small_share(tiny: Played) -> None:
    assert 0 < tiny.written.harvest <= 0.12 * len(tiny.rows)  # 5 % asked for; campaigns are drawn log-normally


def _peak(days: int, exchanges: int) -> tuple[int, int]:
    made = scenario.cast(
        scenario.Scenario(name="x", about="", days=days, campaigns=0, reseller=0, workloads=()),
        seed=3, side="tune", exchanges=exchanges,
    )  # fmt: skip
    tracemalloc.start()
    try:
        count = sum(1 for _ in run(made.world, made.actors))
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_length_of_the_log() -> None:
    short, small = _peak(4, 700)
    long, large = _peak(24, 4200)  # as many accounts, for six times as long
    assert long > 4 * short
    assert large < 2 * small, (small, large)  # the largest of more bursts is a little larger


def test_few_seeds_cover_all_families_of_a_side() -> None:
    small = scenario.load("small")
    for side, seeds in (("tune", 2), ("test", 4)):
        seen = Counter(
            name for seed in range(1, seeds + 1)
            for chosen, _ in scenario.design(small, seed=seed, side=side) for name in chosen
        )  # fmt: skip
        assert set(seen) == set(split.families(side)), (side, seen)


@pytest.mark.parametrize("name", scenario.shipped())
def test_shipped_scenarios_load_and_name_what_exists(name: str) -> None:
    read = scenario.load(name)
    assert read.about
    for given in read.campaign:
        assert set(given["families"]) <= set(work.families())


def test_mistakes_in_a_scenario_are_named(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    for text, error, word in (
        ("compaigns = 3", InputError, "campaigns"),
        ("days = [", InputError, "TOML"),
        ('workloads = ["team_kez"]', UsageError, "team_key"),
        ('[[campaign]]\nfamilies = ["F99"]', UsageError, "F99"),
        ('[[campaign]]\nfamilies = ["F1"]\norganisation = { acounts = 3 }', UsageError, "accounts"),
        ('[[campaign]]\nfamilies = ["F1"]\norganisation = { network = "pigeon" }', UsageError, "residential"),
        ('[[campaign]]\nfamilies = ["F1"]\nobfuscations = ["invisible"]', UsageError, "paraphrase"),
    ):
        file.write_text(text, "utf-8")
        with pytest.raises(error) as caught:
            scenario.cast(scenario.load(str(file)), seed=1, side="tune")
        assert word in f"{caught.value} {caught.value.fix}"
    with pytest.raises(UsageError):
        scenario.load("no-such-scenario")


def test_the_scenario_of_the_how_to_plays(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-scenario.md"
    file = tmp_path / "own.toml"
    file.write_text(page.read_text("utf-8").split("```toml\n")[1].split("```")[0], "utf-8")
    read = scenario.load(str(file))
    made = scenario.cast(read, seed=1, side="test", exchanges=1000)
    assert len(made.campaigns) == 7
    assert made.campaigns[2].accounts is made.campaigns[1].accounts


def test_every_value_that_the_how_to_must_name_is_there() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "add-a-scenario.md").read_text("utf-8")
    for name in organisation.NAMES:
        assert f"| `{name}` |" in page, name
    for name in scenario.shipped():
        assert f"`{name}`" in page, name
