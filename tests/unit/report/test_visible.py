"""Hidden text is shown; spelling is left alone."""

from __future__ import annotations

import unicodedata

import pytest

from stillwatch.report.visible import visible


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("user\u202egpj.exe", "user‹U+202E›gpj.exe"),  # CVE-2021-42574, "Trojan Source"
        ("\u2067isolate\u2069", "‹U+2067›isolate‹U+2069›"),
        ("a\u200bb", "a‹U+200B›b"),
        ("a" + "\u200b" * 300 + "b", "a‹U+200B ×300›b"),
        ("\x1b[31mred\x1b[0m", "‹terminal code›red‹terminal code›"),
        ("\x1b]0;title\x07x", "‹terminal code›x"),
        ("\x9b2J", "‹terminal code›"),
        ("a\x00\x08b", "a‹U+0000›‹U+0008›b"),
        ("hi" + chr(0xE0068), "hi‹U+E0068›"),  # a tag character: invisible ASCII
        ("x\ud800y", "x‹U+D800›y"),
        ("a\u3164b", "a‹U+3164›b"),
        ("line\r\nbreak\tand tab", "line\nbreak and tab"),
    ],
)
def test_what_hides_or_steers_is_shown(text: str, want: str) -> None:
    assert visible(text) == want


@pytest.mark.parametrize(
    "text", ["می‌خواهم", "👩‍💻 done", "क्‍ष", "naïve café", "日本語 한국어", "e\u0301", "plain\nlines"]
)
def test_scripts_and_emoji_keep_their_spelling(text: str) -> None:
    assert visible(text) == text


def test_stacked_marks_are_cut() -> None:
    assert len(visible("z" + "\u0301" * 500)) <= 5


def test_the_cut_is_said() -> None:
    assert visible("x" * 2500, 2000) == "x" * 2000 + " … (500 more characters)"


def test_no_character_of_unicode_comes_out_invisible() -> None:
    for code in range(0x110000):
        out = visible(chr(code))
        for char in out:
            assert char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn"), hex(code)
