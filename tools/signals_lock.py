"""Writes signals.lock: id, version and digest of every signal; with --check only says whether it is fresh.

    python tools/signals_lock.py [--check] [--unreleased]

A stored verdict names `SG104@3`. A definition that changes under the same version would make that name a lie, so a
changed digest needs a higher version, and an id never goes away. --unreleased lets a version be redefined, for
signals that no release has carried yet.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))
LOCK = ROOT / "src" / "stillwatch" / "signals" / "signals.lock"
HEAD = "# Made by tools/signals_lock.py: id, version, digest. A changed digest needs a higher version.\n"


class Locked(NamedTuple):
    """What the lock keeps of a signal."""

    version: int
    digest: str


def parsed(text: str) -> dict[str, Locked]:
    """The lines of a lock file: id -> version and digest."""
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {id_: Locked(int(version), digest) for id_, version, digest in rows}


def written(signals: Mapping[str, Locked]) -> str:
    """The lock file of these signals, sorted by id."""
    return HEAD + "".join(f"{id_} {s.version} {s.digest}\n" for id_, s in sorted(signals.items()))


def present() -> dict[str, Locked]:
    """The signals of this repository; those of other packages keep a lock of their own."""
    importlib.import_module("stillwatch.signals")  # registers every signal
    registry = importlib.import_module("stillwatch.signals.registry").ALL
    own = {i: s for i, s in registry.items() if s.measure.__module__.startswith("stillwatch.signals.")}
    return {i: Locked(s.version, s.digest) for i, s in own.items()}


def faults(locked: Mapping[str, Locked], now: Mapping[str, Locked]) -> list[str]:
    """What makes old verdicts unreadable, one sentence with the fix each; none if versions only rise."""
    found = []
    for id_, old in sorted(locked.items()):
        if id_ not in now:
            found.append(f"`{id_}` is gone; move it to signals/_retired and keep its line, or restore it")
        elif now[id_].version < old.version:
            found.append(f"`{id_}` went back from version {old.version}; set `version={old.version + 1}`")
        elif now[id_].version == old.version and now[id_].digest != old.digest:
            found.append(f"`{id_}` changed under version {old.version}; set `version={old.version + 1}` in its file")
    return found


def main(argv: list[str]) -> int:
    """Write the lock, or with --check compare it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the lock is stale")
    parser.add_argument("--unreleased", action="store_true", help="let versions that no release has carried change")
    options = parser.parse_args(argv)
    text = LOCK.read_text(encoding="utf-8") if LOCK.is_file() else ""
    now = present()
    wrong = [] if options.unreleased else faults(parsed(text), now)
    if wrong:
        print("\n".join(f"error: {sentence}" for sentence in wrong), file=sys.stderr)
        return 1
    if text == written(now):
        return 0
    if options.check:
        print("error: signals.lock is stale\n fix: python tools/signals_lock.py", file=sys.stderr)
        return 1
    LOCK.write_text(written(now), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
