"""Which rows count for a set."""

from __future__ import annotations

import numpy as np

from stillwatch.judge.measures import mask
from stillwatch.judge.rows import Rows
from stillwatch.judge.sets import by_several, sets


def rows(account: list[int], bits: list[int], users: int = 0, explained: int = 0) -> Rows:
    n = len(account)
    codes = np.array(account, np.int32)
    order = np.argsort(codes, kind="stable")
    return Rows(
        at=np.arange(n), account=codes, accounts=np.arange(codes.max() + 1, dtype=np.uint64),
        bits=np.array(bits, np.uint16), users=np.full(n, users, np.int32), explained=np.full(n, explained, np.uint16),
        text=np.ones(n, bool), elicits=np.zeros(n, np.uint32), tokens_in=np.zeros(n, np.int32),
        tokens_out=np.zeros(n, np.int32), reasoned=np.zeros(n, bool), keys={}, order=order,
        starts=np.searchsorted(codes[order], np.arange(codes.max() + 2)),
    )  # fmt: skip


MATERIAL = mask("material")


def test_what_one_member_does_alone_does_not_count():
    account = [0] * 50 + [1, 1]
    made = rows(account, [MATERIAL] * 52)
    valid = by_several(made, np.arange(52), np.ones(52, bool))
    assert int(valid.sum()) <= 2


def test_members_in_turn_count_from_their_second_row():
    made = rows([0, 1] * 20, [MATERIAL] * 40)
    assert by_several(made, np.arange(40), np.ones(40, bool)).tolist() == [False, False] + [True] * 38


def test_who_is_bound_takes_part_and_a_stranger_who_does_a_little_of_it_does_not():
    made = rows([0, 1, 2] * 20, [MATERIAL if a != 2 or i < 2 else 0 for i in range(20) for a in range(3)])
    (found,) = sets(made, [0, 1, 2], {0, 1})
    assert found.members == (0, 1)


def test_a_product_s_wording_says_nothing_about_a_few_of_its_users():
    account, bits = [0, 1] * 20, [MATERIAL] * 40
    assert sets(rows(account, bits), [0, 1], {0, 1})
    assert not sets(rows(account, bits, users=60, explained=MATERIAL), [0, 1], {0, 1})
    assert sets(rows(account, bits, users=60), [0, 1], {0, 1})  # a common system prompt that does not ask for it


def test_strangers_are_not_judged_by_what_recipes_do_for_everybody():
    made = rows([0, 1] * 20, [mask("material", "swept", "ordered")] * 40)
    assert {s.measure for s in sets(made, [0, 1], set(), strangers=True)} == {0}
