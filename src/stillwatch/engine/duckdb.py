"""DuckDB over the store's Parquet files: the tables that signals read, and the runs of their expressions.

The only module that imports duckdb. Nothing is kept in a database file: a writer would lock every reader out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pyarrow as pa

from stillwatch import tables
from stillwatch.engine.statements import statements
from stillwatch.signals import exchanges as columns
from stillwatch.signals.foreign_history import foreign
from stillwatch.signals.measure import TABLE_NAMES
from stillwatch.signals.registry import ALL, Tables

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

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


@lru_cache(maxsize=1)
def _abroad_sql() -> str:
    """Exchanges that go on with a conversation that was had elsewhere, as DuckDB SQL over `exchanges`."""

    def made() -> str:
        import ibis

        talk = foreign(ibis.table(_schemas()[0], name="exchanges"))
        return str(ibis.to_sql(talk.filter(talk.abroad == 1).select("account", "exchange_id"), dialect="duckdb"))

    return statements().get("abroad", made)


@lru_cache(maxsize=256)
def signal_sql(signal_id: str) -> str:
    """A signal's expression as DuckDB SQL over tables `exchanges`, `accounts`, `values_`."""

    def made() -> str:
        import ibis

        given = Tables(*(ibis.table(s, name=n) for s, n in zip(_schemas(), TABLE_NAMES, strict=True)))
        return str(ibis.to_sql(ALL[signal_id].measure(given), dialect="duckdb"))

    return statements().get(signal_id, made)


def _measured_sql(questions: Mapping[str, Callable[[ir.Table], Any]]) -> str:
    def made() -> str:
        import ibis

        sketch = pa.schema([tables.SKETCH.field(n) for n in columns.COLUMNS])
        measured = columns.measured(ibis.table(ibis.Schema.from_pyarrow(sketch), name="sketches"))
        if questions:
            text = measured.elicits.notnull()
            measured = measured.mutate(
                **{f"is_{name}": text & ask(measured).fill_null(False) for name, ask in questions.items()}
            )
        return str(ibis.to_sql(measured, dialect="duckdb"))

    return statements().get(" ".join(["measured", *questions]), made)


_LISTED: Final = ", ".join(f'"{name}"' for name in columns.COLUMNS)  # `at` is a reserved word in DuckDB


