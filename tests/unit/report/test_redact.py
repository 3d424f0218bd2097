"""Masks: what must be hidden, what must stay, and that masking twice changes nothing."""

from __future__ import annotations

import random
import time

import pytest

from stillwatch.report.redact import redact


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("write to bob.smith+x@mail.example.com now", "write to ‹email› now"),
        ("bob (at) example [dot] com", "‹email›"),
        ("call +49 30 901820-0 or (415) 555-0132", "call ‹phone› or ‹phone›"),
        ("see https://example.com/a/b?q=1#f.", "see https://example.com/‹path›"),
        ("see https://example.com for more", "see https://example.com for more"),
        ("git clone https://me:pw@git.example.com:8443/r.git", "git clone https://‹login›@git.example.com:8443/‹path›"),
        ("postgres://u:p@10.0.0.7/db", "postgres://‹login›@‹ip›/‹path›"),
        ("www.example.org/private", "www.example.org/‹path›"),
        ("from 203.0.113.9 and 2001:db8::17", "from ‹ip› and ‹ip›"),
        ("bob@example.com/secret/dir", "‹email›/‹path›"),
        ("mac 00:1A:2b:3c:4D:5e", "mac ‹mac address›"),
        ("key sk-proj-Ab12Cd34Ef56Gh78", "key ‹token›"),
        ("AKIAIOSFODNN7EXAMPLE", "‹token›"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3", "‹token›"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer ‹token›"),
        ('{"api_key": "q7", "password": "hunter2!"}', '{"api_key": "q7", "password": "‹secret›"}'),
        ("d41d8cd98f00b204e9800998ecf8427e", "‹token›"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- done", "‹private key› done"),
        ("card 4111 1111 1111 1111", "card ‹card›"),  # the published Visa test number
        ("IBAN GB82 WEST 1234 5698 7654 32", "IBAN ‹bank account›"),  # the example of ISO 13616
        ("ssn 078-05-1120", "ssn ‹number›"),  # the number printed in a wallet, void since 1940
        ("order 123456789", "order ‹number›"),
        ("/home/alice/notes.txt and /Users/Bob/x", "/home/‹user›/notes.txt and /Users/‹user›/x"),
        ("C:\\Users\\Bob Smith\\Desktop", "C:\\Users\\‹user›\\Desktop"),
        ("Hi, my name is Anna Maria Lopez and I ask", "Hi, my name is ‹name› and I ask"),
        ("ich heiße Jürgen.", "ich heiße ‹name›"),
        ("我叫王小明，你好", "我叫‹name›，你好"),
        ("меня зовут Анна Петрова, привет", "меня зовут ‹name›, привет"),
    ],
)
def test_private_things_are_masked(text: str, want: str) -> None:
    assert redact(text) == want


@pytest.mark.parametrize(
    "text",
    [
        "A tank holds 240 litres and drains at 3.14159265358979 litres per minute.",
        "On 2026-03-02 at 12:30:45 the total was 1,234,567,890 and the ratio 3:2:1.",
        "std::vector<int> v; a::b::c(); f(x) = x**2",
        "Basic principles, version 1.2.3 of the token parser: each token is important.",
        "My password manager is slow. What is my name in Greek letters?",
        "def merge(a: list[int], b: list[int]) -> list[int]:\n    return sorted(a + b)",
        "supercalifragilisticexpialidocious-is-a-very-long-word-indeed",
    ],
)
def test_ordinary_prompt_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("gap", ["\u200b", "\u00ad", "\u2060", "\ufeff", "\u202e", "\x00"])
def test_hidden_characters_do_not_shield_an_address(gap: str) -> None:
    assert redact(f"to an{gap}na@exa{gap}mple.c{gap}om!") == "to ‹email›!"


def test_full_width_digits_are_digits() -> None:
    assert redact("４１１１１１１１１１１１１１１１") == "‹card›"


def test_the_result_keeps_to_its_limit_and_never_ends_in_half_a_mask() -> None:
    text = "word " * 20 + "a@example.com " * 50
    for limit in range(90, 200):
        got = redact(text, limit)
        assert len(got) <= limit
        assert got.count("‹") == got.count("›")


def test_a_secret_longer_than_the_window_is_not_shown() -> None:
    secret = "sk-" + "Ab3" * 30_000
    assert "Ab3" not in redact("x " + secret)
    assert "9" not in redact("tel " + "9" * 70_000)


def test_masking_twice_changes_nothing_on_random_text() -> None:
    rng = random.Random(20260302)
    parts = ["a@b.co", "/home/x/", "sk-" + "k1" * 10, "‹", "›", "my name is ", "Bob ", "12", "345678901", "\n", " ",
             "https://h.io/p", "\u200b", "password: ", "10.0.0.1", "é", "…"]  # fmt: skip
    for _ in range(20000):
        text = "".join(rng.choice(parts) for _ in range(rng.randrange(1, 12)))
        once = redact(text, 80)
        assert redact(once, 80) == once, text


@pytest.mark.parametrize(
    "unit", ["a", "a.", "1 ", "1-", "a:", "@", "a@", "0:", "-", "/home/", "A1B2 ", "‹", "my name is A ", "eyJ"]
)
def test_a_megabyte_of_one_thing_takes_little_time(unit: str) -> None:
    started = time.process_time()
    redact(unit * (1_000_000 // len(unit)))
    assert time.process_time() - started < 3.0
