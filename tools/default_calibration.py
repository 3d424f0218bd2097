"""Make the shipped calibration: benign accounts of generated traffic, many seeds. `make calibration` runs it.

    python tools/default_calibration.py SEEDS OUT

Seed 7, the demo's own, is never among them. Accounts of campaigns, resellers and routers are left out by the ground
truth, accounts whose contract allows what they do by their flag.
"""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import stillwatch.signals
from stillwatch import people
from stillwatch.config import Settings
from stillwatch.engine import Engine
from stillwatch.ingest.accounts import read_accounts
from stillwatch.intake import Intake
from stillwatch.judge.calibrate import Collector
from stillwatch.lab.traffic import Truth, write_demo
from stillwatch.progress import ignore
from stillwatch.store.layout import Store

FIRST_SEED = 101


def main(seeds: int, out: Path) -> None:
    """Generate, scan, gather, write."""
    assert stillwatch.signals is not None
    collector = Collector()
    exchanges = 0
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        with tempfile.TemporaryDirectory() as folder:
            logs = Path(folder) / "logs"
            truth: Truth = write_demo(logs, seed=seed)
            guilty = {a for a, t in truth.accounts.items() if t.role != "honest"}
            benign = Path(folder) / "benign"
            benign.mkdir()
            exchanges += keep_benign(logs, benign, guilty)
            settings = Settings(store=Path(folder) / "store", now_us=int(datetime.now(UTC).timestamp() * 1e6))
            store = Store(settings.store)
            Intake(store, settings, ignore).run([str(benign)])
            accounts = read_accounts(str(logs / "accounts.jsonl")).table
            hashed = people.hashed(store, accounts)
            engine = Engine(threads=settings.workers)
            engine.load(store.files("sketches"), hashed)
            collector.add(engine, without=frozenset(people.flags(hashed, accounts)))
            engine.close()
            print(f"seed {seed}: {collector.units} accounts", file=sys.stderr, flush=True)
    calibration = collector.finish(
        name="default",
        date=datetime.now(UTC).date().isoformat(),
        made_from=f"{collector.units} benign accounts and {exchanges} exchanges of generated traffic, "
        f"seeds {FIRST_SEED} to {FIRST_SEED + seeds - 1}; no real customer's traffic is in it",
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(calibration.to_json())
    print(f"{out}: digest {calibration.digest}", file=sys.stderr)


def keep_benign(logs: Path, out: Path, guilty: set[str]) -> int:
    """Copy the rows of honest accounts; how many."""
    import zstandard

    kept = 0
    for source in sorted(logs.glob("*.jsonl.zst")):
        lines = zstandard.ZstdDecompressor().stream_reader(source.open("rb")).read().splitlines()
        honest = [x for x in lines if json.loads(x)["metadata"]["user_api_key_user_id"] not in guilty]
        kept += len(honest)
        (out / source.name.removesuffix(".zst")).write_bytes(b"\n".join(honest) + b"\n")
    return kept


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
