"""What rows are beside earlier rows of their account."""

from __future__ import annotations

import numpy as np

from stillwatch.judge.rows import refilled


def test_a_text_that_is_filled_again_counts_from_the_second_filling_and_the_same_prompt_never():
    account = np.array([0, 0, 0, 1, 0])
    prompt = np.array([11, 12, 12, 13, 14], np.uint64)
    band = np.array([7, 7, 7, 7, 8], np.uint64)
    assert refilled(account, prompt, [band]).tolist() == [False, True, False, False, False]


def test_rows_without_a_prompt_or_a_band_are_fillings_of_nothing():
    account = np.zeros(3, np.int64)
    assert not refilled(account, np.array([0, 5, 6], np.uint64), [np.zeros(3, np.uint64)]).any()
    assert not refilled(account, np.zeros(3, np.uint64), [np.array([7, 7, 7], np.uint64)]).any()
    assert refilled(np.zeros(0, np.int64), np.zeros(0, np.uint64), [np.zeros(0, np.uint64)]).tolist() == []
