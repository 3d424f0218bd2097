"""The linked accounts as small drawings, one per connected group, laid out when the report is made.

Groups too large to read are drawn with bundles: accounts alike in verdict, campaign and pool become one mark with a
count. Of the links, the maximum spanning forest by match weight is drawn first, then the strongest others, so that a
clique of 60 stays a shape instead of 1,770 crossing lines. The same report gives the same drawing.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .model import VERDICTS, Link, Report

MOST_MARKS = 90  # marks in one drawing that a reader can still tell apart
MOST_DRAWINGS = 24
_EDGE_PX = 54.0  # wanted length of a drawn link
_CROWD = 40  # from here on marks and lines are drawn smaller
_PAD_PX = 34.0
_MIN_BUNDLE = 4  # fewer accounts than this are drawn one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One account, or a bundle of like accounts. `x`, `y`, `radius` in pixels."""

    accounts: tuple[str, ...]
    verdict: str
    campaign: str | None
    x: float
    y: float
    radius: float
    links: tuple[tuple[int, float, str], ...] = ()  # (other mark, bits, reasons), strongest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A drawn link between two marks. `strands` is how many links it stands for."""

    a: int
    b: int
    bits: float
    strands: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hull:
    """The outline of one campaign's marks; corners in pixels, to be drawn with a thick round stroke."""

    campaign: str
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One connected group of accounts."""

    accounts: int
    links: int
    width: int
    height: int
    marks: tuple[Mark, ...]
    lines: tuple[Line, ...]
    hulls: tuple[Hull, ...]
    campaigns: tuple[str, ...]
    pools: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """What is drawn, and what was left out because there was too much of it."""

    drawings: tuple[Drawing, ...]
    groups_left_out: int
    accounts_left_out: int


def draw(report: Report) -> Drawings:
    """The linked accounts of `report`, groups with the gravest verdicts and the most accounts first."""
    verdict = {v.account_id: v.verdict for v in report.verdicts}
    campaign = {v.account_id: v.campaign_id for v in report.verdicts if v.campaign_id is not None}
    for c in report.campaigns:
        for account in c.accounts:
            campaign.setdefault(account, c.campaign_id)
    pool = {v.account_id: v.pool_id for v in report.verdicts if v.pool_id is not None}
    for p in report.pools:
        for account in p.accounts:
            pool.setdefault(account, p.pool_id)

    groups = _groups(
        [(link.a, link.b) for link in report.links if link.a != link.b],
        [*(p.accounts for p in report.pools), *(c.accounts for c in report.campaigns)],
    )
    links_of = _links_by_group(report.links, groups)
    order = sorted(
        range(len(groups)),
        key=lambda g: ([-sum(verdict.get(a) == v for a in groups[g]) for v in VERDICTS[:3]], -len(groups[g]), g),
    )
    drawn = [_drawing(groups[g], links_of[g], verdict, campaign, pool) for g in order[:MOST_DRAWINGS]]
    rest = order[MOST_DRAWINGS:]
    return Drawings(
        drawings=tuple(drawn), groups_left_out=len(rest), accounts_left_out=sum(len(groups[g]) for g in rest)
    )


def _groups(pairs: Iterable[tuple[str, str]], sets: Iterable[Sequence[str]]) -> list[list[str]]:
    """Connected components of two or more accounts, members and groups sorted."""
    parent: dict[str, str] = {}

    def root(a: str) -> str:
        parent.setdefault(a, a)
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        return a

    for a, b in pairs:
        parent[root(a)] = root(b)
    for members in sets:
        for other in members[1:]:
            parent[root(members[0])] = root(other)
    by_root: dict[str, list[str]] = defaultdict(list)
    for account in sorted(parent):
        by_root[root(account)].append(account)
    return sorted(members for members in by_root.values() if len(members) > 1)


def _links_by_group(links: Iterable[Link], groups: list[list[str]]) -> list[list[Link]]:
    group_of = {account: g for g, members in enumerate(groups) for account in members}
    found: list[list[Link]] = [[] for _ in groups]
    for link in links:
        if link.a != link.b:
            found[group_of[link.a]].append(link)
    return found


def _drawing(
    members: list[str],
    links: list[Link],
    verdict: Mapping[str, str],
    campaign: dict[str, str],
    pool: dict[str, str],
) -> Drawing:
    marks = _marks(members, verdict, campaign, pool)
    mark_of = {account: i for i, mark in enumerate(marks) for account in mark.accounts}
    best: dict[tuple[int, int], Link] = {}
    strands: Counter[tuple[int, int]] = Counter()
    for link in sorted(links, key=lambda k: (-k.match_weight, k.a, k.b)):
        a, b = sorted((mark_of[link.a], mark_of[link.b]))
        if a != b:
            best.setdefault((a, b), link)
            strands[a, b] += 1
    lines = [Line(a=a, b=b, bits=best[a, b].match_weight, strands=strands[a, b]) for a, b in _worth_drawing(best)]
    xy = _layout(len(marks), lines, list(best), np.array([m.radius for m in marks]))
    low = xy.min(axis=0) - _PAD_PX
    size = xy.max(axis=0) + _PAD_PX - low
    xy -= low

    neighbours: dict[int, list[tuple[int, float, str]]] = defaultdict(list)
    for (a, b), link in best.items():
        why = ", ".join(link.reasons or link.families)
        neighbours[a].append((b, link.match_weight, why))
        neighbours[b].append((a, link.match_weight, why))
    placed = tuple(
        replace(
            mark,
            x=round(float(xy[i, 0]), 1),
            y=round(float(xy[i, 1]), 1),
            links=tuple(sorted(neighbours[i], key=lambda n: (-n[1], n[0]))),
        )
        for i, mark in enumerate(marks)
    )
    names = sorted({campaign[a] for a in members if a in campaign})
    return Drawing(
        accounts=len(members),
        links=len(links),
        width=math.ceil(size[0]),
        height=math.ceil(size[1]),
        marks=placed,
        lines=tuple(lines),
        hulls=tuple(Hull(campaign=c, corners=_hull([(m.x, m.y) for m in placed if m.campaign == c])) for c in names),
        campaigns=tuple(names),
        pools=tuple(sorted({pool[a] for a in members if a in pool})),
    )


def _marks(
    members: list[str], verdict: Mapping[str, str], campaign: Mapping[str, str], pool: Mapping[str, str]
) -> list[Mark]:
    """One mark per account; where that is too many, bundles of like accounts, coarser until they fit."""

    def alike(*keys: Mapping[str, str]) -> list[list[str]]:
        by_key: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for account in members:
            by_key[tuple(key.get(account, "") for key in keys)].append(account)
        parts: list[list[str]] = []
        for part in by_key.values():
            parts += [part] if len(part) >= _MIN_BUNDLE else [[a] for a in part]
        return parts

    bundles = [[a] for a in members]
    if len(bundles) > MOST_MARKS:
        for keys in ((verdict, campaign, pool), (verdict, campaign), (verdict,)):
            bundles = alike(*keys)
            if len(bundles) <= MOST_MARKS:
                break
    single = 8.0 if len(bundles) <= _CROWD else 6.5
    out = []
    for part in bundles:
        campaigns = {campaign.get(a) for a in part}
        out.append(
            Mark(
                accounts=tuple(part),
                verdict=verdict.get(part[0], "not_observable"),
                campaign=campaigns.pop() if len(campaigns) == 1 else None,
                x=0.0,
                y=0.0,
                radius=single if len(part) == 1 else round(min(30.0, 11 + 2.2 * math.sqrt(len(part))), 1),
            )
        )
    return out


def _worth_drawing(best: dict[tuple[int, int], Link]) -> list[tuple[int, int]]:
    """Maximum spanning forest (Kruskal), then the strongest others, to 1.6 lines per mark."""
    parent: dict[int, int] = {}

    def root(a: int) -> int:
        while parent.setdefault(a, a) != a:
            a = parent[a]
        return a

    chosen, others = [], []
    for a, b in best:  # strongest first
        ra, rb = root(a), root(b)
        if ra != rb:
            parent[ra] = rb
            chosen.append((a, b))
        else:
            others.append((a, b))
    return sorted(chosen + others[: max(0, int(1.6 * len(parent)) - len(chosen))])


def _layout(
    n: int, lines: list[Line], linked: list[tuple[int, int]], radius: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Positions in pixels, shape (marks, 2), by stress majorisation.

    Distances are shortest paths where a drawn line is 1 long, another link 1.7, and no link (one pool or one campaign)
    2.4. Source: Gansner, Koren, North 2004, "Graph drawing by stress majorization", equations 3 and 6.
    """
    if n == 1:
        return np.zeros((1, 2))
    want = np.full((n, n), 2.4 + 0.25 * math.sqrt(n))
    for a, b in linked:
        want[a, b] = want[b, a] = 1.7
    for line in lines:
        want[line.a, line.b] = want[line.b, line.a] = 1.0
    np.fill_diagonal(want, 0.0)
    for k in range(n):
        want = np.minimum(want, want[:, k, None] + want[None, k, :])
    edge_px = _EDGE_PX if n <= _CROWD else 0.75 * _EDGE_PX
    want = want * edge_px + np.where(want > 0, 0.6 * (radius[:, None] + radius[None, :] - 2 * radius.min()), 0.0)
    weight = np.where(want > 0, 1.0 / np.maximum(want, 1e-9) ** 2, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.pinv(laplacian)
    turn = np.arange(n) * math.pi * (3 - math.sqrt(5))  # sunflower: no two marks start in one place or in line
    xy = np.stack([np.cos(turn), np.sin(turn)], axis=1) * (edge_px * np.sqrt(np.arange(n) + 0.5))[:, None]
    for _ in range(200):
        gap = xy[:, None, :] - xy[None, :, :]
        length = np.sqrt((gap**2).sum(axis=2))
        pull = np.where(length > 1e-9, weight * want / np.maximum(length, 1e-9), 0.0)
        xy = inverse @ (np.diag(pull.sum(axis=1)) - pull) @ xy
    return _apart(_level(xy), radius)


def _level(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turned so that the longer axis lies flat, the first mark in the upper left: pages are wider than high."""
    xy = xy - xy.mean(axis=0)
    _, axes = np.linalg.eigh(xy.T @ xy)
    xy = xy @ axes[:, ::-1]
    return np.where(xy[0] > 0, -xy, xy)


def _apart(xy: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pushed apart until no two marks overlap."""
    room = radius[:, None] + radius[None, :] + 12
    for _ in range(80):
        gap = xy[:, None, :] - xy[None, :, :]
        length = np.sqrt((gap**2).sum(axis=2))
        np.fill_diagonal(length, np.inf)
        short = np.clip(room - length, 0.0, None)
        np.fill_diagonal(short, 0.0)
        if not short.any():
            break
        xy = xy + (gap / np.maximum(length, 1e-6)[:, :, None] * short[:, :, None] * 0.35).sum(axis=1)
    return xy


def _hull(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Convex hull by Andrew's monotone chain; fewer than three points come back as they are."""
    points = sorted(set(points))
    if len(points) < 3:
        return tuple(points)

    def chain(ordered: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
        out: list[tuple[float, float]] = []
        for p in ordered:
            while len(out) > 1 and _left(out[-2], out[-1], p) <= 0:
                out.pop()
            out.append(p)
        return out[:-1]

    return tuple(chain(points) + chain(reversed(points)))


def _left(o: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])
