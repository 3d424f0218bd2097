"""Attackers who adapt: a data set rewritten as one of them would have made it, with its answer key.

    spread   knows the code and every threshold, not the deployment's secret and calibration: twenty times the accounts,
             each with its own card, address, sign-up and key, in the client of some honest customer
    framed   wears an innocent's clothes: every account of a campaign has the address, client, sign-up address and
             sign-up time of an honest account of its own choice
    poison   behaves during calibration as it will later: its accounts are among those held to be honest (see `fit`)

Identities are rewritten in LiteLLM logs, the generator's default; what was asked and when stays as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from stillwatch.bench.detection.data import DataSet, Known
from stillwatch.ingest.files import expand

SPREAD: Final = 20  # accounts where there was one
Row = dict[str, Any]


class Identity:
    """Who a request seems to come from: the parts of a logged row that name account, key, address and client."""

    def __init__(self, row: Row) -> None:
        self.row = row

    def wear(self, other: Row, *, address: str | None = None) -> None:
        """Take the address and the client of another row; or another address."""
        theirs = other["metadata"]
        where = address or other.get("requester_ip_address")
        agent = other.get("user_agent")
        self.row.update(requester_ip_address=where, user_agent=agent)
        self.row["metadata"].update(requester_ip_address=where, user_agent=agent)
        headers = (theirs.get("requester_metadata") or {}).get("headers")
        if headers is not None:
            self.row["metadata"]["requester_metadata"] = {"headers": dict(headers)}

    def become(self, account: str, key: str) -> None:
        """Belong to another account, under a key of its own."""
        self.row["metadata"].update(
            user_api_key_user_id=account, user_api_key_hash=key, user_api_key_alias=f"key-{key[:8]}"
        )


def spread(data: DataSet, out: Path, *, times: int = SPREAD, seed: int = 0) -> DataSet:
    """Every campaign with accounts of its own, over `times` as many that have nothing in common."""
    known, rng = data.known(), Random(seed)
    donors = _honest_rows(data, known)
    table = _accounts(data)
    patterns = [table[n] for n in sorted(donors) if n in table]
    members = {name for name, account in known.accounts.items() if account.own}
    heirs: dict[str, list[tuple[str, str, Row, str]]] = {}
    moved: dict[str, str] = {}  # exchange -> account
    names = sorted(donors)

    def change(row: Row) -> None:
        account = row["metadata"]["user_api_key_user_id"]
        if account not in members:
            return
        if account not in heirs:
            heirs[account] = [_heir(rng, donors[rng.choice(names)]) for _ in range(times)]
        name, key, clothes, address = heirs[account][rng.randrange(times)]
        Identity(row).wear(clothes, address=address)
        Identity(row).become(name, key)
        moved[row["litellm_call_id"]] = name

    _rewrite(data, out, change)
    for account in sorted(members):
        table.pop(account, None)
    for group in heirs.values():
        for name, key, _, address in group:
            # A record like anybody's, with a card, an e-mail and a sign-up of its own.
            table[name] = {
                **rng.choice(patterns), "account_id": name, "payment_fingerprint": f"pay_{key[:16]}",
                "email_fingerprint": f"em_{key[16:32]}", "signup_ip": address, "org_name": None,
                "contract_flags": None,
            }  # fmt: skip
            created = table[name].get("created_at")
            table[name]["created_at"] = created + rng.randrange(10**12) if created else None
    _write(data, out, table, moved, {a: [h[0] for h in group] for a, group in heirs.items()})
    return DataSet(folder=out)


def framed(data: DataSet, out: Path, *, seed: int = 0) -> tuple[DataSet, list[str]]:
    """Every account of a campaign in the clothes of an honest one; the honest ones that are framed."""
    known, rng = data.known(), Random(seed)
    donors = _honest_rows(data, known)
    table = _accounts(data)
    names = sorted(donors)
    members = sorted(name for name, account in known.accounts.items() if account.own)
    victim = {a: rng.choice(names) for a in members}

    def change(row: Row) -> None:
        worn = victim.get(row["metadata"]["user_api_key_user_id"])
        if worn is not None:
            Identity(row).wear(donors[worn])

    _rewrite(data, out, change)
    for account, worn in victim.items():
        if account in table and worn in table:
            for column in ("signup_ip", "created_at", "email_domain", "org_name", "plan", "programme"):
                table[account][column] = table[worn].get(column)
    _write(data, out, table, {}, {})
    return DataSet(folder=out), sorted(set(victim.values()))


def spent(data: DataSet, known: Known) -> dict[str, float]:
    """campaign -> what its harvest cost at the prices in the log, in dollars."""
    sums: dict[str, float] = defaultdict(float)
    for _, rows in _files(data):
        for row in rows:
            place = known.position.get(row["litellm_call_id"])
            campaign = None if place is None else known.campaign[place]
            if campaign is not None:
                sums[campaign] += float(row.get("response_cost") or 0.0)
    return dict(sums)


def _heir(rng: Random, clothes: Row) -> tuple[str, str, Row, str]:
    address = f"198.{18 + rng.randrange(2)}.{rng.randrange(1, 255)}.{rng.randrange(2, 254)}"  # RFC 2544
    return f"acct_{rng.getrandbits(40):010x}", f"{rng.getrandbits(256):064x}", clothes, address


def _files(data: DataSet) -> Iterator[tuple[Path, list[Row]]]:
    for entry in expand([str(data.logs)]):
        path = Path(entry.path)
        raw = path.read_bytes()
        if path.suffix == ".zst":
            raw = zstandard.ZstdDecompressor().stream_reader(raw).read()
        yield path, [orjson.loads(line) for line in raw.splitlines() if line]


def _honest_rows(data: DataSet, known: Known) -> dict[str, Row]:
    """One row of each honest account, its last."""
    found: dict[str, Row] = {}
    for _, rows in _files(data):
        for row in rows:
            name = row["metadata"]["user_api_key_user_id"]
            if name in known.accounts and known.accounts[name].role == "honest":
                found[name] = {k: row.get(k) for k in ("requester_ip_address", "user_agent", "metadata")}
    return found


def _accounts(data: DataSet) -> dict[str, Row]:
    rows = [orjson.loads(line) for line in data.accounts.read_bytes().splitlines() if line]
    return {row["account_id"]: row for row in rows}


def _rewrite(data: DataSet, out: Path, change: Callable[[Row], None]) -> None:
    (out / "logs").mkdir(parents=True, exist_ok=True)
    for path, rows in _files(data):
        for row in rows:
            change(row)
        lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        (out / "logs" / path.name.removesuffix(".zst")).write_bytes(lines)


def _write(
    data: DataSet, out: Path, table: Mapping[str, Row], moved: Mapping[str, str], heirs: Mapping[str, Sequence[str]]
) -> None:
    """Accounts and answer key beside the rewritten logs."""
    lines = b"".join(orjson.dumps(table[name], option=orjson.OPT_APPEND_NEWLINE) for name in sorted(table))
    (out / "accounts.jsonl").write_bytes(lines)
    truth = orjson.loads((data.folder / "truth.json").read_bytes())
    for account, names in heirs.items():
        about = truth["accounts"].pop(account)
        truth["accounts"].update({name: about for name in names})
    for campaign in truth["campaigns"].values():
        campaign["accounts"] = [n for a in campaign["accounts"] for n in heirs.get(a, [a])]
    (out / "truth.json").write_bytes(orjson.dumps(truth))
    rows = pq.read_table(data.folder / "truth.parquet")
    owners = [
        moved.get(e, a)
        for e, a in zip(rows.column("exchange_id").to_pylist(), rows.column("account_id").to_pylist(), strict=True)
    ]
    place = rows.schema.get_field_index("account_id")
    pq.write_table(rows.set_column(place, "account_id", pa.array(owners, pa.string())), out / "truth.parquet")
