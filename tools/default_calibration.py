"""Make the shipped calibration: honest accounts of generated traffic, many seeds. `make calibration` runs it.

    python tools/default_calibration.py SEEDS OUT

The traffic is the scenario `honest` of the tune side; seeds from 101 on make the calibration, one more is kept apart
to count how often it marks an honest account (`alarms`). Resellers and routers are left out by the ground truth,
accounts with a contract for making training data by their flag.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import stillwatch.signals
from stillwatch import people
from stillwatch.config import Settings
from stillwatch.engine import Engine
from stillwatch.ingest.accounts import read_accounts
from stillwatch.intake import Intake
from stillwatch.judge.analyse import analyse
from stillwatch.judge.calibrate import Collector
from stillwatch.judge.decide import Rules
from stillwatch.lab.traffic import scenario
from stillwatch.lab.traffic.write import write
from stillwatch.progress import ignore
from stillwatch.store.layout import Store

FIRST_SEED = 101
EXCHANGES = 60_000
KEPT_APART = 1
CONTRACTS = frozenset({"synthetic_data", "research"})  # what they may do looks like a harvest


def main(seeds: int, out: Path) -> None:
    """Generate, scan, gather, write; then judge what was kept apart."""
    assert stillwatch.signals is not None
    collector = Collector()
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        with honest(seed) as (engine, without, _):
            collector.add(engine, without=without)
        print(f"seed {seed}: {collector.units} accounts", file=sys.stderr, flush=True)
    made = collector.finish(
        name="default", date=datetime.now(UTC).date().isoformat(),
        made_from=f"{collector.units} honest accounts of generated traffic, scenario `honest`, seeds {FIRST_SEED} to "
        f"{FIRST_SEED + seeds - 1}; no real customer's traffic is in it",
    )  # fmt: skip
    verdicts: Counter[str] = Counter()
    for seed in range(FIRST_SEED + seeds, FIRST_SEED + seeds + KEPT_APART):
        with honest(seed) as (engine, without, flags):
            found = analyse(engine, made, Rules(), flags=flags).verdicts
            verdicts.update(v for a, v in found.items() if a not in without)
    total = sum(verdicts.values())
    made = replace(made, alarms={v: round(k / total, 6) for v, k in sorted(verdicts.items())})
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(made.to_json())
    print(f"{out}: digest {made.digest}; on {total} accounts kept apart: {dict(verdicts)}", file=sys.stderr)


@contextmanager
def honest(seed: int) -> Iterator[tuple[Engine, frozenset[int], Mapping[int, frozenset[str]]]]:
    """One seed's traffic in an engine; who is not to be learnt from; and the contract flags."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        cast = scenario.cast(scenario.load("honest"), seed=seed, side="tune", exchanges=EXCHANGES)
        write(cast, base, seed=seed, side="tune", scenario="honest", expected=EXCHANGES)
        truth = json.loads((base / "truth.json").read_bytes())["accounts"]
        settings = Settings(store=base / "store", now_us=int(datetime.now(UTC).timestamp() * 1e6))
        store = Store(settings.store)
        Intake(store, settings, ignore).run([str(base / "logs")])
        accounts = read_accounts(str(base / "accounts.jsonl")).table
        hashed = people.hashed(store, accounts)
        names = zip(hashed.column("account").to_pylist(), accounts.column("account_id").to_pylist(), strict=True)
        flags = people.flags(hashed, accounts)
        without = {h for h, name in names if truth[name]["role"] != "honest"}
        engine = Engine(threads=settings.workers)
        try:
            engine.load(store.files("sketches"), hashed)
            yield engine, frozenset(without | {h for h, f in flags.items() if f & CONTRACTS}), flags
        finally:
            engine.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
