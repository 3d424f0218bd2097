"""The exchanges of the accounts that are looked at, as arrays in time order: read once, counted in many ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from stillwatch.engine import Engine
from stillwatch.judge.measures import ASKED, BIT, GATING, JOINED, USED, mask

# What streams and cohorts are made of; 0 where the log has none.
KEYS: Final = ("system_head", "head", "head_long", "tail", "params", "end_user", "program", "app", "key", "prompt")
BANDS: Final = ("band0", "band1", "band2", "band3")  # two near prompts share one of these with a chance of ...
AGAIN_US: Final = 3_600_000_000  # a prompt that returns after an hour is a test or a product, not a harvest
KEPT: Final = 128  # tokens of an answer that is worth keeping
PRODUCT: Final = 8  # accounts that use one template, from which it says nothing about one of them ...
POPULAR: Final = 3  # ... and how many times more accounts than a set has, or than ask with it, make it a product's


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Exchanges in time order; all arrays are (rows,) but `accounts`, which gives hashes back to the codes."""

    at: np.ndarray  # int64, microseconds
    account: np.ndarray  # int32, places in `accounts`
    accounts: np.ndarray  # uint64, (accounts,), sorted
    bits: np.ndarray  # uint16, which measures say yes
    users: np.ndarray  # int32, how many accounts of all use the template of a row with bits ...
    explained: np.ndarray  # uint16, ... and which of its bits are the template's, whoever fills it
    text: np.ndarray  # bool, is there a prompt to read
    elicits: np.ndarray  # uint32
    tokens_in: np.ndarray  # int32
    tokens_out: np.ndarray  # int32
    reasoned: np.ndarray  # bool, reasoning came back
    keys: dict[str, np.ndarray]  # uint64
    order: np.ndarray  # int64, places of the rows sorted by account, then time ...
    starts: np.ndarray  # int64, (accounts + 1,), ... and where each account begins in it

    @property
    def asks(self) -> np.ndarray:
        """Rows that ask for what is looked for, bool."""
        return (self.bits & GATING) != 0

    @property
    def used(self) -> np.ndarray:
        """Rows that ask, or take what a harvest takes, bool."""
        return (self.bits & USED) != 0

    def of_few(self, accounts: int = 1) -> Rows:
        """The same rows as evidence about so many accounts: what fills a template of many others says nothing.

        A product writes the words of its users, and its users resemble each other.
        """
        return replace(self, bits=self.bits_of_few(np.arange(len(self.bits)), accounts))

    def bits_of_few(self, places: np.ndarray, accounts: int) -> np.ndarray:
        """The bits of some rows as evidence about so many accounts, (places,) uint16."""
        popular = self.users[places] >= max(PRODUCT, POPULAR * accounts)
        return np.where(popular, self.bits[places] & ~self.explained[places], self.bits[places])

    def of(self, code: int) -> np.ndarray:
        """Places of one account's rows, in time order."""
        return self.order[self.starts[code] : self.starts[code + 1]]

    def of_all(self, codes: np.ndarray) -> np.ndarray:
        """Places of several accounts' rows, in time order."""
        return np.sort(np.concatenate([self.of(int(c)) for c in codes])) if len(codes) else np.zeros(0, np.int64)

    def codes(self, accounts: np.ndarray) -> np.ndarray:
        """Places of account hashes in `accounts`; those that are not there are left out."""
        wanted = np.asarray(accounts, np.uint64)
        place = np.searchsorted(self.accounts, wanted)
        place = place[place < len(self.accounts)]
        return place[np.isin(self.accounts[place], wanted)]


