"""DuckDB over the store's Parquet files: the tables that signals read, and the runs of their expressions.

The only module that imports duckdb. Nothing is kept in a database file: a writer would lock every reader out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np
import pyarrow as pa

from stillwatch import tables
from stillwatch.engine.statements import statements
from stillwatch.signals import exchanges as columns
from stillwatch.signals.measure import TABLE_NAMES
from stillwatch.signals.registry import ALL, Tables

if TYPE_CHECKING:
    import ibis

# Accounts as signals see them: hashes under the store's secret.
ACCOUNTS: Final = pa.schema(
    [
        pa.field("account", pa.uint64()),
        pa.field("created_at", pa.int64()),
        *(pa.field(n, pa.uint64()) for n in ("payment", "card_bin", "signup_ip", "email", "programme", "plan", "org")),
    ]
)
_VALUES: Final = pa.schema(
    [pa.field("kind", pa.string()), pa.field("value", pa.uint64()), pa.field("account", pa.uint64())]
)


@lru_cache(maxsize=1)
def _schemas() -> tuple[ibis.Schema, ...]:
    import ibis

    sketch = pa.schema([tables.SKETCH.field(n) for n in columns.COLUMNS])
    unit = ibis.schema({"unit": "uint64"})
    base = ibis.table(ibis.Schema.from_pyarrow(sketch), name="sketches")
    extended = columns.measured(base).schema()
    return (
        ibis.schema({**unit, **extended}),
        ibis.Schema.from_pyarrow(ACCOUNTS),
        ibis.Schema.from_pyarrow(_VALUES),
    )


@lru_cache(maxsize=256)
def signal_sql(signal_id: str) -> str:
    """A signal's expression as DuckDB SQL over tables `exchanges`, `accounts`, `values_`."""

    def made() -> str:
        import ibis

        given = Tables(*(ibis.table(s, name=n) for s, n in zip(_schemas(), TABLE_NAMES, strict=True)))
        return str(ibis.to_sql(ALL[signal_id].measure(given), dialect="duckdb"))

    return statements().get(signal_id, made)


@lru_cache(maxsize=1)
def _measured_sql() -> str:
    def made() -> str:
        import ibis

        sketch = pa.schema([tables.SKETCH.field(n) for n in columns.COLUMNS])
        base = ibis.table(ibis.Schema.from_pyarrow(sketch), name="sketches")
        return str(ibis.to_sql(columns.measured(base), dialect="duckdb"))

    return statements().get("measured", made)


_LISTED: Final = ", ".join(f'"{name}"' for name in columns.COLUMNS)  # `at` is a reserved word in DuckDB


