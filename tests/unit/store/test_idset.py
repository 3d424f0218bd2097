"""The set of ids seen so far, against a Python set."""

from __future__ import annotations

import random

import numpy as np

from stillwatch.store.idset import IdSet


def test_it_agrees_with_a_python_set_through_many_growths():
    rng = random.Random(7)
    seen: set[int] = set()
    ids = IdSet()
    for size in (0, 1, 70_000, 3, 200_000, 50_000):
        values = [rng.randrange(1, 150_000) * 0x9E3779B97F4A7C15 % 2**64 for _ in range(size)]
        wanted = []
        for value in values:
            wanted.append(value not in seen)
            seen.add(value)
        assert ids.add(np.array(values, np.uint64)).tolist() == wanted
        assert len(ids) == len(seen)


def test_the_first_of_equal_ids_in_one_batch_is_the_new_one():
    assert IdSet().add(np.array([5, 5, 6, 5], np.uint64)).tolist() == [True, False, True, False]


def test_ids_that_fall_into_one_place_of_the_table_are_told_apart():
    same_place = np.array([1 + (k << 40) for k in range(1000)], np.uint64)
    ids = IdSet()
    assert ids.add(same_place).all() and not ids.add(same_place).any()


def test_0_is_no_hash_and_never_new():
    ids = IdSet()
    assert ids.add(np.array([0, 7, 0], np.uint64)).tolist() == [False, True, False]
    assert len(ids) == 1
