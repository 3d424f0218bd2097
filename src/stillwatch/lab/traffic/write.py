"""A cast's traffic on disk: the gateway's logs, the accounts table, and the ground truth beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from stillwatch import tables
from stillwatch.lab.traffic.clockwork import run
from stillwatch.lab.traffic.formats import WRITERS
from stillwatch.lab.traffic.leaks import Audit
from stillwatch.lab.traffic.scenario import Cast
from stillwatch.lab.traffic.world import Line

TRUTH: Final = pa.schema(
    [
        pa.field("exchange_id", pa.string(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),  # start, microseconds UTC
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("stream", pa.string()),  # the customer, job or campaign behind it, in accounts that serve several
        pa.field("campaign", pa.string()),  # set if and only if this exchange is harvest
        pa.field("reasoning", pa.bool_(), nullable=False),  # it carries a reasoning trace
    ]
)
_ROWS = 50_000  # of one row group of the truth, and between two looks at progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written."""

    exchanges: int
    accounts: int
    campaigns: int
    harvest: int
    files: tuple[Path, ...]
    leaks: tuple[str, ...]  # fields whose AUC is above the ceiling; leaks.json has all


class _Logs:
    """One file a day, in the order in which the days end; a few stay open at a time."""

    def __init__(self, folder: Path, format: str, stack: ExitStack) -> None:
        self._folder, self._write, self._format, self._stack = folder, WRITERS[format], format, stack
        self._open: dict[str, BinaryIO] = {}
        self.files: list[Path] = []

    def put(self, line: Line) -> None:
        day = datetime.fromtimestamp(line.end, UTC).date().isoformat()
        out = self._open.get(day)
        if out is None:
            for old in list(self._open.values()):
                old.close()
            self._open.clear()
            path = self._folder / f"gateway-{day}.jsonl.zst"
            self.files.append(path)
            out = self._open[day] = self._stack.enter_context(zstandard.open(path, "wb"))
        if self._format == "litellm":
            out.write(line.data)
        else:
            for record in self._write(orjson.loads(line.data)):
                out.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def write(
    cast: Cast, out: Path, *, seed: int, side: str, scenario: str, expected: int, format: str = "litellm",
    progress: Callable[[int], None] = lambda n: None,
) -> Written:  # fmt: skip
    """Let everybody act; write `logs/`, `accounts.jsonl`, `truth.json`, `truth.parquet`, `leaks.json` to a folder.

    Memory does not grow with the number of exchanges. The truth is complete when this returns; a run that was stopped
    leaves no truth.json, so that half a data set is not taken for a whole one.

    Raises:
        OSError: the folder cannot be written.
    """
    logs = out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for old in [*logs.glob("gateway-*.jsonl.zst"), out / "truth.json"]:
        old.unlink(missing_ok=True)
    counts: Counter[str] = Counter()
    traced: Counter[str] = Counter()
    used: dict[str, set[str]] = {}
    span: dict[str, list[int]] = {}
    rows: list[dict[str, Any]] = []
    first, last, total = 0, 0, 0
    audit = Audit(expected=expected)
    with ExitStack() as stack:
        files = _Logs(logs, format, stack)
        truth = stack.enter_context(pq.ParquetWriter(out / "truth.parquet", TRUTH, compression="zstd"))
        for line in run(cast.world, cast.actors):
            files.put(line)
            audit.add(line)
            at = round(line.start * 1e6)
            total += 1
            first, last = min(first or at, at), max(last, at)
            if line.tag is not None:
                counts[line.tag] += 1
                traced[line.tag] += line.reasoning
                used.setdefault(line.tag, set()).add(line.account_id)
                here = span.setdefault(line.tag, [at, at])
                here[0], here[1] = min(here[0], at), max(here[1], at)
            rows.append(
                {"exchange_id": line.exchange_id, "at": at, "account_id": line.account_id, "stream": line.stream,
                 "campaign": line.tag, "reasoning": line.reasoning}
            )  # fmt: skip
            if len(rows) >= _ROWS:
                truth.write_table(pa.Table.from_pylist(rows, TRUTH))
                rows.clear()
                progress(total)
        truth.write_table(pa.Table.from_pylist(rows, TRUTH))
    seen = [a for a in cast.world.accounts.values() if cast.world.exchanges[a.account_id]]
    with (out / "accounts.jsonl").open("wb") as file:
        for account in sorted(seen, key=lambda a: a.account_id):
            file.write(orjson.dumps({f.name: account.record.get(f.name) for f in tables.ACCOUNT},
                                    option=orjson.OPT_APPEND_NEWLINE))  # fmt: skip
    pool_of = {a.account_id: name for name, (_, pool) in cast.pools.items() for a in pool}
    member: dict[str, list[str]] = {}
    for name, accounts in used.items():
        for account_id in accounts:
            member.setdefault(account_id, []).append(name)
    key = {
        "seed": seed, "side": side, "scenario": scenario, "first_at": first, "last_at": last, "exchanges": total,
        "accounts": {
            a.account_id: {"role": a.role, "workload": a.family, "language": a.language,
                           "pool": pool_of.get(a.account_id), "campaigns": sorted(member.get(a.account_id, ()))}
            for a in seen
        },
        "campaigns": {
            c.id: {
                "families": [f.id for f in c.families], "organisation": c.organisation.as_dict(),
                "obfuscations": [o.id for o in c.obfuscations], "language": c.context.language,
                "share": c.organisation.share, "accounts": sorted(used.get(c.id, ())), "exchanges": counts[c.id],
                "reasoning_exchanges": traced[c.id], "first_at": span.get(c.id, [0, 0])[0],
                "last_at": span.get(c.id, [0, 0])[1], "observable": all(f.observable for f in c.families),
                "expected_miss": any(f.expected_miss for f in c.families),
            }
            for c in cast.campaigns
        },
        "pools": {
            name: {"kind": kind, "accounts": sorted(a.account_id for a in pool)}
            for name, (kind, pool) in cast.pools.items()
        },
    }  # fmt: skip
    found = audit.report({a.account_id: a.record for a in seen}, {a.account_id: a.role for a in seen})
    (out / "leaks.json").write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    (out / "truth.json").write_bytes(orjson.dumps(key, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
    return Written(
        exchanges=total, accounts=len(seen), campaigns=len(cast.campaigns), harvest=sum(counts.values()),
        files=tuple(files.files), leaks=tuple(found["leaks"]),
    )  # fmt: skip
