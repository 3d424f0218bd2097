"""The demo's traffic: a fortnight of a gateway, with its ground truth."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import orjson
import zstandard

from stillwatch.lab.traffic import campaigns, intermediaries, people
from stillwatch.lab.traffic.lookalikes_groups import GROUPS
from stillwatch.lab.traffic.lookalikes_jobs import JOBS
from stillwatch.lab.traffic.truth import AccountTruth, CampaignTruth, LookAlike, Truth
from stillwatch.lab.traffic.world import Account, World

_KINDS = {"hydra": ("F1", "F9"), "direct": ("F17", "F7", "F6"), "routed": ("F13",)}


def build(seed: int = 7) -> tuple[World, Truth]:
    """Simulate the fortnight in memory.

    Returns:
        the world with its logged lines in the order in which LiteLLM logs them (by end), and the truth.
    """
    world = World(Random(seed))
    people.everybody(world, chatters=150, coders=48, products=38, scripts=24)
    alike = {play.__name__: play(world) for play in (*JOBS, *GROUPS)}
    members: dict[str, list[Account]] = {
        "hydra": campaigns.hydra(world, accounts=124, items=1950),
        "direct": campaigns.direct(world, accounts=8, per_account=190),
        "routed": [intermediaries.routed(world, requests=2800)],
    }
    intermediaries.reseller(world, accounts=15, requests=1500)
    _decoys(world, members["hydra"], alike)
    world.lines.sort(key=lambda line: (line.end, line.exchange_id))
    about = {play.__name__: (play.__doc__ or "").strip() for play in (*JOBS, *GROUPS)}
    truth = Truth(
        seed=seed,
        exchanges=len(world.lines),
        accounts={
            a.account_id: AccountTruth(role=a.role, family=a.family, campaign=a.campaign)
            for a in world.accounts.values()
        },
        campaigns={name: _campaign(world, name, accounts) for name, accounts in members.items()},
        look_alikes={
            name: LookAlike(
                accounts=tuple(a.account_id for a in accounts),
                exchanges=sum(world.exchanges[a.account_id] for a in accounts),
                about=about[name],
            )
            for name, accounts in alike.items()
        },
    )
    return world, truth


def _campaign(world: World, name: str, accounts: list[Account]) -> CampaignTruth:
    harvest = sorted(world.harvest[name])
    return CampaignTruth(
        accounts=tuple(a.account_id for a in accounts),
        exchanges=len(harvest),
        first_at=int(harvest[0][0] * 1_000_000),
        kinds=_KINDS[name],
        exchange_ids=tuple(ident for _, ident in harvest),
    )


def _decoys(world: World, hydra: list[Account], alike: dict[str, list[Account]]) -> None:
    """Identity that honest accounts share with the hydra by chance: an office, a VPN exit, a household card."""
    rng = world.rng
    for head, host in zip(
        rng.sample(hydra, 6),
        ("course", "course", "vpn_users", "vpn_users", "enterprise_nat", "saas_cards"),
        strict=True,
    ):
        head.record["signup_ip"] = alike[host][0].ips[0]
    folk = [a for a in world.accounts.values() if a.family == "person"]
    for _ in range(14):
        one, other = rng.sample(folk, 2)
        other.record["payment_fingerprint"] = one.record["payment_fingerprint"]
        one, other = rng.sample(folk, 2)
        other.record["signup_ip"] = one.record["signup_ip"]


def write_demo(out_dir: Path, *, seed: int = 7) -> Truth:
    """Write the demo traffic to `out_dir`: `gateway-YYYY-MM-DD.jsonl.zst`, `accounts.jsonl`, `truth.json`.

    Equal seeds give equal bytes (for one version of zstandard). Rows stand in order of their end.

    Args:
        out_dir: made if missing; files of the same names are replaced.
        seed:    of the one random stream behind everything.
    Returns:
        the ground truth, as written.
    Raises:
        OSError: the directory cannot be written.
    """
    world, truth = build(seed)
    out_dir.mkdir(parents=True, exist_ok=True)
    days: dict[str, list[bytes]] = {}
    for line in world.lines:
        days.setdefault(datetime.fromtimestamp(line.end, UTC).date().isoformat(), []).append(line.data)
    for day, lines in days.items():
        packed = zstandard.ZstdCompressor(level=5).compress(b"".join(lines))
        (out_dir / f"gateway-{day}.jsonl.zst").write_bytes(packed)
    order = sorted(world.accounts)
    accounts = b"".join(orjson.dumps(world.accounts[i].record, option=orjson.OPT_APPEND_NEWLINE) for i in order)
    (out_dir / "accounts.jsonl").write_bytes(accounts)
    truth.write(out_dir / "truth.json")
    return truth
