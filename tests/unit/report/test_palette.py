"""The colours of the style sheet against WCAG 2.2: 4.5 to 1 for text, 3 to 1 for marks and borders of controls."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = (files("stillwatch.report") / "templates" / "report.css").read_text(encoding="utf-8")


def _schemes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.S)
    light, dark, paper = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", b)) for b in blocks)
    return {"light": light, "dark": {**light, **dark}, "print": {**light, **paper}}


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2 definition."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_agrees_with_the_published_extremes() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WebAIM's well-known near miss


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_is_legible(scheme: str) -> None:
    c = _schemes()[scheme]
    for text in ("ink", "muted", "link", "distilling", "reseller", "watch", "not_observable", "clear"):
        for ground in ("paper", "raised"):
            assert contrast(c[text], c[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_and_controls_are_visible(scheme: str) -> None:
    c = _schemes()[scheme]
    for mark in ("distilling", "reseller", "watch", "not_observable", "clear"):
        assert contrast(c[mark], c["tint"]) >= 3, mark
    for verdict in ("distilling", "reseller", "watch"):
        assert contrast(c["on-mark"], c[verdict]) >= 4.5, verdict
    for line in ("strong-rule", "focus", "bar"):
        assert contrast(c[line], c["paper"]) >= 3, line
    assert contrast(c["link"], c["tint"]) >= 3


def test_body_text_is_16_px_and_nothing_goes_below_13() -> None:
    assert "font: 1rem/1.55" in CSS
    sizes = [float(s) * 16 for s in re.findall(r"font(?:-size)?: ([\d.]+)rem", CSS)]
    sizes += [float(s) for s in re.findall(r"font(?:-size)?: ([\d.]+)px", CSS)]
    assert min(sizes) >= 13
