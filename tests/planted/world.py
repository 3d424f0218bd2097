"""Sketches of made-up traffic, straight into memory: honest people and firms, and campaigns planted among them.

No prompts are made: a row says what its sketch would say. Thousands of accounts take a second.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import numpy as np
import pyarrow as pa

from stillwatch import tables
from stillwatch.engine import ACCOUNTS
from stillwatch.sketch.elicitation import CLASSES

DAY: Final = 86_400_000_000
START: Final = 1_772_409_600_000_000
DAYS: Final = 10
MATERIAL: Final = 1 << CLASSES["qa_synthesis"]
JUDGES: Final = 1 << CLASSES["judging"]
REASONS: Final = 1 << CLASSES["reasoning"]
SORTS: Final = 1 << CLASSES["classification"]


class World:
    """Collects rows and accounts; all randomness from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self._columns: dict[str, list[np.ndarray]] = defaultdict(list)
        self._accounts: list[dict[str, Any]] = []
        self._rows = 0
        self.labels: dict[int, str] = {}

    def hashes(self, n: int) -> np.ndarray:
        """Fresh 64-bit values."""
        return self.rng.integers(1, 2**63, n, dtype=np.int64).astype(np.uint64)

    def account(self, label: str, *, payment: int | None = None, signup: int | None = None, **more: Any) -> int:
        """A new account with a card and a place of sign-up of its own, unless they are given."""
        number, own_payment, own_signup, mail = (int(x) for x in self.hashes(4))
        self.labels[number] = label
        self._accounts.append(
            {"account": number, "created_at": START - int(self.rng.integers(1, 200)) * DAY,
             "payment": payment or own_payment, "signup_ip": signup or own_signup, "email": mail, **more}
        )  # fmt: skip
        return number

    def send(
        self, account: int, at: np.ndarray, *, elicits: int = 0, stream: bool = True, turns: int = 1,
        head: np.ndarray | int | None = None, tail: np.ndarray | int | None = None, system: int | None = None,
        prompt: np.ndarray | None = None, ip: int | None = None, client: int = 7, params: int = 1,
        end_user: int | None = None, latency_ms: int = 4000, reasoned: bool = False,
    ) -> None:  # fmt: skip
        """Exchanges of one account at some moments; without `head` and `tail` every prompt has its own."""
        n = len(at)
        own = self.hashes(n) if prompt is None else prompt

        def full(value: Any) -> np.ndarray:
            return np.full(n, 0 if value is None else value, np.uint64)

        given = {
            "at": at, "account": full(account), "elicits": full(elicits), "prompt": own,
            "head": own ^ np.uint64(1) if head is None else full(head) if np.isscalar(head) else head,
            "tail": own ^ np.uint64(2) if tail is None else full(tail) if np.isscalar(tail) else tail,
            "system_head": full(system), "ip": full(ip), "client": full(client), "params": full(params),
            "end_user": full(end_user), "stream": np.full(n, stream), "turns": np.full(n, turns),
            "latency_ms": np.full(n, latency_ms), "reasoning_bytes": np.full(n, 900 if reasoned else 0),
            "answer_bytes": np.full(n, 900),
        }  # fmt: skip
        for name, values in given.items():
            self._columns[name].append(np.asarray(values))
        self._rows += n

    def moments(self, n: int, *, days: float = DAYS, start: float = 0.0) -> np.ndarray:
        """Moments of a person: days and evenings."""
        hour = np.clip(self.rng.normal(15, 4, n), 0, 23.9)
        day = self.rng.integers(0, max(int(days), 1), n)
        return np.sort(START + ((start + day) * DAY + hour * DAY / 24).astype(np.int64))

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Sketches and accounts, for `Engine.load_table`."""
        data = {k: np.concatenate(v) for k, v in self._columns.items()}
        order = np.argsort(data["at"], kind="stable")
        columns = {}
        for field in tables.SKETCH:
            if field.name == "exchange_id":
                columns["exchange_id"] = pa.array([f"x{i}" for i in range(self._rows)])
            elif field.name == "line":
                columns["line"] = pa.array(np.arange(self._rows))
            elif field.name in data:
                values = data[field.name][order]
                empty = (values == 0) if field.type == pa.uint64() else None
                columns[field.name] = pa.array(values, mask=empty).cast(field.type)
            else:
                columns[field.name] = pa.nulls(self._rows, field.type)
        accounts = pa.Table.from_pylist(self._accounts, ACCOUNTS)
        return pa.table(columns, schema=tables.SKETCH), accounts


def honest(world: World, *, people: int = 400) -> None:
    """People, batch jobs, tutors, teachers, a course, a viral prompt, a popular agent, an office, one aggregator."""
    rng = world.rng
    office, campus, agent, viral = (int(x) for x in world.hashes(4))
    for i in range(people):
        who = world.account("person")
        ip = office if i % 40 == 0 else int(world.hashes(1)[0])
        world.send(who, world.moments(int(rng.integers(3, 60))), ip=ip, turns=int(rng.integers(1, 6)))
        if rng.random() < 0.03:  # asks for a few quiz questions now and then
            world.send(who, world.moments(int(rng.integers(1, 4))), elicits=MATERIAL, ip=ip)
        if rng.random() < 0.1:
            world.send(who, world.moments(2), elicits=MATERIAL, head=viral, tail=viral, ip=ip)
        if rng.random() < 0.1:
            world.send(who, world.moments(int(rng.integers(2, 20))), elicits=REASONS, reasoned=True, ip=ip)
        if rng.random() < 0.2:
            world.send(who, world.moments(20), system=agent, turns=4, ip=ip)
    for _ in range(people // 20):
        job = int(world.hashes(1)[0])
        at = np.sort(START + rng.integers(0, DAYS * DAY, 150))
        world.send(world.account("job"), at, elicits=SORTS, stream=False, head=job, tail=job, latency_ms=40_000)
    for _ in range(people // 50):
        tutor = int(world.hashes(1)[0])
        world.send(world.account("tutor"), world.moments(120), elicits=REASONS, reasoned=True, system=tutor)
    task = int(world.hashes(1)[0])
    for _ in range(people // 10):
        student = world.account("student", signup=campus)
        world.send(student, world.moments(int(rng.integers(2, 9))), elicits=REASONS, head=task, tail=task, ip=campus,
                   stream=False, reasoned=True)  # fmt: skip
        world.send(student, world.moments(10), ip=campus)
    shop = world.account("aggregator")
    for _ in range(30):
        customer = int(world.hashes(1)[0])
        world.send(shop, world.moments(60), system=customer, stream=False, params=int(rng.integers(1, 5)))


def campaign(
    world: World, *, accounts: int, per_day: float, days: float = 4, decoys: float = 0.0, elicits: int = MATERIAL,
    cards: int = 0, templates: int = 3, stream: bool = False, reasoned: bool = False, start: float = 2.0,
) -> list[int]:  # fmt: skip
    """Accounts that fill a few templates with prompts that never collide; `cards` > 0: so many accounts on a card."""
    rng = world.rng
    wrappers = world.hashes(templates)
    made = []
    for i in range(accounts):
        if not cards or i % cards == 0:
            card = int(world.hashes(1)[0])
        who = world.account("campaign", payment=card if cards else None)
        made.append(who)
        ip = int(world.hashes(1)[0])
        n = max(int(rng.poisson(per_day * days)), 1)
        which = wrappers[rng.integers(0, templates, n)]
        at = np.sort(START + ((start + rng.random(n) * days) * DAY).astype(np.int64))
        world.send(who, at, elicits=elicits, head=which, tail=which ^ np.uint64(5), ip=ip, stream=stream,
                   reasoned=reasoned, latency_ms=20_000)  # fmt: skip
        if decoys:
            world.send(who, world.moments(int(n * decoys / (1 - decoys))), ip=ip, turns=3)
    return made
