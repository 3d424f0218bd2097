"""The check-up: what is wrong gets a fix, and what is found never becomes a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from stillwatch import doctor
from stillwatch.config import Settings

DAY_US = 86_400_000_000
MADE = 1_772_409_600_000_000  # 2026-03-02T00:00:00Z


def calibration(folder: Path, date: str = "2026-03-02") -> Path:
    bundled = json.loads((Path(doctor.__file__).parent / "judge" / "data" / "calibration.json").read_text())
    file = folder / "calibration.json"
    file.write_text(json.dumps({**bundled, "date": date}))
    return file


def found(settings: Settings, name: str, **environ: str) -> doctor.Check:
    return next(c for c in doctor.examine(settings, environ).checks if c.name == name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=tmp_path / "store", calibration=calibration(tmp_path), now_us=MADE + DAY_US)


def test_a_whole_installation_is_healthy(settings, tmp_path):
    checkup = doctor.examine(settings, {"NUMBA_CACHE_DIR": str(tmp_path)})
    assert checkup.healthy, checkup.text()
    assert all(check.fix == "" for check in checkup.checks if check.state == "ok")
    assert json.loads(json.dumps(checkup.as_dict()))["healthy"] is True


def test_looking_makes_no_store(settings, tmp_path):
    doctor.examine(settings, {"NUMBA_CACHE_DIR": str(tmp_path)})
    assert not settings.store.exists()


def test_a_missing_component_fails_and_a_replaceable_one_warns(settings, monkeypatch):
    more = {**doctor.COMPONENTS, "no-such-package": ("no_such", False), "no-such-extra": ("no_such", True)}
    monkeypatch.setattr(doctor, "COMPONENTS", more)
    assert found(settings, "no-such-package").state == "fail"
    assert found(settings, "no-such-package").fix == "pip install no-such-package"
    assert found(settings, "no-such-extra").state == "warn"


def test_a_component_that_does_not_load_is_a_finding(settings, monkeypatch):
    monkeypatch.setattr(doctor, "COMPONENTS", {"numpy": ("numpy.no_such_module", False)})
    check = found(settings, "numpy")
    assert (check.state, check.fix) == ("fail", "pip install --force-reinstall numpy")


def test_a_store_that_is_a_file_or_foreign_or_torn_fails_with_a_fix(settings, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    assert found(replace(settings, store=file), "store").state == "fail"
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("x")
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "store.json").write_text('{"format": ')
    for folder in (foreign, torn):
        check = found(replace(settings, store=folder), "store")
        assert check.state == "fail" and check.fix
        assert sorted(p.name for p in folder.iterdir()) == ["letter.txt" if folder == foreign else "store.json"]


def test_a_secret_that_others_can_read_is_a_warning(settings):
    settings.store.mkdir()
    secret = settings.store / "secret.key"
    secret.write_bytes(b"0" * 16)
    secret.chmod(0o644)
    assert "chmod 600" in found(settings, "secret").fix


@pytest.mark.parametrize(
    "text, state",
    [("", "fail"), ("[]", "fail"), ("{}", "fail"), ('{"version": 1}', "fail"), ('{"version": 99}', "fail")],
)
def test_a_file_that_is_no_calibration_fails(settings, tmp_path, text, state):
    (tmp_path / "calibration.json").write_text(text)
    assert found(settings, "calibration").state == state


def test_an_old_calibration_of_ones_own_is_a_warning(settings):
    assert found(settings, "calibration").state == "ok"
    assert "2026-03-02" in found(settings, "calibration").found
    late = replace(settings, now_us=MADE + 181 * DAY_US)
    assert found(late, "calibration").state == "warn"