def read(engine: Engine) -> Rows:
    """The rows that the engine holds in hand (`Engine.take`)."""
    told = [*ASKED, *JOINED]
    table = engine.rows(told, (*KEYS, *BANDS))

    def column(name: str) -> np.ndarray:
        return np.asarray(table.column(name).to_numpy())

    accounts, account = np.unique(column("account"), return_inverse=True)
    bits = np.zeros(table.num_rows, np.uint16)
    for name in told:
        bits |= column(f"is_{name}").astype(np.uint16) << np.uint16(BIT[name])
    account = account.astype(np.int32)
    at, prompt = column("at"), column("prompt")
    kept = (column("tokens_out") >= KEPT) | column("reasoned")
    again = refilled(account, prompt, [column(name) for name in BANDS]) & kept & ~column("stream") & column("text")
    bits |= again.astype(np.uint16) << np.uint16(BIT["filled"])
    bits = _told_by_history(bits, account, at, prompt, many=column("many"), single=column("single"))
    users, explained = _explained(engine, bits, column("system_head"), column("head_long"))
    order = np.argsort(account, kind="stable")
    return Rows(
        at=at, account=account, accounts=accounts, bits=bits, users=users,
        explained=explained, text=column("text"), elicits=column("elicits"),
        tokens_in=column("tokens_in"), tokens_out=column("tokens_out"), reasoned=column("reasoned"),
        keys={name: column(name) for name in KEYS}, order=order,
        starts=np.searchsorted(account[order], np.arange(len(accounts) + 1)),
    )  # fmt: skip


def _explained(
    engine: Engine, bits: np.ndarray, system: np.ndarray, words: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many accounts use the template of each row, and which of its bits that template explains, (rows,) each.

    The template is the system prompt or, without one, the first dozen words of the prompt. It explains what half of its
    exchanges show, whoever sends them; a common system prompt does not explain what somebody asks for under it.
    """
    users, explained = np.zeros(len(bits), np.int32), np.zeros(len(bits), np.uint16)
    marked = np.flatnonzero(bits)
    told = list(ASKED)
    for name, values in (("system_head", system), ("head_long", np.where(system == 0, words, 0))):
        rows = marked[values[marked] != 0]
        if len(rows):
            unique, which = np.unique(values[rows], return_inverse=True)
            used, share = engine.fillings(name, unique, told)
            users[rows] = used[which]
            for i, measure in enumerate(told):
                explained[rows] |= (share[which, i] >= 0.5).astype(np.uint16) << np.uint16(BIT[measure])
    return users, explained


def _told_by_history(
    bits: np.ndarray, account: np.ndarray, at: np.ndarray, prompt: np.ndarray, *, many: np.ndarray, single: np.ndarray
) -> np.ndarray:
    """Bits with what earlier rows of the account tell: samples taken again, and prompts that are back after an hour.

    A prompt that the account sent an hour or more before no longer counts for anything. Rows are in time order.
    """
    marked = np.flatnonzero(bits)
    if not len(marked):
        return bits
    which = mixed(account[marked].astype(np.uint64), prompt[marked])
    _, first, inverse = np.unique(which, return_index=True, return_inverse=True)
    earlier = marked[first][inverse]  # the first row of this account with this prompt
    known = prompt[marked] != 0
    again = known & (earlier != marked)
    traces = (bits[marked] & mask("traces", "thought")) != 0
    sampled = traces & (many[marked] | (again & single[marked]))
    out = bits.copy()
    out[marked] |= sampled.astype(np.uint16) << np.uint16(BIT["sampled"])
    out[marked[again & (at[marked] - at[earlier] >= AGAIN_US)]] = 0
    return out


def refilled(account: np.ndarray, prompt: np.ndarray, bands: Sequence[np.ndarray]) -> np.ndarray:
    """The account sends this prompt for the first time, and has sent a near one before, (rows,) bool.

    Args:
        account: codes; prompt: hashes; bands: hashes that near prompts share, each (rows,). 0 where there is none.
    """
    fresh = np.flatnonzero(_first_of(account, prompt) & (prompt != 0))
    out = np.zeros(len(prompt), bool)
    for band in bands:
        out[fresh] |= ~_first_of(account[fresh], band[fresh]) & (band[fresh] != 0)
    return out


def _first_of(account: np.ndarray, value: np.ndarray) -> np.ndarray:
    """No earlier row of the account has this value, (rows,) bool."""
    out = np.zeros(len(value), bool)
    order = np.lexsort((value, account))  # stable: of equal rows the earliest comes first
    if len(order):
        changed = (account[order[1:]] != account[order[:-1]]) | (value[order[1:]] != value[order[:-1]])
        out[order] = np.append(True, changed)
    return out


def mixed(*parts: np.ndarray) -> np.ndarray:
    """One uint64 for a combination of several; collisions are as rare as between 64-bit hashes."""
    mixed = np.zeros(len(parts[0]), np.uint64)
    for part in parts:
        mixed = (mixed ^ part.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed
