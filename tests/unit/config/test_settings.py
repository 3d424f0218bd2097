"""Settings: what wins, what is refused, and what the refusal says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stillwatch.config import Settings, parse_max_bad, parse_time
from stillwatch.errors import InputError, UsageError


def load(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "stillwatch.toml"
    file.write_text(text, encoding="utf-8")
    return Settings.load(environ, file, now_us=5)


def test_without_a_file_and_an_environment_the_defaults_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.load({}, now_us=7)
    assert (settings.store, settings.format, settings.engine) == (Path("stillwatch-store"), "auto", "duckdb")
    assert settings.report_path == Path("stillwatch-store/report.html")
    assert settings.now_us == 7
    assert settings.workers >= 1


def test_a_file_in_the_current_folder_is_found_by_itself(tmp_path, monkeypatch):
    (tmp_path / "stillwatch.toml").write_text('store = "here"\n')
    monkeypatch.chdir(tmp_path)
    assert Settings.load({}, now_us=0).store == Path("here")


def test_every_key_of_the_file_is_taken(tmp_path):
    settings = load(
        tmp_path,
        """
        store = "s"
        format = "litellm"
        mapping = "map.toml"
        accounts = "accounts.csv"
        no_text = true
        until = 2026-03-02T01:00:00+01:00
        engine = "duckdb"
        workers = 3
        max_bad = "2.5 %"
        calibration = "c.json"
        account_from = "field:metadata.team"
        report = "r.html"
        [policy]
        ip = "hash"
        user_agent = "drop"
        """,
    )
    assert settings == Settings(
        store=Path("s"),
        format="litellm",
        mapping=Path("map.toml"),
        accounts="accounts.csv",
        no_text=True,
        until_us=1_772_409_600_000_000,  # date -u -d 2026-03-02T00:00:00Z +%s
        workers=3,
        max_bad=0.025,
        calibration=Path("c.json"),
        account_from="field:metadata.team",
        report=Path("r.html"),
        policy={"ip": "hash", "user_agent": "drop"},
        now_us=5,
    )


def test_the_environment_wins_over_the_file(tmp_path):
    settings = load(tmp_path, 'store = "file"\nworkers = 2\n', STILLWATCH_STORE="env", STILLWATCH_POLICY="ip=hash")
    assert (settings.store, settings.workers, dict(settings.policy)) == (Path("env"), 2, {"ip": "hash"})


def test_options_win_and_none_changes_nothing(tmp_path):
    settings = load(tmp_path, "workers = 2\nno_text = true\n").replace(workers=4, no_text=None, store=None)
    assert (settings.workers, settings.no_text) == (4, True)


@pytest.mark.parametrize(
    "text, line, offer",
    [
        ('\nstor = "x"\n', 2, "`store`"),
        ("[polcy]\nip = 'hash'\n", 1, "`policy`"),
        ("workers = 1\nno-text = true\n", 2, "`no_text`"),
    ],
)
def test_an_unknown_key_names_its_line_and_the_nearest_known_one(tmp_path, text, line, offer):
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert caught.value.at is not None and caught.value.at.line == line
    assert offer in caught.value.fix


def test_every_problem_of_a_file_is_reported_at_once(tmp_path):
    with pytest.raises(UsageError) as caught:
        load(tmp_path, "stor = 1\nworkers = 'many'\nno_text = 3\n")
    for part in ("`store`", "`workers`", "`no_text`"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "workers = 0",
        "workers = true",
        "max_bad = 1.5",
        "max_bad = -1",
        "max_bad = nan",
        'max_bad = "some"',
        'engine = "duckbd"',
        'until = "yesterday"',
        'store = ""\nformat = 3',
        "[policy]\nip = 'burn'",
        "[policy]\nipp = 'hash'",
        "[policy]\nat = 'drop'",
        "[policy]\naccount_id = 'drop'",
        "[policy]\ntokens_in = 'hash'",
        "policy = 'hash'\nstore = 1",
    ],
)
def test_a_wrong_value_is_refused_with_a_fix(tmp_path, text):
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert caught.value.exit_code == 2 and caught.value.fix


def test_a_file_that_is_no_toml_or_is_missing_is_bad_input(tmp_path):
    with pytest.raises(InputError):
        load(tmp_path, "store = \n")
    with pytest.raises(InputError):
        Settings.load({}, tmp_path / "none.toml", now_us=0)


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T10:20:30Z", "2026-03-02T10:20:30", "2026-03-02 12:20:30+02:00", "20260302T102030Z", "1772446830"],
)
def test_times_without_a_zone_are_utc_and_seconds_are_taken(text):
    want = int(datetime(2026, 3, 2, 10, 20, 30, tzinfo=UTC).timestamp()) * 1_000_000
    assert parse_time(text) == want


def test_fractions_of_a_second_are_not_rounded():
    # binary floats cannot hold this many microseconds since 1970 times ten; the value is put together from digits
    assert parse_time("1772446830.123457") == 1_772_446_830_123_457


@pytest.mark.parametrize("text, want", [("5%", 0.05), ("0.5", 0.5), ("1.0", 1.0), ("1", 1), ("100", 100), ("0", 0)])
def test_a_share_and_a_count_are_told_apart_by_the_point(text, want):
    got = parse_max_bad(text)
    assert got == want and type(got) is type(want)


def test_settings_go_into_a_manifest_as_json(tmp_path):
    import json

    settings = load(tmp_path, "[policy]\nip = 'hash'\n")
    assert json.loads(json.dumps(settings.as_dict()))["policy"] == {"ip": "hash"}
