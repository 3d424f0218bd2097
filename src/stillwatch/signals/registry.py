"""What a signal is, and the list of all of them.

A signal is one file: a function from tables to a table, with what it means, what innocent thing looks the same and
what it misses. Importing `stillwatch.signals` registers every file in the folder; other packages register theirs by
the entry point group `stillwatch.signals`.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from stillwatch.errors import UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Tables(NamedTuple):
    """What signals read. Account ids are keyed hashes (uint64).

    exchanges: rows of SKETCH as `exchanges.measured` extends them, with the `unit` that is measured.
    accounts:  account, created_at, payment, card_bin, signup_ip, email, programme, plan (hashes; may be empty).
    values:    kind, value, account: what accounts have in common, one row for each.
    """

    exchanges: ir.Table
    accounts: ir.Table
    values: ir.Table

    def sharing(self, kind: str) -> ir.Table:
        """Pairs of accounts (a < b) with a common value of a kind: values shared, accounts on the rarest of them.

        Values that very many accounts have prove nothing and are left out (`POPULAR`).
        """
        mine = self.values.filter(self.values.kind == kind)
        popularity = mine.group_by("value").agg(k=mine.account.nunique())
        mine = mine.inner_join(popularity.filter((popularity.k >= 2) & (popularity.k <= POPULAR[kind])), "value")
        mine = mine.select("value", "account", "k").distinct()
        other = mine.select(value="value", account_2="account")
        both = mine.inner_join(other, "value")
        both = both.filter(both.account < both.account_2)
        return both.group_by(a=both.account, b=both.account_2).agg(
            value=both.value.nunique().cast("float64"), n=both.k.min()
        )


POPULAR: Final = {"payment": 200, "signup": 200, "template": 60, "ip": 100, "client": 60}

Family = Literal["content", "tempo", "identity", "network"]
Shape = Literal["unit", "pair"]
Weighing = Literal["events", "popularity", "ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal: metadata and the expression that measures it.

    `shape` "unit": the expression groups `exchanges` by `unit` (an account, a stream or a linked set) and returns
    (unit, value, n). "pair": it compares accounts and returns (a, b, value, n) with a < b.
    """

    id: str
    version: int
    title: str
    means: str
    innocent: tuple[str, ...]
    misses: tuple[str, ...]
    unit: str
    family: Family
    needs: tuple[str, ...]  # columns of SKETCH or `accounts.<column>`; without them the signal abstains
    shape: Shape
    bits: float  # pair signals: match weight in bits of one certain agreement, before popularity
    weighed_by: Weighing  # pair signals: is n a count of events, is it the accounts that share the value; or a ratio
    least: int  # exchanges below which the value means nothing
    enable: str  # what to switch on in the gateway to get the fields
    sentence: str  # the reason in plain words, with {value} and {n}
    atlas: tuple[str, ...]
    source: str
    status: Literal["experimental", "measured", "trusted"]
    measure: Callable[..., ir.Table]

    @property
    def digest(self) -> str:
        """Hash of all that a reading depends on; `signals.lock` keeps it beside the version.

        It covers the expression, the columns and helpers that it uses, `needs`, `least`, `bits` and `weighed_by`;
        not comments, layout or what is said about the signal.
        """
        from stillwatch.signals import exchanges

        code = list(_whole_code(self.measure))
        parts = [*code, repr((self.shape, self.needs, self.least, self.bits, self.weighed_by))]
        if "sharing" in code:
            kinds = {w.strip("\"'") for w in code} & set(POPULAR)
            parts += [*_code(Tables.sharing), repr([(k, POPULAR[k]) for k in sorted(kinds)])]
        given = list(_code(exchanges.measured))
        added = {name for name, sign in pairwise(given) if sign == "="}
        read = {name for dot, name in pairwise(code) if dot == "."} | {w[1:-1] for w in code if w[0] == '"'}
        if added & read - set(exchanges.COLUMNS):
            parts += _whole_code(exchanges.measured)
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()

    @property
    def name(self) -> str:
        """`SG104@3`."""
        return f"{self.id}@{self.version}"


_SILENT: Final = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


@cache
def _code(function: Callable[..., object]) -> tuple[str, ...]:
    return tuple(_read_code(function))


def _read_code(function: Callable[..., object]) -> Iterator[str]:
    """The words of a function's body, without decorators, docstring, comments and layout."""
    source = textwrap.dedent(inspect.getsource(function))
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in _SILENT]
    start = next(i for i, t in enumerate(tokens) if t.string == "def" and t.start[1] == 0)
    body = tokens[start + 1 :]
    if function.__doc__:
        first = next(i for i, t in enumerate(body) if t.type == tokenize.STRING)
        body.pop(first)
    for token, after in zip(body, [*body[1:], None], strict=True):
        # a comma before a closing bracket is layout
        if not (token.string == "," and after is not None and after.string in ")]}"):
            yield token.string


def _whole_code(function: Callable[..., object]) -> Iterator[str]:
    """The words of a function, and of the functions and constants of its own module that it uses."""
    code = list(_code(function))
    yield from code
    known = {k: v for k, v in getattr(function, "__globals__", {}).items() if k != "ibis"}
    for name in sorted(set(code) & set(known)):
        value = known[name]
        if inspect.isfunction(value) and value is not function and value.__module__ == function.__module__:
            yield from _whole_code(value)
        elif isinstance(value, int | float | str | tuple | frozenset):
            yield f"{name} = {sorted(value) if isinstance(value, frozenset) else value!r}"


ALL: Final[dict[str, Signal]] = {}


def signal(
    *,
    id: str,
    title: str,
    means: str,
    innocent: tuple[str, ...],
    misses: tuple[str, ...],
    unit: str,
    family: Family,
    needs: tuple[str, ...],
    sentence: str,
    source: str,
    version: int = 1,
    shape: Shape = "unit",
    bits: float = 0.0,
    weighed_by: Weighing = "events",
    least: int = 10,
    enable: str = "",
    atlas: tuple[str, ...] = ("AML.T0024.002",),
    status: Literal["experimental", "measured", "trusted"] = "experimental",
) -> Callable[[Callable[..., ir.Table]], Signal]:
    """Register the decorated expression as a signal. A taken id is an error that names both files."""

    def register(measure: Callable[..., ir.Table]) -> Signal:
        if not innocent or not misses:
            raise UsageError(
                f"signal `{id}` names no innocent explanation or no miss", fix="write at least one of each"
            )
        if id in ALL and inspect.getfile(ALL[id].measure) != inspect.getfile(measure):
            raise UsageError(
                f"signal id `{id}` is taken: {inspect.getfile(ALL[id].measure)} and {inspect.getfile(measure)}",
                fix="give the new signal an id that was never used",
            )
        made = Signal(
            id=id, version=version, title=title, means=means, innocent=innocent, misses=misses, unit=unit,
            family=family, needs=needs, shape=shape, bits=bits, weighed_by=weighed_by, least=least, enable=enable,
            sentence=sentence,
            atlas=atlas, source=source, status=status, measure=measure,
        )  # fmt: skip
        ALL[id] = made
        return made

    return register