class Engine:
    """One analysis: sketches and accounts in, arrays out."""

    def __init__(self, *, memory_mib: int = 0, threads: int = 1, temp: Path | None = None) -> None:
        self._rows = "measured"
        self._db = duckdb.connect(":memory:")
        self._db.execute(f"SET threads = {max(1, threads)}")
        self._db.execute("SET preserve_insertion_order = false")
        self._db.execute("SET TimeZone = 'UTC'")
        if memory_mib:
            self._db.execute(f"SET memory_limit = '{memory_mib} MiB'")
        if temp is not None:
            self._db.execute(f"SET temp_directory = '{str(temp).replace(chr(39), chr(39) * 2)}'")

    def load(self, files: Sequence[str], accounts: pa.Table | None, *, until: int | None = None) -> None:
        """Take sketch files and an accounts table (`ACCOUNTS`)."""
        if files:
            listed = ", ".join("'" + f.replace("'", "''") + "'" for f in files)
            source = f"SELECT {_LISTED} FROM read_parquet([{listed}])"
        else:
            self._db.register("no_sketches", tables.SKETCH.empty_table())
            source = f"SELECT {_LISTED} FROM no_sketches"
        if until is not None:
            source += f' WHERE "at" <= {int(until)}'
        self._load(source, accounts)

    def load_table(self, sketches: pa.Table, accounts: pa.Table | None) -> None:
        """Take sketches from memory."""
        self._db.register("given_sketches", sketches)
        self._load(f"SELECT {_LISTED} FROM given_sketches", accounts)

    def _load(self, source: str, accounts: pa.Table | None) -> None:
        self._db.execute(f"CREATE OR REPLACE TEMP VIEW sketches AS {source}")
        self._db.execute(f"CREATE OR REPLACE TEMP VIEW measured AS {_measured_sql()}")
        given = accounts if accounts is not None else ACCOUNTS.empty_table()
        self._db.register("accounts_given", given.cast(ACCOUNTS))
        self._db.execute("CREATE OR REPLACE TEMP TABLE accounts AS SELECT * FROM accounts_given")
        self.by_account()

    def values(self) -> None:
        """Make the table of what accounts have in common, and since when."""
        self._db.execute(
            """
            CREATE OR REPLACE TEMP TABLE values_all AS
            WITH began AS (SELECT account, min("at") AS first_at FROM sketches GROUP BY account),
            known AS (SELECT a.*, b.first_at FROM accounts a JOIN began b ON a.account = b.account),
            -- a template counts if most of its first uses ask for material or traces, from when those were seen on
            uses AS (
                SELECT coalesce(system_head, head) AS template, account, "at",
                    (material = 1 OR traces = 1)::INT AS asks,
                    row_number() OVER (PARTITION BY coalesce(system_head, head) ORDER BY "at", line) AS nth
                FROM measured WHERE head IS NOT NULL
            ),
            early AS (
                SELECT template, max("at") AS known_at FROM uses WHERE nth <= 8
                GROUP BY template HAVING avg(asks) >= 0.5
            )
            SELECT 'payment' AS kind, payment AS value, account, first_at FROM known WHERE payment IS NOT NULL
            UNION ALL SELECT 'signup', hash(signup_ip, created_at // 3600000000), account, first_at FROM known
                WHERE signup_ip IS NOT NULL AND created_at IS NOT NULL
            UNION ALL SELECT 'signup', email, account, first_at FROM known WHERE email IS NOT NULL
            UNION ALL SELECT 'ip', ip, account, min("at") FROM sketches WHERE ip IS NOT NULL GROUP BY ip, account
            UNION ALL SELECT 'client', hash(client, header_order, user_agent, tls), account, min("at") FROM sketches
                WHERE client IS NOT NULL OR tls IS NOT NULL
                GROUP BY hash(client, header_order, user_agent, tls), account
            UNION ALL SELECT 'template', u.template, u.account, greatest(min(u."at"), min(e.known_at))
                FROM uses u JOIN early e ON u.template = e.template GROUP BY u.template, u.account
            """
        )
        self.horizon(None)

    def focus(self, accounts: Iterable[int]) -> None:
        """Replay some accounts: what is measured from here on is theirs alone."""
        self._members("focused", [(a, a) for a in accounts])
        self._db.execute(
            "CREATE OR REPLACE TEMP TABLE focus AS"
            " SELECT m.* FROM measured m SEMI JOIN focused f ON m.account = f.account"
        )
        self._rows = "focus_now"
        self.horizon(None)

    def unfocus(self) -> None:
        """Measure everything again."""
        self._rows = "measured"
        self._db.execute("DROP TABLE IF EXISTS focus CASCADE")
        self.horizon(None)
        self.by_account()

    def horizon(self, until: int | None) -> None:
        """See nothing later than `until` (microseconds UTC) in the accounts in focus and in what accounts share."""
        limit = "" if until is None else f' WHERE "at" <= {int(until)}'
        if self._rows == "focus_now":
            self._db.execute(f"CREATE OR REPLACE TEMP VIEW focus_now AS SELECT * FROM focus{limit}")
        since = "" if until is None else f" WHERE first_at <= {int(until)}"
        self._db.execute(f"CREATE OR REPLACE TEMP VIEW values_ AS SELECT kind, value, account FROM values_all{since}")

    def accounts_until(self, until: int | None) -> int:
        """Accounts seen by then."""
        limit = "" if until is None else f' WHERE "at" <= {int(until)}'
        return int(self.query(f"SELECT count(DISTINCT account) AS n FROM sketches{limit}").column(0)[0].as_py())

    def times(self) -> np.ndarray:
        """Sorted start times of what is measured, microseconds."""
        return np.sort(self.query(f'SELECT "at" FROM {self._rows}').column(0).to_numpy())

    def by_account(self) -> None:
        """Measure accounts."""
        self._db.execute(f"CREATE OR REPLACE TEMP VIEW exchanges AS SELECT account AS unit, * FROM {self._rows}")

    def by_account_of(self, accounts: Iterable[int]) -> None:
        """Measure some accounts."""
        self._members("chosen", [(a, a) for a in accounts])
        self._db.execute(
            f"CREATE OR REPLACE TEMP VIEW exchanges AS SELECT m.account AS unit, m.* FROM {self._rows} m"
            " SEMI JOIN chosen c ON m.account = c.account"
        )

    def by_stream(self, accounts: Iterable[int]) -> None:
        """Measure the streams inside some accounts: what one system prompt, template or parameter set makes."""
        self._members("chosen", [(a, a) for a in accounts])
        self._db.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE streamed AS
            WITH e AS (SELECT m.* FROM {self._rows} m SEMI JOIN chosen c ON m.account = c.account),
            counted AS (
                SELECT *, row_number() OVER (PARTITION BY account, system_head, head ORDER BY "at", line) AS nth FROM e
            )
            SELECT hash(account, 1, coalesce(system_head, 0), coalesce(params, 0)) AS unit, * EXCLUDE nth FROM counted
            UNION ALL
            SELECT hash(account, 2, coalesce(system_head, 0), coalesce(head, 0)), * EXCLUDE nth FROM counted
                WHERE nth >= 3
            """
        )
        self._db.execute("CREATE OR REPLACE TEMP VIEW exchanges AS SELECT * FROM streamed")

    def keep_units(self, units: Iterable[int]) -> None:
        """Go on with some of the units chosen before."""
        self._members("kept", [(u, u) for u in units])
        self._db.execute(
            "CREATE OR REPLACE TEMP VIEW exchanges AS SELECT s.* FROM streamed s SEMI JOIN kept k ON s.unit = k.unit"
        )

    def join_units(self, units: Iterable[int]) -> None:
        """Go on with some of the streams chosen before, as one unit numbered 1; an exchange in two counts once."""
        self._members("kept", [(u, u) for u in units])
        self._db.execute(
            "CREATE OR REPLACE TEMP VIEW exchanges AS"
            " SELECT DISTINCT ON (exchange_id) 1::UBIGINT AS unit, s.* EXCLUDE unit"
            " FROM streamed s SEMI JOIN kept k ON s.unit = k.unit"
        )

    def by_set(self, sets: Sequence[Sequence[int]]) -> None:
        """Measure linked sets of accounts as one unit each, numbered from 1."""
        self._members("chosen", [(account, i + 1) for i, accounts in enumerate(sets) for account in accounts])
        self._db.execute(
            "CREATE OR REPLACE TEMP VIEW exchanges AS"
            f" SELECT c.unit, m.* FROM {self._rows} m JOIN chosen c ON m.account = c.account"
        )

    def _members(self, name: str, rows: Sequence[tuple[int, int]]) -> None:
        accounts = pa.array(np.array([r[0] for r in rows], np.uint64))
        units = pa.array(np.array([r[1] for r in rows], np.uint64))
        self._db.register("members_given", pa.table({"account": accounts, "unit": units}))
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM members_given")

    def signal(self, signal_id: str) -> pa.Table:
        """Readings of one signal on the units chosen."""
        return self.query(signal_sql(signal_id))

    def query(self, sql: str) -> pa.Table:
        """Run SQL; an Arrow table comes back."""
        return self._db.sql(sql).to_arrow_table()

    def units(self) -> pa.Table:
        """What is counted of every unit, one row each."""
        return self.query(
            """
            WITH again AS (
                SELECT unit, n > 1 OR choices > 1
                    OR (turns = 1
                        AND row_number() OVER (PARTITION BY unit, account, prompt ORDER BY "at", line) > 1) AS more
                FROM exchanges WHERE traces = 1
            ), sampled AS (SELECT unit, count(*) FILTER (more) AS sampled FROM again GROUP BY unit),
            counted AS (
                SELECT unit, count(*) AS n, count(elicits) AS texts,
                    count(*) FILTER (material = 1 OR traces = 1) AS hits,
                    count(*) FILTER (material = 1) AS material, count(*) FILTER (traces = 1) AS traces,
                    count(*) FILTER (judges = 1) AS judges,
                    count(*) FILTER (tokens_reasoning > 0 OR reasoning_bytes > 0) AS reasoned,
                    coalesce(sum(tokens_in), 0)::BIGINT AS tokens_in,
                    coalesce(sum(tokens_out), 0)::BIGINT AS tokens_out,
                    min("at") AS first_at, max("at") AS last_at,
                    count(DISTINCT account) AS accounts, min(account) AS account
                FROM exchanges GROUP BY unit
            )
            SELECT c.*, coalesce(s.sampled, 0) AS sampled FROM counted c LEFT JOIN sampled s ON c.unit = s.unit
            """
        )

    def classes(self, bits: Mapping[str, int]) -> dict[int, dict[str, int]]:
        """How many exchanges of each unit are in each elicitation class."""
        sums = ", ".join(f'count(*) FILTER ((elicits >> {bit}) & 1 = 1) AS "{name}"' for name, bit in bits.items())
        rows = self.query(f"SELECT unit, {sums} FROM exchanges GROUP BY unit").to_pylist()
        return {int(row.pop("unit")): {k: int(v) for k, v in row.items() if v} for row in rows}

    def examples(self, limit: int = 5) -> dict[int, list[str]]:
        """A few exchange ids of each unit: the first ones that ask for training material or collect reasoning."""
        rows = self.query(
            f"""
            SELECT unit, list(exchange_id ORDER BY nth) AS ids FROM (
                SELECT unit, exchange_id, row_number() OVER (PARTITION BY unit ORDER BY "at", line) AS nth
                FROM exchanges WHERE material = 1 OR traces = 1) WHERE nth <= {int(limit)} GROUP BY unit
            """
        ).to_pylist()
        return {int(row["unit"]): row["ids"] for row in rows}

    def present(self) -> frozenset[str]:
        """Columns that are filled anywhere, and `accounts.<column>` for the accounts table."""
        fields = [f.name for f in ACCOUNTS if f.name != "account"]
        # What the first rows fill is there; only what they do not fill is looked for in all of them.
        counts = self._filled(columns.COLUMNS, "(SELECT * FROM sketches LIMIT 10000)")
        empty = [n for n, k in counts.items() if not k]
        counts |= self._filled(empty, "sketches") if empty else {}
        known = self._filled(fields, "accounts")
        renamed = {"payment": "payment_fingerprint", "email": "email_fingerprint"}
        return frozenset(n for n in columns.COLUMNS if counts[n]) | frozenset(
            f"accounts.{renamed.get(n, n)}" for n in fields if known[n]
        )

    def _filled(self, names: Iterable[str], source: str) -> dict[str, int]:
        asked = ", ".join(f'count("{n}") AS "{n}"' for n in names)
        found: dict[str, int] = self.query(f"SELECT {asked} FROM {source}").to_pylist()[0]
        return found

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()
        statements().save()
