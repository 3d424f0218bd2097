"""The accounts table as the analysis sees it: hashes under the store's secret, and contract flags."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from stillwatch.sketch.elicitation import Cues
from stillwatch.sketch.sketch import Sketcher
from stillwatch.store.engine import ACCOUNTS
from stillwatch.store.layout import Store


def hashed(store: Store, accounts: pa.Table) -> pa.Table:
    """`tables.ACCOUNT` to `engine.ACCOUNTS`: every value a keyed hash, joined to sketches by `account`."""
    sketcher = Sketcher(store.secret, Cues.compile())
    size = accounts.num_rows

    def column(source: str, use: str) -> pa.Array:
        values = sketcher.hashes(accounts.column(source).combine_chunks(), use) if size else np.zeros(0, np.uint64)
        return pa.array(values, mask=values == 0)

    account = (
        sketcher.hashes(accounts.column("account_id").combine_chunks(), "account") if size else np.zeros(0, np.uint64)
    )
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