class Engine:
    """One analysis: sketches and accounts in, arrays out."""

    def __init__(self, *, memory_mib: int = 0, threads: int = 1, temp: Path | None = None) -> None:
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
        for name in ("replayed", "abroad"):
            self._db.execute(f"CREATE OR REPLACE TEMP TABLE {name} (account UBIGINT, exchange_id VARCHAR)")
        self.ask({})
        given = accounts if accounts is not None else ACCOUNTS.empty_table()
        self._db.register("accounts_given", given.cast(ACCOUNTS))
        self._db.execute("CREATE OR REPLACE TEMP TABLE accounts AS SELECT * FROM accounts_given")
        self.by_account()

    def ask(self, questions: Mapping[str, Callable[[ir.Table], Any]]) -> None:
        """Put yes-or-no questions to every exchange that has text; the answers are columns `is_<name>`."""
        self._db.execute(f"CREATE OR REPLACE TEMP VIEW measured AS {_measured_sql(questions)}")

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
        self._db.execute("CREATE OR REPLACE TEMP VIEW values_ AS SELECT kind, value, account FROM values_all")

    def since(self, accounts: Iterable[int]) -> pa.Table:
        """What accounts have in common with each other and since when: kind, value, account, first_at.

        Rows of all accounts are given for values that two of these accounts have, sorted: popularity counts everybody.
        """
        self._members("chosen", [(a, a) for a in accounts])
        return self.query(
            """
            WITH mine AS (
                SELECT v.kind, v.value FROM values_all v SEMI JOIN chosen c ON v.account = c.account
                WHERE v.kind != 'template' GROUP BY v.kind, v.value HAVING count(*) >= 2
            )
            SELECT v.kind, v.value, v.account, min(v.first_at) AS first_at
            FROM values_all v SEMI JOIN mine m ON v.kind = m.kind AND v.value = m.value
            GROUP BY v.kind, v.value, v.account ORDER BY 1, 2, 4, 3
            """
        )

    def popularity(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """How many accounts of all have each combination of values of some sketch columns, (combinations,).

        0 stands for a value that is missing.
        """
        (size,) = {len(v) for v in values.values()}
        given = pa.table({**{n: pa.array(v, pa.uint64()) for n, v in values.items()}, "nth": np.arange(size)})
        self._db.register("asked_given", given)
        same = " AND ".join(f"coalesce(s.{n}, 0) = a.{n}" for n in values)
        found = self.query(
            f"SELECT a.nth, count(DISTINCT s.account) AS k FROM sketches s JOIN asked_given a ON {same} GROUP BY 1"
        )
        self._db.unregister("asked_given")
        counts = np.zeros(size, np.int64)
        counts[found.column("nth").to_numpy()] = found.column("k").to_numpy()
        return counts

    def fillings(self, column: str, values: np.ndarray, questions: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """How many accounts of all have each value of a sketch column, and the share of its exchanges with each yes.

        (values,) and (values, questions).
        """
        given = pa.table({"value": pa.array(values, pa.uint64()), "nth": np.arange(len(values))})
        self._db.register("asked_given", given)
        yes = "".join(f", avg(is_{q}::INT) AS {q}" for q in questions)
        found = self.query(
            f"SELECT a.nth, count(DISTINCT m.account) AS users{yes} FROM measured m"
            f" JOIN asked_given a ON m.{column} = a.value GROUP BY 1"
        )
        self._db.unregister("asked_given")
        nth = found.column("nth").to_numpy()
        users, share = np.zeros(len(values), np.int64), np.zeros((len(values), len(questions)))
        users[nth] = found.column("users").to_numpy()
        for i, q in enumerate(questions):
            share[nth, i] = found.column(q).to_numpy()
        return users, share

    def by_account(self) -> None:
        """Measure accounts, all of them."""
        self._db.execute("CREATE OR REPLACE TEMP VIEW exchanges AS SELECT account AS unit, * FROM measured")

    def by_account_of(self, accounts: Iterable[int]) -> None:
        """Measure some accounts."""
        self._members("chosen", [(a, a) for a in accounts])
        self._db.execute(
            "CREATE OR REPLACE TEMP VIEW exchanges AS SELECT m.account AS unit, m.* FROM measured m"
            " SEMI JOIN chosen c ON m.account = c.account"
        )

    def templated(self, questions: Sequence[str], least: int = 3) -> set[int]:
        """Accounts that twice fill a template that `least` accounts fill with exchanges that say yes to a question.

        A template is a system prompt (by its first words) or, without one, the first dozen words of the prompt.
        """
        yes = " OR ".join(f"is_{q}" for q in questions)
        table = self.query(
            f"""
            WITH filled AS (
                SELECT coalesce(system_head, head_long) AS template, account, count(*) AS k FROM measured
                WHERE ({yes}) AND coalesce(system_head, head_long) IS NOT NULL GROUP BY 1, 2 HAVING k >= 2
            )
            SELECT DISTINCT account FROM filled f SEMI JOIN (
                SELECT template FROM filled GROUP BY template HAVING count(*) >= {int(least)}
            ) s ON f.template = s.template
            """
        )
        return set(table.column(0).to_pylist())

    def joined(self) -> dict[int, int]:
        """Find what joins of exchanges tell, and how many such exchanges each account sent.

        Encrypted reasoning that is sent into another conversation than it was given in (`is_replayed`), conversations
        that were had elsewhere and come in once (`is_abroad`).
        """
        self._db.execute(
            """
            CREATE OR REPLACE TEMP TABLE replayed AS
            WITH out AS (
                SELECT unnest(blobs_out) AS blob, chain_root FROM sketches WHERE blobs_out IS NOT NULL
            ), sent AS (
                SELECT unnest(blobs_in) AS blob, chain_root, account, exchange_id FROM sketches
                WHERE blobs_in IS NOT NULL
            )
            SELECT DISTINCT s.account, s.exchange_id FROM sent s JOIN out o ON s.blob = o.blob
            -- what goes on in the conversation in which it was given is use
            WHERE NOT EXISTS (SELECT 1 FROM out x WHERE x.blob = s.blob AND x.chain_root = s.chain_root)
            """
        )
        self.by_account()
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE abroad AS {_abroad_sql()}")
        found = self.query("SELECT account, count(*) AS k FROM (FROM replayed UNION ALL FROM abroad) GROUP BY account")
        return dict(zip(*(c.to_pylist() for c in found.columns), strict=True))

    def take(self, accounts: Iterable[int]) -> None:
        """Take the exchanges of some accounts in hand, numbered in time order from 0."""
        self._members("chosen", [(a, a) for a in accounts])
        self._db.execute(
            "CREATE OR REPLACE TEMP TABLE taken AS"
            ' SELECT (row_number() OVER (ORDER BY m."at", m.account, m.exchange_id) - 1)::INTEGER AS place, m.*'
            ", m.exchange_id IN (SELECT exchange_id FROM replayed) AS is_replayed"
            ", m.exchange_id IN (SELECT exchange_id FROM abroad) AS is_abroad"
            " FROM measured m SEMI JOIN chosen c ON m.account = c.account"
        )
        self._db.execute("CREATE OR REPLACE TEMP VIEW exchanges AS SELECT account AS unit, * FROM taken")

    def rows(self, measures: Sequence[str], keys: Sequence[str]) -> pa.Table:
        """What is counted of the exchanges in hand, in time order; missing keys are 0."""
        programs = {"program": "coalesce(client, user_agent)"}
        listed = ", ".join(
            [f"is_{m}::UTINYINT AS is_{m}" for m in measures]
            + [f"coalesce({programs.get(k, k)}, 0)::UBIGINT AS {k}" for k in keys]
        )
        return self.query(
            f"""
            SELECT "at", account, elicits IS NOT NULL AS text, coalesce(elicits, 0)::UINTEGER AS elicits,
                coalesce(n, 1) > 1 OR coalesce(choices, 1) > 1 AS many, coalesce(turns, 1) = 1 AS single,
                coalesce(tokens_in, 0)::INTEGER AS tokens_in, coalesce(tokens_out, 0)::INTEGER AS tokens_out,
                coalesce(tokens_reasoning > 0 OR reasoning_bytes > 0, false) AS reasoned,
                coalesce(stream, false) AS stream, {listed}
            FROM taken ORDER BY place
            """
        )

    def by_units(self, places: np.ndarray, units: np.ndarray) -> None:
        """Measure units made of exchanges in hand: place of an exchange, number of its unit."""
        self._db.register("units_given", pa.table({"place": places.astype(np.int32), "unit": units.astype(np.uint64)}))
        self._db.execute("CREATE OR REPLACE TEMP TABLE units_made AS SELECT * FROM units_given")
        self._db.unregister("units_given")
        self._db.execute(
            "CREATE OR REPLACE TEMP VIEW exchanges AS"
            " SELECT u.unit, t.* EXCLUDE place FROM taken t JOIN units_made u ON t.place = u.place"
        )

    def names_of(self, places: np.ndarray) -> dict[int, str]:
        """Exchange ids of exchanges in hand."""
        self._db.register("wanted_given", pa.table({"place": places.astype(np.int32)}))
        table = self.query("SELECT t.place, t.exchange_id FROM taken t SEMI JOIN wanted_given w ON t.place = w.place")
        self._db.unregister("wanted_given")
        return dict(zip(*(c.to_pylist() for c in table.columns), strict=True))

    def ids_of(self, places: np.ndarray) -> pa.Array:
        """Exchange ids of exchanges in hand, as Arrow, in order of time: for many."""
        self._db.register("wanted_given", pa.table({"place": places.astype(np.int32)}))
        table = self.query(
            "SELECT t.exchange_id FROM taken t SEMI JOIN wanted_given w ON t.place = w.place ORDER BY t.place"
        )
        self._db.unregister("wanted_given")
        return table.column(0).combine_chunks()

    def programs(self) -> pa.Table:
        """The program that each account uses most, and that with its most usual parameters: account, program, profile.

        All accounts; 0 where the log says nothing of programs.
        """
        return self.query(
            """
            WITH used AS (
                SELECT account, coalesce(client, user_agent, 0) AS program, coalesce(params, 0) AS params, count(*) AS k
                FROM sketches GROUP BY ALL
            )
            SELECT account, program, hash(program, params) AS profile FROM used
            QUALIFY row_number() OVER (PARTITION BY account ORDER BY k DESC, program, params) = 1 ORDER BY account
            """
        )

    def moves(self) -> pa.Table:
        """Work that moved between two accounts in hand: signal, a, b (a < b), and when it was seen.

        Conversations that the other account went on with, refused requests that it sent again, encrypted reasoning
        that it sent in.
        """
        return self.query(
            """
            WITH given AS (
                SELECT chain_given AS chain, account, min("at") AS "at" FROM taken WHERE chain_given IS NOT NULL
                GROUP BY ALL
            ), went AS (
                SELECT DISTINCT chain_parent AS chain, account, "at" FROM taken WHERE chain_parent IS NOT NULL
            ), carried AS (
                SELECT g.account AS x, w.account AS y, min(w."at") AS "at" FROM went w JOIN given g ON w.chain = g.chain
                WHERE w.account != g.account AND w."at" > g."at"
                    AND NOT EXISTS (SELECT 1 FROM given o WHERE o.chain = w.chain AND o.account = w.account)
                GROUP BY g.account, w.account, g.chain
            ), refused AS (
                SELECT chain_self AS chain, account, "at" FROM taken
                WHERE status IN (401, 403, 429, 529) AND chain_self IS NOT NULL
            ), again AS (
                SELECT r.account AS x, t.account AS y, min(t."at") AS "at" FROM refused r
                JOIN taken t ON t.chain_self = r.chain
                WHERE t.status < 400 AND t.account != r.account AND t."at" BETWEEN r."at" AND r."at" + 60000000
                GROUP BY r.account, t.account, r.chain
            ), out AS (
                SELECT unnest(blobs_out) AS blob, account, "at" FROM taken WHERE blobs_out IS NOT NULL
            ), sent AS (
                SELECT unnest(blobs_in) AS blob, account, "at" FROM taken WHERE blobs_in IS NOT NULL
            ), replayed AS (
                SELECT o.account AS x, s.account AS y, min(s."at") AS "at" FROM out o JOIN sent s ON o.blob = s.blob
                WHERE s.account != o.account AND s."at" > o."at" GROUP BY o.account, s.account, o.blob
            )
            SELECT signal, least(x, y) AS a, greatest(x, y) AS b, "at" FROM (
                SELECT 'SG305' AS signal, * FROM carried UNION ALL SELECT 'SG401', * FROM again
                UNION ALL SELECT 'SG109', * FROM replayed
            ) ORDER BY "at", signal, a, b
            """
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

    def units(self, questions: Sequence[str], gating: Sequence[str]) -> pa.Table:
        """What is counted of every unit, one row each: the yeses to each question, and to any of `gating`."""
        counts = "".join(f" count(*) FILTER (is_{q}) AS {q}," for q in questions)
        return self.query(
            f"""
            SELECT unit, count(*) AS n, count(elicits) AS texts,
                count(*) FILTER ({" OR ".join(f"is_{q}" for q in gating)}) AS hits,{counts}
                count(*) FILTER (tokens_reasoning > 0 OR reasoning_bytes > 0) AS reasoned,
                coalesce(sum(tokens_in), 0)::BIGINT AS tokens_in, coalesce(sum(tokens_out), 0)::BIGINT AS tokens_out,
                min("at") AS first_at, max("at") AS last_at
            FROM exchanges GROUP BY unit
            """
        )

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
