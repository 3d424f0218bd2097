"""What ties the members of a set beyond chance: shared values and work that moved, counted as of any moment.

The members were chosen by what they ask for. If they were strangers, a value that k accounts of all share would tie a
member to another one with chance 1 - (1 - (members - 1) / (accounts - 1)) ** (k - 1). The ties that are there are
compared with the number that this gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from scipy.stats import binom, poisson

from stillwatch.link.weigh import LEAST, Agreement, bits_of
from stillwatch.maths import evalues
from stillwatch.signals.registry import ALL, Family

KINDS: Final = {"payment": "SG303", "signup": "SG304", "ip": "SG402", "client": "SG403"}
TYPES: Final[dict[str, Family]] = {
    "moved": "identity", "identity": "identity", "network": "network", "program": "network",
}  # fmt: skip
BEYOND: Final = 5.0  # e-value against chance from which members are said to be tied


class Tie(NamedTuple):
    """Ties of one type among the members of a set."""

    e: float  # e-value against members that met by chance
    share: float  # of the members that are tied to another one
    joins: int  # how often a member was tied to others that it was not tied to yet

    @property
    def extent(self) -> float:
        """How large a tie it is: a family shares a card, and so does a campaign of fifty accounts."""
        return self.joins * self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A value and who has it since when, in order of time."""

    signal: str
    accounts: np.ndarray  # uint64
    since: np.ndarray  # int64


