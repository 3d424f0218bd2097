"""The drawings of linked accounts: complete, legible, and the same each time."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from stillwatch.report import graph
from stillwatch.report.model import report_from


def _linked(model: dict[str, Any], links: list[tuple[str, str, float]], accounts: list[str]) -> dict[str, Any]:
    row = {"verdict": "watch", "exchanges": 1}
    return model | {
        "campaigns": [],
        "pools": [],
        "links": [{"a": a, "b": b, "match_weight": w} for a, b, w in links],
        "verdicts": [row | {"account_id": a} for a in accounts],
    }


def test_each_linked_account_is_in_exactly_one_drawing(model: dict[str, Any]) -> None:
    report = report_from(model)
    drawn = [a for d in graph.draw(report).drawings for m in d.marks for a in m.accounts]
    grouped = {a for k in report.links for a in (k.a, k.b)} | {a for p in report.pools for a in p.accounts}
    grouped |= {a for c in report.campaigns for a in c.accounts if len(c.accounts) > 1}
    assert sorted(drawn) == sorted(grouped)


def test_marks_do_not_overlap_and_lie_inside(model: dict[str, Any]) -> None:
    for d in graph.draw(report_from(model)).drawings:
        for m, n in itertools.combinations(d.marks, 2):
            assert math.dist((m.x, m.y), (n.x, n.y)) >= m.radius + n.radius
        for m in d.marks:
            assert m.radius <= m.x <= d.width - m.radius and m.radius <= m.y <= d.height - m.radius


def test_the_drawing_does_not_depend_on_the_order_of_the_input(model: dict[str, Any]) -> None:
    once = graph.draw(report_from(model))
    for key in ("links", "verdicts", "pools", "campaigns"):
        model[key] = model[key][::-1]
    assert graph.draw(report_from(model)) == once


def test_a_clique_of_60_keeps_every_account_and_draws_few_lines(model: dict[str, Any]) -> None:
    names = [f"a{i:02}" for i in range(60)]
    links = [(a, b, 10.0 + i % 7) for i, (a, b) in enumerate(itertools.combinations(names, 2))]
    (d,) = graph.draw(report_from(_linked(model, links, names))).drawings
    assert len(d.marks) == 60 and d.links == 1770
    assert 59 <= len(d.lines) <= 96  # a spanning tree at least, 1.6 lines per mark at most


@pytest.mark.parametrize("n", [500, 5000])
def test_a_group_of_thousands_becomes_bundles_that_count_everyone(model: dict[str, Any], n: int) -> None:
    names = [f"a{i:04}" for i in range(n)]
    links = [(names[i], names[i // 2], 12.0) for i in range(1, n)]
    (d,) = graph.draw(report_from(_linked(model, links, names))).drawings
    assert len(d.marks) <= graph.MOST_MARKS
    assert sum(len(m.accounts) for m in d.marks) == n == d.accounts


def test_lines_are_a_maximum_spanning_tree_first(model: dict[str, Any]) -> None:
    # a-b 9, b-c 8, a-c 1: by hand the tree is {ab, bc}; 1.6 lines x 3 marks leaves room for the third.
    links = [("a", "b", 9.0), ("b", "c", 8.0), ("a", "c", 1.0)]
    (d,) = graph.draw(report_from(_linked(model, links, ["a", "b", "c"]))).drawings
    assert sorted(k.bits for k in d.lines) == [1.0, 8.0, 9.0]


def test_an_account_linked_to_itself_draws_nothing(model: dict[str, Any]) -> None:
    assert graph.draw(report_from(_linked(model, [("a", "a", 9.0)], ["a"]))).drawings == ()
