"""The three pictures of docs/results/detection.md, as SVG, in colours that colour-blind people tell apart."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from stillwatch.bench.detection import measures
from stillwatch.bench.detection.run import Measured
from stillwatch.bench.detection.scans import WHOLE
from stillwatch.bench.detection.table import methods
from stillwatch.errors import ComponentError

# Okabe and Ito 2008, and line styles, so that no line is told by colour alone.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8c8c00", "#7f7f7f",
                  "#a0522d", "#4b0082")  # fmt: skip
STYLES: Final = ("-", "--", "-.", ":")
FIX: Final = "pip install 'stillwatch[bench]'"


def write(m: Measured, folder: Path) -> list[Path]:
    """Write the pictures; their paths.

    Raises:
        ComponentError: matplotlib is not installed.
    """
    try:
        import matplotlib

        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError as err:
        raise ComponentError("matplotlib is not installed, so there are no pictures", fix=FIX) from err
    folder.mkdir(parents=True, exist_ok=True)
    # Equal figures give equal files: no date, no random ids, no outlines of letters.
    style: Any = {"svg.hashsalt": "stillwatch", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False,
             "axes.spines.right": False, "font.family": "sans-serif"}  # fmt: skip
    out = []
    with plt.rc_context(style):
        for name, draw in (("curves", _curves), ("harvest", _harvest), ("error", _error)):
            figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
            draw(m, axes)
            path = folder / f"detection-{name}.svg"
            figure.savefig(path, metadata={"Date": None, "Creator": None})
            plt.close(figure)
            out.append(path)
    return out


def _curves(m: Measured, axes: Any) -> None:
    floor = 1e-4
    for i, x in enumerate(methods(m)):
        rates, found = x.curve
        # Thinned: a step for each of some thousand scores makes a large file and the same picture.
        keep = np.unique(np.searchsorted(rates, np.geomspace(floor, 1, 120), side="right") - 1)
        keep = keep[keep >= 0]
        axes.step(
            np.maximum(rates[keep], floor), found[keep], where="post", label=x.name, color=COLOURS[i % len(COLOURS)],
            linestyle="-" if i == 0 else STYLES[i % len(STYLES)], linewidth=2.4 if i == 0 else 1.1,
        )  # fmt: skip
        if i == 0:
            axes.plot(max(x.false.value, floor), x.at_threshold[0], "o", color=COLOURS[0])
            axes.annotate("as shipped", (max(x.false.value, floor), x.at_threshold[0]), xytext=(6, -12),
                          textcoords="offset points")  # fmt: skip
    axes.axvline(0.001, color="0.8", linewidth=0.8, zorder=0)
    axes.set(xscale="log", xlim=(floor, 1), ylim=(0, 1.02), xlabel="honest accounts flagged (log scale)",
             ylabel="campaign accounts found", title="Accounts found against false positives")  # fmt: skip
    axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _harvest(m: Measured, axes: Any) -> None:
    rows = list(measures.table([*m.results[WHOLE.name], *m.special], "family").items())[::-1]
    for y, (_, row) in enumerate(rows):
        total, before = row["harvest"], row["before_flag"]
        axes.plot([1, max(total, 1)], [y, y], color="0.85", linewidth=5, solid_capstyle="butt", zorder=1)
        if math.isinf(before):
            axes.plot(max(total, 1), y, "x", color=COLOURS[1], markersize=8, zorder=3)
            continue
        axes.plot(max(before, 1), y, "o", color=COLOURS[0], zorder=3)
        axes.plot(max(row["reasoning_before_flag"], 1), y, "D", color=COLOURS[4], markersize=4, zorder=4)
    legend = (("exchanges before the flag", "o", 0), ("of them with reasoning", "D", 4), ("never flagged", "x", 1))
    for label, mark, colour in legend:
        axes.plot([], [], mark, color=COLOURS[colour], label=label)
    axes.plot([], [], color="0.85", linewidth=5, label="whole harvest")
    for goal in (500, 1000):
        axes.axvline(goal, color="0.5", linewidth=0.8, linestyle=":", zorder=0)
    axes.set(xscale="log", yticks=range(len(rows)), yticklabels=[name for name, _ in rows],
             xlabel="exchanges of the median campaign (log scale; dotted: goals, 500 and 1,000)",
             title="Harvest before the flag, by family")  # fmt: skip
    axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _error(m: Measured, axes: Any) -> None:
    rows = measures.promised([*m.results[WHOLE.name], *m.special, *m.honest])
    alphas = [alpha for alpha, _ in rows]
    floor = 10 ** math.floor(math.log10(min(alphas)) - 0.5)
    axes.plot([floor, 1], [floor, 1], color="0.6", linewidth=1, label="promised: no more than this")
    values = [max(s.value, floor) for _, s in rows]
    low = [v - max(s.interval.low, floor) for v, (_, s) in zip(values, rows, strict=True)]
    high = [max(s.interval.high, floor) - v for v, (_, s) in zip(values, rows, strict=True)]
    axes.errorbar(alphas, values, yerr=[np.maximum(low, 0), np.maximum(high, 0)], fmt="o", color=COLOURS[0],
                  capsize=3, label="observed, with 95 % interval")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(floor, 1), ylim=(floor, 1),
             xlabel="alpha: error promised for e-values of 1/alpha", ylabel="honest accounts that reach it",
             title="Error promised and error observed")  # fmt: skip
    axes.legend(fontsize=8, frameon=False)
