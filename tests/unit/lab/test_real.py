"""Real material is plugged in from folders: clients and exchanges of captures, hours of traces."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import zstandard

from stillwatch.errors import InputError
from stillwatch.lab.traffic import arrivals, captures, scenario, split
from stillwatch.lab.traffic.clockwork import run


def row(account: str, at: float, text: str, agent: str) -> bytes:
    return orjson.dumps(
        {
            "startTime": at, "status": "success", "model_group": "gpt-4o", "end_user": None,
            "messages": [{"role": "user", "content": text}],
            "model_parameters": {"temperature": 0.3, "stream": False, "user": "somebody"},
            "response": {"choices": [{"message": {"role": "assistant", "content": f"answer to {text}"}}]},
            "metadata": {
                "user_api_key_user_id": account,
                "requester_metadata": {
                    "headers": {"host": "x", "content-length": "9", "accept": "*/*", "user-agent": agent}
                },
            },
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "captures"
    made.mkdir()
    rows = [row(f"a{i % 2}", 100.0 + i, f"question {i}", "probe/1.0") for i in range(30)]
    (made / "probe.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(b"".join(rows)))
    (made / "other.jsonl").write_bytes(row("b", 5.0, "alone", "other/2.0"))
    (made / "probe.truth.jsonl").write_bytes(b"{}\n")
    return made


def test_a_capture_lends_its_header_set(folder: Path) -> None:
    assert captures.names(folder) == ["other", "probe"]
    found = {c.name: c for c in captures.clients(folder)}
    client = found["capture:probe/0"]
    assert client.fixed == (("accept", "*/*"), ("user-agent", "probe/1.0"))
    assert split.client_allowed(client.name, split.side_of_set("probe"))
    assert not split.client_allowed(client.name, {"tune": "test", "test": "tune"}[split.side_of_set("probe")])


def test_a_capture_plays_as_a_family_and_as_a_workload(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        'days = 4\nexchanges = 1000\ncampaigns = 0\nreseller = 0\nworkloads = ["capture:probe"]\n'
        '[[campaign]]\nfamilies = ["capture:other"]\nexchanges = 12\nobfuscations = []\n'
        'organisation = { hidden = "no", accounts = 3, share = 1.0, days = 2.0 }\n'
    )
    made = scenario.cast(scenario.load(str(file)), seed=1, side="tune", captures=folder)
    lines = list(run(made.world, made.actors))
    workload = [orjson.loads(x.data) for x in lines if made.world.accounts[x.account_id].family == "capture:probe"]
    asked = {r["messages"][-1]["content"] for r in workload}
    assert asked == {f"question {i}" for i in range(30)}
    assert {r["user_agent"] for r in workload} == {"probe/1.0"}
    assert {r["model_parameters"]["temperature"] for r in workload} == {0.3}
    assert "user" not in workload[0]["model_parameters"]
    harvest = [orjson.loads(x.data) for x in lines if x.tag]
    assert len(harvest) >= 8
    assert {r["messages"][-1]["content"] for r in harvest} == {"alone"}


def test_a_folder_without_captures_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no captures"):
        captures.names(tmp_path)


def test_a_trace_gives_hours(tmp_path: Path) -> None:
    lines = ["client,window_start_s,rate_rps"]
    lines += [f"0,{h * 3600},{2.0 if 9 <= h < 17 else 0.0}" for h in range(24)]
    lines += ["1,0,5.0"]  # active in one hour only: no shape of a day
    (tmp_path / "svc-rates.csv").write_text("\n".join(lines))
    assert arrivals.shapes(tmp_path) == [tuple(2.0 if 9 <= h < 17 else 0.0 for h in range(24))]
    (tmp_path / "svc-rates.csv").write_text("client,rate\n0,1\n")
    with pytest.raises(InputError, match="cannot be read"):
        arrivals.shapes(tmp_path)


def test_products_keep_the_hours_of_a_trace(tmp_path: Path) -> None:
    made = scenario.cast(
        scenario.Scenario(name="x", about="", days=7, campaigns=0, reseller=0, workloads=()), seed=2, side="tune",
        exchanges=1500,
    )  # fmt: skip
    made.world.keep_hours([[0.0] * 5 + [1.0] + [0.0] * 18])
    assert made.world.service_shapes == ("service 0",)
    hours = {int(made.world.moment(day, "service 0") // 3600 % 24) for day in range(6)}
    assert hours == {5}
