"""The written prompts that the intent model learns from: `harvest/*.txt` and `honest/*.txt` beside this file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from stillwatch.sketch import intent, normalise, rows

HERE = Path(__file__).parent


def prompts(kind: str) -> list[tuple[str, str]]:
    """(file, text) of every prompt; a system text and the user's are joined as the sketch joins them."""
    found = []
    for file in sorted((HERE / kind).glob("*.txt")):
        for part in file.read_text("utf-8").split("\n-----\n"):
            text = part.strip().strip("-").strip()
            if text.startswith("[system]"):
                system, _, user = text.removeprefix("[system]").partition("[user]")
                text = f"{system.strip()} {user.strip()}"
            if text:
                found.append((file.stem, text.strip()))
    return found


def normalised(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The texts as the sketch sees them: one buffer, and bounds (texts + 1,)."""
    table = normalise.character_table()
    out = np.zeros(sum(4 * len(t.encode()[:6000]) + 64 for t in texts) + 4096, np.uint8)
    bounds = np.zeros(len(texts) + 1, np.int64)
    o = 0
    scripts = np.zeros(12, np.int64)
    for i, text in enumerate(texts):
        data = np.frombuffer(text.encode() + bytes(16), np.uint8)
        o, _ = rows._clip(data, 0, len(data) - 16, rows.PROMPT_FRONT, rows.PROMPT_BACK, out, o, table, scripts)
        bounds[i + 1] = o
    return out, bounds


def spelled(texts: list[str]) -> list[np.ndarray]:
    """Feature numbers of each text."""
    buffer, bounds = normalised(texts)
    slots = np.empty(8192, np.uint32)
    return [slots[: intent.spell(buffer, bounds[i], bounds[i + 1], slots)].copy() for i in range(len(texts))]


__all__ = ["normalised", "pa", "prompts", "spelled"]
