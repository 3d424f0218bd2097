"""What ties the members of a set beyond chance: shared values and work that moved, counted as of any moment.

The members were chosen by what they ask for. If they were strangers, a value that k accounts of all share would tie a
member to another one with chance 1 - (1 - (members - 1) / (accounts - 1)) ** (k - 1). The ties that are there are
compared with the number that this gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from scipy.stats import poisson

from stillwatch.link.weigh import LEAST, Agreement, bits_of
from stillwatch.maths import evalues
from stillwatch.signals.registry import ALL, Family

KINDS: Final = {"payment": "SG303", "signup": "SG304", "ip": "SG402", "client": "SG403"}
MOST: Final = 50.0  # e-value that one family of ties can give: what is not seen in some thousand sets may still happen


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A value and who has it since when, in order of time."""

    signal: str
    accounts: np.ndarray  # uint64
    since: np.ndarray  # int64


class Ties:
    """Values that accounts share, and work that moved between them; asked about sets of accounts at moments."""

    def __init__(self, values: pa.Table, moves: pa.Table, began: Mapping[int, int]) -> None:
        """`values` as of `Engine.since`, `moves` as of `Engine.moves`, `began`: account -> first exchange."""
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

    def e_values(self, members: Sequence[int], until: int) -> tuple[dict[Family, float], set[int]]:
        """Family -> e-value of the ties among the members as of a moment, and the members that are tied.

        A family in which nothing is known of any member is left out.
        """
        inside = set(members)
        everybody = int(np.searchsorted(self._began, until, side="right"))
        groups: dict[Family, _Groups] = defaultdict(_Groups)
        expected: dict[Family, float] = defaultdict(float)
        tied: set[int] = set()
        for i in sorted({i for m in inside for i in self._of.get(m, ())}):
            shared = self._shared[i]
            k = int(np.searchsorted(shared.since, until, side="right"))
            mine = [a for a in shared.accounts[:k].tolist() if a in inside]
            if k < 2 or bits_of(Agreement(0, 1, shared.signal, 1, k)) < LEAST or not mine:
                continue
            family = ALL[shared.signal].family
            rest = max(everybody - 1, 1)
            meets = 1 - (1 - min((len(inside) - 1) / rest, 1.0)) ** (k - 1)
            expected[family] += meets * len(mine)
            groups[family].join(mine)
            if len(mine) >= 2:
                tied.update(mine)
        for signal, a, b, at in self._moves:
            if at <= until and a in inside and b in inside:
                groups[ALL[signal].family if signal != "SG109" else "identity"].join((a, b))
                tied.update((a, b))
        found: dict[Family, float] = {}
        for family, group in groups.items():
            chance = float(poisson.sf(group.joins - 1, max(expected[family], 1e-3))) if group.joins else 1.0
            found[family] = min(evalues.from_p_value(max(chance, 1e-300)), MOST)
        return found, tied


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
