"""The document as text: one file, no way in for hostile strings, nothing left out."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from stillwatch.errors import InputError
from stillwatch.report import render, report_from, to_json
from stillwatch.report.html import json_block, rank

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><a href=javascript:alert(1)>{{7*7}}"


class Page(HTMLParser):
    """Elements, attributes and text as a parser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _poison(value: Any, tail: str = HOSTILE) -> Any:
    """Every string of a model made hostile, but for verdicts, times, and keys that the form prescribes."""
    if isinstance(value, dict):
        fixed = ("verdict", "first_at", "last_at", "flagged_at", "at", "start", "generated_at", "verdict_counts")
        return {k: v if k in fixed else _poison(v, tail) for k, v in value.items()}
    if isinstance(value, list):
        return [_poison(v, tail) for v in value]
    return tail + value if isinstance(value, str) else value


def test_nothing_is_fetched_and_nothing_runs_but_our_own(model: dict[str, Any]) -> None:
    page = Page(render(_poison(model)))
    scripts = [a for tag, a in page.elements if tag == "script"]
    assert [s.get("type") for s in scripts] == ["application/json", None]
    for tag, attributes in page.elements:
        assert tag not in ("img", "iframe", "object", "embed", "link", "base", "form-action")
        for name, value in attributes.items():
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("src", "href", "xlink:href", "action", "formaction", "srcset", "poster", "data"):
                assert re.fullmatch(r"#[\w-]+", value or ""), (tag, name, value)


def test_the_policy_names_the_style_and_the_script_by_hash(model: dict[str, Any]) -> None:
    text = render(model)
    policy = next(a["content"] for t, a in Page(text).elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy and "http" not in policy
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_hostile_text_is_there_as_text(model: dict[str, Any]) -> None:
    model["campaigns"][0]["headline"] = HOSTILE
    assert HOSTILE in "".join(Page(render(model)).text)


def test_bidi_controls_and_lone_surrogates_reach_no_byte_of_the_file(model: dict[str, Any]) -> None:
    model["verdicts"][0]["account_id"] = model["title"] = "a\u202eb\ud800\u200b\x1b[2J"
    text = render(model)
    text.encode("utf-8")
    assert not set("\u202e\u200b\x1b") & set(text)
    assert not set("\u202e\u200b\x1b") & set(render(_poison(model, "\u202e\u200b\x1b[2J")))
    assert "a‹U+202E›b‹U+D800›‹U+200B›‹terminal code›" in text


def test_exemplars_are_redacted_even_if_the_pipeline_forgot(model: dict[str, Any]) -> None:
    model["campaigns"][0]["exemplars"][0]["text"] = "mail me at carol@example.com"
    text = render(model)
    assert "carol@example.com" not in text and "mail me at ‹email›" in text


def test_long_words_and_long_texts_are_bounded(model: dict[str, Any]) -> None:
    plain = len(render(model))
    model["campaigns"][0]["exemplars"][0]["text"] = "w" * 10_000_000
    model["campaigns"][0]["headline"] = "h" * 1_000_000
    model["verdicts"][5]["account_id"] = "i" * 1_000_000
    assert len(render(model)) < plain + 10_000


def test_json_in_the_page_reads_back_as_it_went_in() -> None:
    value = {"a": ["</script>", "<!--<script>", "\u2028&amp;", "é"]}
    block = json_block(value)
    assert not set("<>&\u2028") & set(block)
    assert json.loads(block) == value


def test_campaigns_are_ranked_by_evidence_and_then_size(model: dict[str, Any]) -> None:
    model["campaigns"].reverse()
    assert [c.campaign_id for c in rank(report_from(model).campaigns)] == ["C-2f81", "C-7b02", "C-90ce", "C-c3d4"]


def test_the_same_model_gives_the_same_file(model: dict[str, Any]) -> None:
    assert render(model) == render(json.loads(to_json(report_from(model))))


def test_an_empty_scan_reads_well(model: dict[str, Any]) -> None:
    nothing = {
        "exchanges": 0,
        "accounts": 0,
        "pools": 0,
        "campaigns": 0,
        "verdict_counts": {},
        "quarantine_reasons": {},
    }
    text = render({k: model[k] for k in ("title", "generated_at", "software")} | {"summary": nothing, "signals": {}})
    for sentence in ("No campaign was found", "No accounts are linked", "No account was judged", "No times to draw",
                     "No source was read", "No calibration set was used"):  # fmt: skip
        assert sentence in text
    assert ">None<" not in text


def test_campaigns_without_optional_parts_are_told_too(model: dict[str, Any]) -> None:
    model["campaigns"] = [
        {"campaign_id": "C", "kinds": [], "accounts": ["x"], "exchanges": 0, "headline": "One account.", "exposure": {}}
    ]
    text = render(model)
    assert "One account." in text and ">None<" not in text


def test_infinite_and_missing_numbers_do_not_break_the_page(model: dict[str, Any]) -> None:
    model["verdicts"][0] |= {"e_value": float("inf"), "probability": float("nan")}
    model["campaigns"][0]["e_value"] = float("inf")
    text = render(model)
    assert "over 10³⁰⁰" in text and "Infinity" not in text.partition('id="data">')[2].partition("</script>")[0]


def test_no_words_of_guilt(model: dict[str, Any]) -> None:
    said = " ".join(Page(render(model)).text).lower()
    for word in ("attacker", "guilty", "thief", "stole", "criminal", "culprit"):
        assert word not in said


def test_a_wrong_field_is_named_with_the_fix(model: dict[str, Any]) -> None:
    model["campaigns"][1]["exchanges"] = "many"
    with pytest.raises(InputError) as caught:
        render(model)
    assert "campaigns[1]" in str(caught.value) or "campaigns[...]" in str(caught.value)
    assert "exchanges" in str(caught.value) and "fix:" in str(caught.value)


def test_a_timeline_row_of_the_wrong_length_is_named(model: dict[str, Any]) -> None:
    model["timeline"]["campaigns"][2]["counts"].pop()
    with pytest.raises(InputError, match=r"timeline\.campaigns\[2\]\.counts"):
        render(model)
