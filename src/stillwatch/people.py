"""The accounts table as the analysis sees it: hashes under the store's secret, and contract flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from stillwatch.engine import ACCOUNTS
from stillwatch.sketch.keyed import hashes
from stillwatch.store.layout import Store

# Columns of the accounts table that a column of the exchanges speaks for: who hashes one must not keep the other.
ALIKE: Final = {"account_id": ("account_id",), "ip": ("signup_ip",), "org_id": ("org_name",)}
_HASHED: Final = b"stillwatch.account_id"  # schema metadata: the ids of this table are hashes already


def policed(store: Store, accounts: pa.Table, policy: Mapping[str, str]) -> pa.Table:
    """What the store may keep of `tables.ACCOUNT` under a policy of columns of `tables.EXCHANGE`.

    A hashed column holds keyed hashes as text; links between accounts and with exchanges stay what they were. May be
    applied again to its own result.
    """
    if not any(what in ("hash", "drop") for column, what in policy.items() if column in ALIKE):
        return accounts
    done = accounts.schema.metadata or {}
    for column, what in policy.items():
        for name in ALIKE.get(column, ()) if what in ("hash", "drop") else ():
            mark = b"stillwatch." + name.encode()
            if mark in done:
                continue
            i = accounts.schema.get_field_index(name)
            given = accounts.column(name).combine_chunks()
            values = pa.nulls(len(given), pa.string())
            if what == "hash" and len(given):
                use = {"account_id": "account", "signup_ip": "signup_ip", "org_name": "org"}[name]
                values = pa.array(
                    [f"{h:016x}" if h else None for h in hashes(store.secret, given, use).tolist()], pa.string()
                )
            accounts = accounts.set_column(i, accounts.schema.field(i), values)
            done = {**done, mark: what.encode()}
    return accounts.replace_schema_metadata(done or None)


def hashed(store: Store, accounts: pa.Table) -> pa.Table:
    """`tables.ACCOUNT`, policed or not, to `engine.ACCOUNTS`: keyed hashes, joined to sketches by `account`."""
    size = accounts.num_rows

    def column(source: str, use: str) -> pa.Array:
        values = hashes(store.secret, accounts.column(source).combine_chunks(), use) if size else np.zeros(0, np.uint64)
        return pa.array(values, mask=values == 0)

    if _HASHED in (accounts.schema.metadata or {}):
        account = np.array([int(h, 16) for h in accounts.column("account_id").to_pylist()], np.uint64)
    elif size:
        account = hashes(store.secret, accounts.column("account_id").combine_chunks(), "account")
    else:
        account = np.zeros(0, np.uint64)
    return pa.table(
        {
            "account": pa.array(account, pa.uint64()),
            "created_at": accounts.column("created_at"),
            "payment": column("payment_fingerprint", "payment"),
            "card_bin": column("card_bin", "card_bin"),
            "signup_ip": column("signup_ip", "signup_ip"),
            "email": column("email_fingerprint", "email"),
            "programme": column("programme", "programme"),
            "plan": column("plan", "plan"),
            "org": column("org_name", "org"),
        }
    ).cast(ACCOUNTS)


def flags(hashed_accounts: pa.Table, accounts: pa.Table) -> Mapping[int, frozenset[str]]:
    """account hash -> contract flags."""
    return {
        int(h): frozenset(f.strip() for f in text.split(",") if f.strip())
        for h, text in zip(
            hashed_accounts.column("account").to_pylist(), accounts.column("contract_flags").to_pylist(), strict=True
        )
        if text
    }
