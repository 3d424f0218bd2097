"""No single metadata field may give the label away: AUC <= 0.75 for each, or the benchmark measures the generator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random

import orjson
import pytest

from stillwatch.cli import main
from stillwatch.lab.traffic.generate import build
from stillwatch.lab.traffic.leaks import (
    CEILING,
    LEAST,
    Area,
    Audit,
    category_auc,
    fields,
    numeric_auc,
    per_account,
    table_auc,
    tree_auc,
)
from stillwatch.lab.traffic.world import Line

from .conftest import Played


@pytest.fixture(scope="module", params=[7, 8])
def any_fortnight(request: pytest.FixtureRequest, fortnight):
    return fortnight if request.param == 7 else build(request.param)


def worst(found: dict[str, Area]) -> str:
    top = sorted(found.items(), key=lambda item: -item[1].auc)
    return "; ".join(f"{name} {area.auc:.3f}" for name, area in top if area.auc > CEILING) or "none"


def test_no_field_of_an_account_separates_the_demo_s_campaigns_from_the_rest(any_fortnight) -> None:
    world, truth = any_fortnight
    rows = defaultdict(list)
    for line in world.lines:
        rows[line.account_id].append(orjson.loads(line.data))
    ids = [i for i in sorted(rows) if truth.accounts[i].role in ("honest", "campaign", "reseller")]
    units = [per_account(rows[i], world.accounts[i].record) for i in ids]
    found = table_auc(units, ["all" if truth.accounts[i].role == "campaign" else None for i in ids])
    numbers = {k: v for k, v in found.items() if isinstance(units[0].get(k), float)}
    assert max(a.auc for a in numbers.values()) <= CEILING, worst(numbers)


def test_no_field_of_an_exchange_separates_the_harvest_from_the_rest_of_the_router(any_fortnight) -> None:
    world, truth = any_fortnight
    router = truth.campaigns["routed"].accounts[0]
    lines = [line for line in world.lines if line.account_id == router]
    found = table_auc(
        [fields(orjson.loads(line.data)) for line in lines], [line.tag for line in lines], [router] * len(lines)
    )
    numbers = {k: v for k, v in found.items() if k not in ("hour",)}
    assert max(a.auc for a in numbers.values()) <= CEILING, worst(numbers)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Played:
    from .conftest import play_toml

    one = (
        '[[campaign]]\nfamilies = ["F{n}"]\nexchanges = 60\nobfuscations = []\n'
        'organisation = {{ hidden = "no", accounts = 10, share = 1.0 }}\n'
    )
    text = "days = 7\nexchanges = 3000\ncampaigns = 0\nreseller = 0\nworkloads = []\n"
    return play_toml(tmp_path_factory.mktemp("mixed"), text + "".join(one.format(n=n) for n in (1, 2, 13, 17)))


def audit(played: Played, change: Callable[[dict, bool], None]) -> dict:
    """The audit's report on a data set in which something was changed."""
    found = Audit(expected=len(played.rows))
    tags = {k["exchange_id"]: k["campaign"] for k in played.key}
    for row in played.rows:
        given = orjson.loads(orjson.dumps(row))
        tag = tags[row["litellm_call_id"]]
        change(given, tag is not None)
        account = row["metadata"]["user_api_key_user_id"]
        found.add(
            Line(end=row["endTime"], exchange_id=row["litellm_call_id"], account_id=account, tag=tag,
                 data=orjson.dumps(given))
        )  # fmt: skip
    roles = {a: t["role"] for a, t in played.truth["accounts"].items()}
    return found.report(played.accounts, roles)


def test_a_planted_leak_is_found(mixed: Played) -> None:
    clean = audit(mixed, lambda row, harvest: None)
    assert clean["accounts"] > 100
    assert not any("user_agent" in leak for leak in clean["leaks"]), clean["leaks"]

    def agent(row: dict, harvest: bool) -> None:
        if harvest:
            row["user_agent"] = "distiller/1.0"

    planted = audit(mixed, agent)
    assert any("usual user_agent" in leak for leak in planted["leaks"]), planted["leaks"]
    assert planted["account"]["usual user_agent"][0] > 0.95

    def size(row: dict, harvest: bool) -> None:
        row["completion_tokens"] = row["completion_tokens"] + 5000 * harvest

    planted = audit(mixed, size)
    assert any("completion_tokens" in leak for leak in planted["leaks"]), planted["leaks"]


def test_what_links_one_campaign_only_is_no_leak(mixed: Played) -> None:
    """An address shared inside each campaign, another one in each: evidence, not a label."""
    address = {c: f"203.0.113.{i}" for i, c in enumerate(mixed.truth["campaigns"])}
    tags = {k["exchange_id"]: k["campaign"] for k in mixed.key}

    def share(row: dict, harvest: bool) -> None:
        if harvest:
            row["requester_ip_address"] = address[tags[row["litellm_call_id"]]]

    found = audit(mixed, share)
    assert found["account"]["usual requester_ip_address"][0] < CEILING


def test_the_command_fails_on_a_leak_unless_told_not_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stillwatch.lab.traffic.leaks.CEILING", 0.2)
    file = tmp_path / "own.toml"
    file.write_text(
        f"days = 5\nexchanges = 1500\ncampaigns = {2 * LEAST}\nreseller = 0\nworkloads = []\ncampaign_share = 0.2\n"
    )
    given = ["lab", "traffic", "--scenario", str(file), "--quiet", "--seed", "3", "--out"]
    assert main([*given, str(tmp_path / "a")]) == 3
    assert "give the answer away" in capsys.readouterr().err
    assert main([*given, str(tmp_path / "b"), "--allow-leaks"]) == 0
    assert orjson.loads((tmp_path / "b" / "leaks.json").read_bytes())["leaks"]


def test_numbers_are_compared_pair_by_pair() -> None:
    # By hand: every attack value is above every honest one, so all pairs are ordered rightly.
    assert numeric_auc([3.0, 4.0], [1.0, 2.0]) == 1.0
    # One of four pairs is a tie, two are right, one is wrong: (2 + 0.5) / 4.
    assert numeric_auc([1.0, 3.0], [1.0, 2.0]) == 0.625


def test_categories_are_ranked_by_the_other_campaigns() -> None:
    assert category_auc(["x"] * 9, ["y"] * 9, ["x"] * 9) == 1.0  # x was seen in other campaigns
    assert category_auc(["x"] * 9, [f"y{i}" for i in range(9)], ["z"] * 9) == 0.5  # neither was, all are new
    assert category_auc(["same"] * 3, ["same"] * 7, ["same"] * 2) == 0.5


def test_a_field_is_held_against_what_is_honest_in_the_same_account() -> None:
    units = [{"agent": a} for a in ("relay", "relay", "hop", "hop", "own")]
    labels = ["c1", None, "c2", None, None]
    within = table_auc(units, labels, ["a", "a", "b", "b", "c"])
    assert within["agent"].auc == 0.5


def test_the_tree_sees_what_two_fields_say_together() -> None:
    rng = Random(1)
    units = [{"a": float(rng.random() < 0.5), "b": float(rng.random() < 0.5), "c": rng.random()} for _ in range(400)]
    labels = [u["a"] == u["b"] == 1.0 for u in units]
    area = tree_auc(units, labels)
    assert area is not None
    assert area > 0.99
