"""A check-up of one installation: components, caches, store, calibration. Reads only, but for one probe file."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from stillwatch import __version__
from stillwatch.config import Settings
from stillwatch.errors import InputError, StillwatchError

State = Literal["ok", "warn", "fail"]
_LOW_DISK = 2 << 30  # bytes; a scan of a million exchanges writes about a tenth of this
_OLD_CALIBRATION_DAYS = 180
# distribution -> (module, whether Stillwatch runs without it)
COMPONENTS: Mapping[str, tuple[str, bool]] = {
    "duckdb": ("duckdb", False),
    "pyarrow": ("pyarrow", False),
    "numpy": ("numpy", False),
    "scipy": ("scipy.sparse", False),
    "numba": ("numba", False),
    "ibis-framework": ("ibis", False),
    "orjson": ("orjson", False),
    "msgspec": ("msgspec", False),
    "xxhash": ("xxhash", False),
    "zstandard": ("zstandard", False),
    "isal": ("isal.igzip", False),
    "google-re2": ("re2", False),
    "hyperscan": ("hyperscan", True),
    "graspologic-native": ("graspologic_native", False),
    "typer": ("typer", False),
    "rich": ("rich", False),
    "jinja2": ("jinja2", False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. `fix` is empty only if `state` is ok."""

    name: str
    state: State
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """All checks of one examination, in the order in which they were made."""

    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Nothing failed (warnings are allowed)."""
        return all(check.state != "fail" for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"healthy": self.healthy, "checks": [asdict(check) for check in self.checks]}

    def text(self) -> str:
        """One line a check, the fix below it."""
        wide = max((len(check.name) for check in self.checks), default=0)
        lines = []
        for check in self.checks:
            lines.append(f"{check.state:<5} {check.name:<{wide}}  {check.found}")
            if check.fix:
                lines.append(f"{'':<5} {'':<{wide}}  fix: {check.fix}")
        return "\n".join(lines)


def examine(settings: Settings, environ: Mapping[str, str]) -> Checkup:
    """Look at everything a scan needs. Never raises for what it finds; a finding is a `Check`."""
    checks = [_python(), *_components(), _numba_cache(environ), _disk(settings.store)]
    checks += [*_store(settings.store), _calibration(settings)]
    return Checkup(checks=tuple(checks))


def _python() -> Check:
    found = f"stillwatch {__version__}, Python {platform.python_version()}, {platform.machine()}, {sys.platform}"
    return Check(name="python", state="ok", found=found)


def _components() -> Iterator[Check]:
    for package, (module, optional) in COMPONENTS.items():
        try:
            version = metadata.version(package)
            importlib.import_module(module)
        except metadata.PackageNotFoundError:
            fix = "pip install " + package
            if optional:
                fix += " (RE2 matches instead, about three times slower)"
            yield Check(name=package, state="warn" if optional else "fail", found="not installed", fix=fix)
        except Exception as err:  # broad on purpose: a broken wheel may raise anything while it loads
            yield Check(
                name=package,
                state="warn" if optional else "fail",
                found=f"does not load: {type(err).__name__}: {err}",
                fix=f"pip install --force-reinstall {package}",
            )
        else:
            yield Check(name=package, state="ok", found=version)


def _numba_cache(environ: Mapping[str, str]) -> Check:
    """Where numba keeps compiled kernels; without a place every start compiles for a minute."""
    from stillwatch.sketch import kernel_cache

    folder = kernel_cache.cache_folder(environ)
    if folder is not None and not folder.name.startswith(kernel_cache.OWN_PREFIX):
        return Check(name="kernel cache", state="ok", found=str(folder))
    return Check(
        name="kernel cache",
        state="warn",
        found="no folder can be written: every start compiles for about a minute",
        fix="set NUMBA_CACHE_DIR to a folder that this user may write, for example ~/.cache/numba",
    )


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _disk(store: Path) -> Check:
    folder = store.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:,.1f} GB free where the store lies"
    if free < _LOW_DISK:
        return Check(name="disk", state="warn", found=found, fix="free some space, or put --store on a larger disk")
    return Check(name="disk", state="ok", found=found)


def _store(store: Path) -> Iterator[Check]:
    if not store.exists():
        yield Check(name="store", state="ok", found=f"none yet at `{store}`; the first scan makes it")
        return
    if not store.is_dir():
        fix = "give --store a folder, or move the file away"
        yield Check(name="store", state="fail", found=f"`{store}` is not a folder", fix=fix)
        return
    if not os.access(store, os.R_OK | os.X_OK):
        fix = f"chmod u+rx {store}, or run as its owner"
        yield Check(name="store", state="fail", found=f"`{store}` cannot be read", fix=fix)
        return
    if not _writable(store):
        fix = f"chmod u+w {store}, or run as its owner (reading works)"
        yield Check(name="store", state="warn", found=f"`{store}` cannot be written", fix=fix)
    yield _manifest(store)
    yield from _secret(store)


def _manifest(store: Path) -> Check:
    from stillwatch.store import layout

    if not any(store.iterdir()):
        return Check(name="store", state="ok", found=f"`{store}` is empty; the first scan fills it")
    try:
        inputs = layout.Store(store, create=False).inputs()
    except StillwatchError as err:
        return Check(name="store", state="fail", found=err.message, fix=err.fix)
    except Exception as err:  # broad on purpose: a damaged store is a finding, not a crash
        fix = "move the folder away and scan again; the logs are the source of truth"
        return Check(name="store", state="fail", found=f"does not open: {type(err).__name__}: {err}", fix=fix)
    found = f"`{store}`, format {layout.FORMAT_VERSION}, {len(inputs)} inputs"
    return Check(name="store", state="ok", found=found)


def _secret(store: Path) -> Iterator[Check]:
    """With the secret, hashes can be tested against guesses; nobody but its owner should read it."""
    secret = store / "secret.key"
    if secret.is_file() and secret.stat().st_mode & 0o077:
        fix = f"chmod 600 {secret}"
        yield Check(name="secret", state="warn", found=f"`{secret}` can be read by others", fix=fix)


def _calibration(settings: Settings) -> Check:
    """The calibration in force: where from, its digest, its date."""
    from stillwatch.judge.calibration import load  # late: `--help` must not wait for numpy

    fix = "stillwatch calibrate SOURCE --out FILE, then --calibration FILE"
    try:
        calibration = load(settings.calibration)
        when = datetime.fromisoformat(calibration.date)
    except InputError as err:
        return Check(name="calibration", state="fail", found=err.message, fix=err.fix)
    except ValueError:
        return Check(name="calibration", state="fail", found="the calibration has no date", fix=fix)
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    days = (settings.now_us // 1_000_000 - int(when.timestamp())) // 86_400
    origin = "bundled" if settings.calibration is None else f"`{settings.calibration}`"
    found = f"{origin}, {calibration.digest}, made {when:%Y-%m-%d} from {calibration.units:,} accounts"
    if settings.calibration is not None and days > _OLD_CALIBRATION_DAYS:
        return Check(name="calibration", state="warn", found=f"{found}, {days} days ago", fix=fix)
    return Check(name="calibration", state="ok", found=found)
