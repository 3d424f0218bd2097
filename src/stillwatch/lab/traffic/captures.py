"""Exchanges captured from real client programs, read where they lie: `NAME.jsonl[.zst]` files of LiteLLM rows.

They lend the simulated world real header sets (honest accounts use all of them, harvesters those of their side), and a
scenario may name one as a family or as a workload: `capture:NAME` plays its requests, in order, under new accounts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson
import zstandard

from stillwatch.errors import InputError, Place
from stillwatch.lab.traffic.clients import PROXY, Client
from stillwatch.lab.traffic.rows import MODELS, Json
from stillwatch.lab.traffic.split import CAPTURED, side_of_set
from stillwatch.lab.traffic.work import Ask, Context, Family, Item, Workload
from stillwatch.lab.traffic.world import World

WEIGHT: Final = 4.0  # of one captured client among people; the clients that we wrote down have 2 to 16
_MOST_CLIENTS = 4  # header sets of one capture
_MOST_ROWS = 2000
_SESSION = 20  # rows that follow each other without a break when a capture is played as a workload
_NOT_PARAMS = ("stream", "stream_options", "user", "extra_headers", "metadata")


def names(folder: Path) -> list[str]:
    """Captures in a folder; `.truth` files beside them are passed over.

    Raises:
        InputError: there are none.
    """
    found = {f.name.split(".")[0] for f in folder.glob("*.jsonl*") if ".truth." not in f.name}
    if not found:
        raise InputError(
            "there are no captures", at=Place(path=str(folder)), fix="give a folder of NAME.jsonl[.zst] LiteLLM rows"
        )
    return sorted(found)


@cache
def _rows(folder: Path, name: str) -> list[Json]:
    for file in (folder / f"{name}.jsonl.zst", folder / f"{name}.jsonl"):
        if not file.exists():
            continue
        raw = file.read_bytes()
        try:
            if file.suffix == ".zst":
                raw = zstandard.ZstdDecompressor().stream_reader(raw).read()
            rows = [orjson.loads(line) for line in raw.splitlines()[:_MOST_ROWS] if line.strip()]
        except (orjson.JSONDecodeError, zstandard.ZstdError) as err:
            raise InputError(
                f"the capture cannot be read: {err}", at=Place(path=str(file)), fix="give JSON lines, one row each"
            ) from err
        return sorted((r for r in rows if isinstance(r.get("messages"), list)), key=lambda r: r.get("startTime", 0.0))
    raise InputError(f"there is no capture `{name}`", at=Place(path=str(folder)), fix=f"use one of {names(folder)}")


def _headers(row: Json) -> dict[str, str]:
    found = ((row.get("metadata") or {}).get("requester_metadata") or {}).get("headers")
    return found if isinstance(found, dict) else {}


def clients(folder: Path) -> list[Client]:
    """The commonest header sets of every capture, in their order of arrival."""
    out = []
    for name in names(folder):
        seen: Counter[tuple[tuple[str, str], ...]] = Counter()
        for row in _rows(folder, name):
            fixed = tuple((k, v) for k, v in _headers(row).items() if k not in PROXY and isinstance(v, str))
            if fixed:
                seen[tuple((k, "0" if k == "x-stainless-retry-count" else v) for k, v in fixed)] += 1
        for i, (fixed, _) in enumerate(seen.most_common(_MOST_CLIENTS)):
            agent = dict(fixed).get("user-agent", "")
            out.append(Client(name=f"{CAPTURED}{name}/{i}", user_agent=agent, fixed=fixed, people_weight=WEIGHT))
    return out


def families(folder: Path) -> dict[str, Family]:
    """Each capture as a family: what it asked, in its order, over and over."""
    return {
        f"{CAPTURED}{name}": Family(
            id=f"{CAPTURED}{name}", title=f"captured client {name}", about="requests of a real client program",
            source=f"capture {name}", make=_asker(folder, name), sides=(side_of_set(name),),
        )
        for name in names(folder)
    }  # fmt: skip


def workloads(folder: Path) -> dict[str, Workload]:
    """Each capture as honest traffic: its accounts under new names, in sessions spread over the period."""
    return {
        f"{CAPTURED}{name}": Workload(
            id=f"{CAPTURED}{name}", about=f"requests of the captured client {name}", play=_player(folder, name)
        )
        for name in names(folder)
    }  # fmt: skip


def _ask(row: Json) -> Ask:
    choices = (row.get("response") or {}).get("choices") or [{}]
    messages = [c.get("message") or {} for c in choices]
    first = messages[0]
    calls = first.get("tool_calls") or []
    call = (calls[0].get("function") or {}) if calls else {}
    given = row.get("model_parameters") or {}
    params = {k: v for k, v in given.items() if k not in _NOT_PARAMS and v is not None}
    group = row.get("model_group")
    answers: Any = [m.get("content") for m in messages]
    return Ask(
        messages=row["messages"], answer=answers if len(answers) > 1 else answers[0], params=params,
        reasoning=first.get("reasoning_content"), model=group if group in MODELS else None,
        tool_call=(str(call["name"]), str(call.get("arguments", "{}"))) if call.get("name") else None,
        thinking_blocks=first.get("thinking_blocks"),
    )  # fmt: skip


def _asker(folder: Path, name: str) -> Any:
    def make(_: Context) -> Iterator[Item]:
        rows = [r for r in _rows(folder, name) if r.get("status") == "success"]
        while True:
            for row in rows:
                ask = _ask(row)
                yield Item(asks=(ask,), reasoning=ask.reasoning is not None)

    return make


def _player(folder: Path, name: str) -> Any:
    def play(world: World, start: float, end: float) -> Iterator[float]:
        rng = world.rng
        by_account: dict[str, list[Json]] = defaultdict(list)
        for row in _rows(folder, name):
            if row.get("status") == "success":
                by_account[str((row.get("metadata") or {}).get("user_api_key_user_id"))].append(row)
        mine = [c for c in clients(folder) if c.name.startswith(f"{CAPTURED}{name}/")]
        sessions = []
        for rows in by_account.values():
            account = world.account("honest", f"{CAPTURED}{name}", client=rng.choice(mine) if mine else None)
            for i in range(0, len(rows), _SESSION):
                sessions.append((start + rng.random() * 0.95 * (end - start), account, rows[i : i + _SESSION]))
        for at, account, rows in sorted(sessions, key=lambda s: s[0]):
            yield at
            now, before = at, rows[0]["startTime"]
            for row in rows:
                now += max(0.0, row["startTime"] - before)
                before = row["startTime"]
                ask = _ask(row)
                world.exchange(
                    account, now, ask.messages, ask.answer, params=ask.params, model=ask.model,
                    reasoning=ask.reasoning, tool_call=ask.tool_call, end_user=row.get("end_user"),
                )  # fmt: skip

    return play


__all__ = ["clients", "families", "names", "workloads"]