class Ties:
    """Values that accounts share, and work that moved between them; asked about sets of accounts at moments."""

    def __init__(self, values: pa.Table, moves: pa.Table, programs: pa.Table, began: Mapping[int, int]) -> None:
        """`values`, `moves` and `programs` as the engine gives them, `began`: account -> first exchange."""
        kinds, names = values.column("kind").to_numpy(), values.column("value").to_numpy()
        accounts, since = values.column("account").to_numpy(), values.column("first_at").to_numpy()
        cuts = (np.flatnonzero((names[1:] != names[:-1]) | (kinds[1:] != kinds[:-1])) + 1).tolist()
        self._shared: list[Shared] = []
        self._of: dict[int, list[int]] = defaultdict(list)
        for low, high in zip([0, *cuts], [*cuts, len(names)], strict=True):
            if high > low:
                for account in accounts[low:high].tolist():
                    self._of[account].append(len(self._shared))
                self._shared.append(
                    Shared(signal=KINDS[kinds[low]], accounts=accounts[low:high], since=since[low:high])
                )
        self._moves = list(zip(*(moves.column(c).to_pylist() for c in ("signal", "a", "b", "at")), strict=True))
        self._began = np.sort(np.fromiter(began.values(), np.int64, len(began)))
        owners = programs.column("account").to_pylist()
        since = np.array([began.get(a, 0) for a in owners], np.int64)
        self._programs = {a: i for i, a in enumerate(owners)}
        # which program, and which program with which parameters; the users of each in order of their beginning
        self._kinds = [programs.column(name).to_numpy() for name in ("program", "profile")]
        self._users: list[dict[int, np.ndarray]] = []
        for kinds in self._kinds:
            order = np.lexsort((since, kinds))
            values_, first = np.unique(kinds[order], return_index=True)
            parts = np.split(since[order], first[1:])
            self._users.append(dict(zip(values_.tolist(), parts, strict=True)))

    def among(self, members: Sequence[int], until: int) -> tuple[dict[str, Tie], dict[str, set[int]]]:
        """Ties among the members as of a moment, by type (`TYPES`), and the members that types beyond chance tie.

        Types: work that moved between accounts; cards and sign-ups (identity); addresses and rare clients (network);
        one program where independent users have many.
        """
        inside = set(members)
        everybody = int(np.searchsorted(self._began, until, side="right"))
        groups: dict[str, _Groups] = {name: _Groups() for name in TYPES}
        expected: dict[str, float] = dict.fromkeys(TYPES, 0.0)
        tied: dict[str, set[int]] = {name: set() for name in TYPES}
        for i in sorted({i for m in inside for i in self._of.get(m, ())}):
            shared = self._shared[i]
            k = int(np.searchsorted(shared.since, until, side="right"))
            mine = [a for a in shared.accounts[:k].tolist() if a in inside]
            if k < 2 or bits_of(Agreement(0, 1, shared.signal, 1, k)) < LEAST or not mine:
                continue
            name = str(ALL[shared.signal].family)
            meets = 1 - (1 - min((len(inside) - 1) / max(everybody - 1, 1), 1.0)) ** (k - 1)
            expected[name] += meets * len(mine)
            groups[name].join(mine)
            if len(mine) >= 2:
                tied[name].update(mine)
        for _, a, b, at in self._moves:
            if at <= until and a in inside and b in inside:
                groups["moved"].join((a, b))
                tied["moved"].update((a, b))
        found: dict[str, Tie] = {}
        for name, group in groups.items():
            if name == "program":
                continue
            chance = float(poisson.sf(group.joins - 1, max(expected[name], 1e-3))) if group.joins else 1.0
            e = evalues.from_p_value(max(chance, 1e-300))
            found[name] = Tie(e=e, share=len(tied[name]) / max(len(inside), 1), joins=group.joins)
        found["program"], tied["program"] = self._program(members, until, everybody)
        # one program ties a set, but nobody to it: honest accounts have it too
        return found, {name: tied[name] for name, t in found.items() if t.e >= BEYOND and name != "program"}

    def _program(self, members: Sequence[int], until: int, everybody: int) -> tuple[Tie, set[int]]:
        """Do more members than chance explains use one program, or one with the same parameters?

        Binomial tail with the share of all accounts that use it, times the programs that could have come out first.
        """
        best, who = Tie(e=0.5, share=0.0, joins=0), set[int]()
        places = [(m, self._programs[m]) for m in members if m in self._programs]
        for kinds, users in zip(self._kinds, self._users, strict=True):
            used: dict[int, set[int]] = defaultdict(set)
            for member, place in places:
                used[int(kinds[place])].add(member)
            used.pop(0, None)
            if not used:
                continue
            kind, same = max(used.items(), key=lambda item: (len(item[1]), item[0]))
            share = int(np.searchsorted(users[kind], until, side="right")) / max(everybody, 1)
            chance = float(binom.sf(len(same) - 1, len(places), min(max(share, 1e-3), 1.0))) * len(users) * 2
            e = evalues.from_p_value(min(max(chance, 1e-300), 1.0))
            if e > best.e:
                best, who = Tie(e=e, share=len(same) / max(len(members), 1), joins=len(same) - 1), same
        return best, who

    def labels(self, accounts: Sequence[int]) -> np.ndarray:
        """Which of these accounts hang together by anything, one number for each, (accounts,)."""
        label = {a: -1 - i for i, a in enumerate(accounts)}
        for number, group in enumerate(self.groups(accounts, ("identity", "network"))):
            label.update(dict.fromkeys(group, number))
        return np.array([label[a] for a in accounts], np.int64)

    def groups(self, members: Sequence[int], families: Sequence[Family], until: int | None = None) -> list[list[int]]:
        """Members that shared values of some families, or moved work, hold together: two or more in a group, sorted."""
        inside = set(members)
        joined = _Groups()
        for i in sorted({i for m in inside for i in self._of.get(m, ())}):
            shared = self._shared[i]
            bits = bits_of(Agreement(0, 1, shared.signal, 1, len(shared.accounts)))
            if ALL[shared.signal].family in families and bits >= LEAST:
                k = None if until is None else int(np.searchsorted(shared.since, until, side="right"))
                joined.join(a for a in shared.accounts[:k].tolist() if a in inside)
        for _, a, b, at in self._moves:
            if a in inside and b in inside and (until is None or at <= until):
                joined.join((a, b))
        return joined.sets()


class _Groups:
    """Counts by how many joins members came together (a forest's edges)."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self.joins = 0

    def _root(self, x: int) -> int:
        self._parent.setdefault(x, x)
        while self._parent[x] != x:
            self._parent[x] = self._parent[self._parent[x]]
            x = self._parent[x]
        return x

    def join(self, members: Iterable[int]) -> None:
        """Put members together."""
        first: int | None = None
        for member in members:
            root = self._root(member)
            if first is None:
                first = root
            elif root != first:
                self._parent[root] = first
                self.joins += 1

    def sets(self) -> list[list[int]]:
        """Members that came together, two or more in each, sorted."""
        found: dict[int, list[int]] = defaultdict(list)
        for member in sorted(self._parent):
            found[self._root(member)].append(member)
        return sorted(g for g in found.values() if len(g) >= 2)
