"""Make the shipped calibration: honest accounts of generated traffic, many seeds. `make calibration` runs it.

    python tools/default_calibration.py SEEDS OUT

The traffic is the scenario `ordinary` of the tune side, seeds from 201 on. Resellers and routers are in it, as they are
among a provider's customers: reselling is no harvest. Accounts with a contract for making training data are left out.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import stillwatch.signals
from stillwatch import people
from stillwatch.config import Settings
from stillwatch.engine import Engine
from stillwatch.ingest.accounts import read_accounts
from stillwatch.intake import Intake
from stillwatch.judge.calibrate import calibrated
from stillwatch.lab.traffic import scenario
from stillwatch.lab.traffic.write import write
from stillwatch.progress import ignore
from stillwatch.store.layout import Store

SCENARIO = "ordinary"
FIRST_SEED = 201
CONTRACTS = frozenset({"synthetic_data", "research"})  # what they may do looks like a harvest


def main(seeds: int, out: Path) -> None:
    """Generate and scan on all cores; gather, judge what was gathered by the other half, write."""
    assert stillwatch.signals is not None
    with tempfile.TemporaryDirectory() as folder:
        bases = [Path(folder) / str(seed) for seed in range(FIRST_SEED, FIRST_SEED + seeds)]
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
            for base in pool.map(made, bases):
                print(f"seed {base.name} is scanned", file=sys.stderr, flush=True)
        calibration = calibrated(
            [partial(opened, base) for base in bases], name="default", date=datetime.now(UTC).date().isoformat(),
            made_from=lambda units: f"{units} honest accounts of generated traffic, scenario `{SCENARIO}`, seeds "
            f"{FIRST_SEED} to {FIRST_SEED + seeds - 1}; no real customer's traffic is in it",
            progress=lambda done: print(f"step {done} of {2 * seeds}", file=sys.stderr, flush=True),
        )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(calibration.to_json())
    print(f"{out}: digest {calibration.digest}, {calibration.units} accounts", file=sys.stderr)


def made(base: Path) -> Path:
    """One seed's traffic, generated and scanned into `base`."""
    seed, chosen = int(base.name), scenario.load(SCENARIO)
    cast = scenario.cast(chosen, seed=seed, side="tune")
    write(cast, base, seed=seed, side="tune", scenario=SCENARIO, expected=chosen.exchanges)
    settings = Settings(store=base / "store", now_us=int(datetime.now(UTC).timestamp() * 1e6))
    Intake(Store(settings.store), settings, ignore).run([str(base / "logs")])
    return base


@contextmanager
def opened(base: Path) -> Iterator[tuple[Engine, frozenset[int]]]:
    """One seed's traffic in an engine, and who is not to be learnt from."""
    store = Store(base / "store")
    accounts = read_accounts(str(base / "accounts.jsonl")).table
    hashed = people.hashed(store, accounts)
    truth = json.loads((base / "truth.json").read_bytes())["accounts"]
    names = zip(hashed.column("account").to_pylist(), accounts.column("account_id").to_pylist(), strict=True)
    campaign = {h for h, name in names if truth[name]["role"] == "campaign"}
    contract = {h for h, flags in people.flags(hashed, accounts).items() if flags & CONTRACTS}
    engine = Engine(threads=2)
    try:
        engine.load(store.files("sketches"), hashed)
        yield engine, frozenset(campaign | contract)
    finally:
        engine.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
