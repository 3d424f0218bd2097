"""The report in a real browser: offline, hostile text inert, by mouse and by keyboard, small and large.

The fixture `open_report` also checks, for each test here, that no request was made and that nothing complained.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.browser

HOSTILE = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    '"><svg onload=window.hacked=1>',
    "javascript:window.hacked=1",
    "<a href='javascript:window.hacked=1'>x</a>",
    "</style><style>body{display:none}</style>",
    "}*{background:url(https://example.com/leak)}",
    "<!--<script>",
    "{{ 7*7 }}{% raw %}",
    "\u202egnihton\u2066 a\u200bb \x1b[2J",
    "W" * 10_000,
]


@pytest.fixture(scope="session")
def made(sample: ModuleType) -> dict[str, Any]:
    return sample.model()  # type: ignore[no-any-return]


@pytest.fixture
def model(made: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(made)


def _poison(value: Any, tail: str) -> Any:
    fixed = ("verdict", "first_at", "last_at", "flagged_at", "at", "start", "generated_at", "verdict_counts")
    if isinstance(value, dict):
        return {k: v if k in fixed else _poison(v, tail) for k, v in value.items()}
    if isinstance(value, list):
        return [_poison(v, tail) for v in value]
    return tail + value if isinstance(value, str) else value


def _accounts(page: Any) -> list[str]:
    return page.locator("#all tbody tr:not(.detail) th").all_inner_texts()  # type: ignore[no-any-return]


def _column(page: Any, n: int) -> list[str]:
    cells = page.locator(f"#all tbody tr:not(.detail) > :nth-child({n})")
    return cells.all_inner_texts()  # type: ignore[no-any-return]


def test_it_opens_from_disk_and_shows_its_parts(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    page = open_report(model)
    for name in ("Campaigns", "When it happened", "Linked accounts", "All verdicts", "What could not be seen",
                 "What was read", "How sure, and how often wrong"):  # fmt: skip
        assert page.get_by_role("heading", name=name, exact=True).is_visible()
    assert page.locator("article.campaign").count() == 4
    assert page.locator(".drawing .node").count() >= 105
    assert page.get_by_text("Page 1 of 9").is_visible()  # 412 accounts, 50 a page


@pytest.mark.parametrize("tail", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(open_report: Callable[..., Any], model: dict[str, Any], tail: str) -> None:
    page = open_report(_poison(model, tail), viewport={"width": 360, "height": 740})
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.locator("#all .open").first.click()
    assert page.evaluate("window.hacked") is None
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, object, a[href^=java], [onerror], [onload]').length")
        == 0
    )
    assert page.evaluate("document.scripts.length") == 2 and page.evaluate("document.styleSheets.length") == 1
    assert page.locator("h1").is_visible()
    if tail.isprintable() and len(tail) < 100:
        for place in (
            "h1",
            ".headline >> nth=0",
            ".exemplar p >> nth=0",
            "#all tbody th >> nth=0",
            "tr.detail >> nth=0",
        ):
            assert tail[:30] in page.locator(place).text_content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_columns_sort_by_click_in_both_directions(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    page = open_report(model)
    header = page.locator("#all").get_by_role("columnheader", name="Exchanges")
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    most = sorted((v["exchanges"] for v in model["verdicts"]), reverse=True)
    assert _column(page, 7) == [f"{n:,}" for n in most[:50]]
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert _column(page, 7) == [f"{n:,}" for n in most[::-1][:50]]
    assert page.locator("#all [aria-sort]").count() == 1


def test_unknown_values_stand_last_in_both_directions(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    unknown = sum(v["probability"] is None for v in model["verdicts"])
    page = open_report(model)
    button = page.locator("#all thead button", has_text="Probability")
    for _ in range(2):
        button.click()
        assert "–" not in _column(page, 3)
        for _ in range(8):
            page.get_by_role("button", name="Next").click()
        assert _column(page, 3)[-unknown:] == ["–"] * unknown


@pytest.mark.parametrize(
    "name", ["Account", "Verdict", "Probability", "E-value", "Campaign", "Pool", "First", "Last", "Flagged"]
)
def test_every_column_sorts_and_keeps_every_account(
    open_report: Callable[..., Any], model: dict[str, Any], name: str
) -> None:
    page = open_report(model)
    page.locator("#all thead button", has_text=name).click()
    seen = []
    for n in range(9):
        seen += _accounts(page)
        if n < 8:
            page.get_by_role("button", name="Next").click()
    assert sorted(seen) == sorted(v["account_id"] for v in model["verdicts"])


def test_text_and_verdict_filters_narrow_the_table(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    page = open_report(model)
    page.get_by_role("searchbox").fill("c-7b02")
    want = [v for v in model["verdicts"] if v["campaign_id"] == "C-7b02"]
    assert f"of {len(want)}, filtered from 412" in page.locator("#shown").inner_text()
    page.get_by_role("checkbox", name="distilling").uncheck()
    rest = [v["account_id"] for v in want if v["verdict"] != "distilling"]
    assert sorted(_accounts(page)) == sorted(rest)
    page.get_by_role("searchbox").fill("no such account")
    assert page.get_by_text("No account fits these filters.").is_visible()


def test_table_works_by_keyboard_alone(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    page = open_report(model)
    page.evaluate("document.getElementById('verdicts').focus()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("P-12")
    pool = {v["account_id"]: v for v in model["verdicts"] if v["pool_id"] == "P-12"}
    assert set(_accounts(page)) == set(pool)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first verdict off
    assert set(_accounts(page)) == {a for a, v in pool.items() if v["verdict"] != "distilling"}
    page.keyboard.press("Space")
    for _ in range(6):  # four more verdicts, the scrolling region, the first header
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Account"
    page.keyboard.press("Enter")
    assert _accounts(page) == sorted(pool)
    page.keyboard.press("Enter")
    assert _accounts(page) == sorted(pool, reverse=True)
    for _ in range(11):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # open the first account
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert "ordinary traffic" in page.locator("tr.detail").inner_text()


def test_a_drawing_is_walked_with_the_arrow_keys_and_leads_to_the_table(
    open_report: Callable[..., Any], model: dict[str, Any]
) -> None:
    page = open_report(model)
    first = page.locator(".drawing").first.locator(".node[tabindex='0']")
    first.focus()
    said = page.locator("#picked").inner_text()
    assert "Linked with" in said
    moved = [said]
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        moved.append(page.locator("#picked").inner_text())
    assert len(set(moved)) >= 3
    assert page.locator(".drawing").first.locator(".node[tabindex='0']").count() == 1
    account = page.evaluate("document.activeElement.dataset.find")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "q"
    assert _accounts(page) == [account]


@pytest.mark.parametrize("width", [320, 360, 600, 768, 1024])
def test_the_page_never_scrolls_sideways(open_report: Callable[..., Any], model: dict[str, Any], width: int) -> None:
    page = open_report(model, viewport={"width": width, "height": 740})
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = """() => [...document.querySelectorAll('main *, header *, footer *')]
        .filter((e) => !e.closest('.scroll, svg'))
        .map((e) => [e.className, e.getBoundingClientRect().right]).filter(([, right]) => right > innerWidth + 1)"""
    assert page.evaluate(inside) == []


def test_twenty_thousand_accounts_answer_within_three_seconds(
    open_report: Callable[..., Any], sample: ModuleType
) -> None:
    model = sample.model(accounts=20_000)
    started = time.monotonic()
    page = open_report(model)
    page.get_by_text("Page 1 of 400").wait_for()
    ready_ms = page.evaluate("performance.now()")
    print(f"render and open {time.monotonic() - started:.2f} s, ready after {ready_ms:.0f} ms")
    assert ready_ms < 3000
    for action in (
        "document.querySelector('#all thead [data-key=\"0\"] button').click()",
        "document.querySelector('#all thead [data-key=\"6\"] button').click()",
        "(q => { q.value = 'acct-0'; q.dispatchEvent(new Event('input')); })(document.getElementById('q'))",
    ):
        took = page.evaluate(f"(() => {{ const t = performance.now(); {action}; return performance.now() - t; }})()")
        print(f"{took:.0f} ms  {action}")
        assert took < 1000
    assert page.locator("#all tbody tr").count() == 50


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colour_scheme(
    open_report: Callable[..., Any], model: dict[str, Any], scheme: str
) -> None:
    page = open_report(model, color_scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(ground) > 600) == (scheme == "light")


def test_controls_have_names_and_headings_are_in_order(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    page = open_report(model)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    nameless = """() => [...document.querySelectorAll(
            'button, a, input, summary, [role=button], [role=img], [role=region], [role=group]')]
        .filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels && e.labels.length)
            || (e.getAttribute('aria-labelledby') && document.getElementById(e.getAttribute('aria-labelledby')))))
        .map((e) => e.outerHTML.slice(0, 80))"""
    assert page.evaluate(nameless) == []
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    assert page.evaluate(
        "[...document.querySelectorAll('a[href]')].every((a) => document.querySelector(a.getAttribute('href')))"
    )
    assert page.evaluate("[...document.querySelectorAll('table')].every((t) => t.querySelector('thead th[scope=col]'))")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_touch_targets_are_large_enough(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    page = open_report(model, viewport={"width": 360, "height": 740}, has_touch=True)
    small = """() => [...document.querySelectorAll('button, .choice, summary, .contents a, #q')]
        .filter((e) => e.offsetParent)
        .map((e) => [e.className || e.id, e.getBoundingClientRect().height]).filter(([, h]) => h < 24)"""
    assert page.evaluate(small) == []  # WCAG 2.2, 2.5.8: 24 by 24 px


def test_without_scripts_the_report_still_tells_its_findings(
    open_report: Callable[..., Any], model: dict[str, Any]
) -> None:
    page = open_report(model, java_script_enabled=False)
    assert page.locator("article.campaign").count() == 4
    assert len(_accounts(page)) == 50
    assert page.locator("noscript p").is_visible()


def test_the_first_page_looks_the_same_with_and_without_scripts(
    open_report: Callable[..., Any], model: dict[str, Any]
) -> None:
    # Two implementations of the same figures, in Python and in the page, against each other.
    rows = """[...document.querySelectorAll('#all tbody tr')]
        .map((r) => [...r.cells].slice(0, 7).map((c) => c.textContent.trim()))"""
    scripted = open_report(model).evaluate(rows)
    static = open_report(model, java_script_enabled=False)
    plain = [
        [cell.strip() for cell in row.locator("th, td").all_text_contents()[:7]]
        for row in static.locator("#all tbody tr").all()
    ]
    assert plain == scripted


def test_it_prints_in_full_without_the_controls(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    page = open_report(model)
    page.emulate_media(media="print")
    assert not page.locator(".filters").is_visible() and not page.locator(".contents").is_visible()
    assert page.locator("article.campaign").first.is_visible()
    assert len(page.pdf()) > 20_000


def test_an_empty_report_opens_cleanly(open_report: Callable[..., Any], model: dict[str, Any]) -> None:
    nothing = {
        "exchanges": 0,
        "accounts": 0,
        "pools": 0,
        "campaigns": 0,
        "verdict_counts": {},
        "quarantine_reasons": {},
    }
    page = open_report(
        {k: model[k] for k in ("title", "generated_at", "software")} | {"summary": nothing, "signals": {}}
    )
    assert page.get_by_text("No campaign was found.").is_visible()
