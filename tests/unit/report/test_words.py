"""Figures as a reader meets them."""

from __future__ import annotations

import math

import pytest

from stillwatch.report import words


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (words.percent(0.9999), "over 99.9 %"),
        (words.percent(1.0), "100 %"),
        (words.percent(0.00004), "under 0.1 %"),
        (words.percent(0.0), "0 %"),
        (words.percent(None), "–"),
        (words.e_value(4.2e11), "4.2 × 10¹¹"),
        (words.e_value(math.inf), "over 10³⁰⁰"),
        (words.e_value(310.0), "310"),
        (words.e_value(0.0), "0"),
        (words.compact(34_430_440), "34.4 million"),
        (words.compact(9_120), "9,120"),
        (words.number(0.0000123), "1.2 × 10⁻⁵"),
        (words.plural(1, "account"), "1 account"),
        (words.plural(1200, "account"), "1,200 accounts"),
        (words.when("2026-03-02T14:05:00Z"), "2 Mar 2026, 14:05"),
        (words.when("2026-03-02T23:05:00-02:00"), "3 Mar 2026, 01:05"),
        (words.when("soon"), "soon"),
        (words.span("2026-03-02T14:05:00Z", "2026-03-02T16:00:00Z"), "2 Mar 2026, 14:05 to 16:00"),
        (words.listed(["a", "b", "c"]), "a, b and c"),
        (words.listed(list("abcdefgh"), 3), "a, b, c and 5 more"),
        (words.duration(3600), "hour"),
        (words.duration(7200), "2 hours"),
        (words.reading(0.93, "share of the account's requests, 0 to 1"), "93 %"),
    ],
)
def test_figures_read_well(got: str, want: str) -> None:
    assert got == want
