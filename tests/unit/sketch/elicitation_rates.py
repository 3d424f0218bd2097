"""Prints how many of the written phrases each class finds, per language.

python tests/unit/sketch/elicitation_rates.py [development|heldout] [--misses]
"""

from __future__ import annotations

import sys
import tomllib
import unicodedata
from pathlib import Path

import numpy as np

from stillwatch.sketch.elicitation import CLASSES, STRONG, Cues


def phrases(name: str) -> dict[str, dict[str, list[str]]]:
    """Return class -> language -> phrases of one file; class `none` holds honest look-alikes."""
    return tomllib.loads((Path(__file__).parent / f"elicitation_{name}.toml").read_text(encoding="utf-8"))


def classes_of(cues: Cues, texts: list[str]) -> list[int]:
    """Return class bits per text, after the normalisation that the sketch applies before."""
    encoded = [" ".join(unicodedata.normalize("NFKC", text).lower().split()).encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    buffer = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return [int(bits) for bits in cues.classes(cues.match(buffer, offsets))]


def rates(cues: Cues, name: str) -> tuple[dict[str, dict[str, tuple[int, int]]], list[str]]:
    """Return class -> language -> (found, phrases), and the phrases missed; for `none`, found means falsely strong."""
    table: dict[str, dict[str, tuple[int, int]]] = {}
    missed = []
    for wanted, languages in phrases(name).items():
        for language, texts in languages.items():
            found = 0
            for text, bits in zip(texts, classes_of(cues, texts), strict=True):
                hit = bool(bits & int(STRONG)) if wanted == "none" else bool(bits >> CLASSES[wanted] & 1)
                found += hit
                if hit == (wanted == "none"):
                    missed.append(f"{wanted} {language} {cues.names(bits)} {text}")
            table.setdefault(wanted, {})[language] = (found, len(texts))
    return table, missed


def main(argv: list[str]) -> None:
    """Print the table as Markdown."""
    table, missed = rates(Cues.compile(), next((a for a in argv if not a.startswith("-")), "heldout"))
    languages = list(next(iter(table.values())))
    print("| class | " + " | ".join(languages) + " | all |")
    print("|---" * (len(languages) + 2) + "|")
    for name, row in table.items():
        found, total = sum(f for f, _ in row.values()), sum(t for _, t in row.values())
        label = "honest look-alikes called strong" if name == "none" else name
        print(f"| {label} | " + " | ".join(f"{f}/{t}" for f, t in row.values()) + f" | {found}/{total} |")
    if "--misses" in argv:
        print("\n".join(missed))


if __name__ == "__main__":
    main(sys.argv[1:])
