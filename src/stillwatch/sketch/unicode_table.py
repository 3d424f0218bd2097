"""The character table behind normalisation, shipped as data so that hashes do not depend on Python's Unicode version.

`build()` made it (`python -m stillwatch.sketch.unicode_table`): for every code point below U+20000, what normalised
text holds in its place. Compatibility forms are unfolded (NFKC), case is folded, accents are removed from Latin,
Greek and Cyrillic letters (Unicode Standard Annex 15; CaseFolding.txt), characters that print nothing are dropped.
"""

from __future__ import annotations

import unicodedata
from importlib import resources
from typing import NamedTuple

import numpy as np

TABLE_VERSION = 1
LIMIT = 0x20000
LONGEST = 12  # bytes that one code point can turn into; longer ones (rare ligatures) are cut

# What a code point is to the normaliser.
SAME, MAPPED, DROPPED, SPACE, PUNCTUATION, LOOKALIKE = range(6)
# Scripts, by block.
SCRIPTS = (
    "common", "latin", "han", "kana", "hangul", "cyrillic", "greek", "arabic", "devanagari", "thai", "hebrew", "other",
)  # fmt: skip
_BLOCKS = (
    (0x00C0, 0x024F, 1), (0x1E00, 0x1EFF, 1), (0x0370, 0x03FF, 6), (0x1F00, 0x1FFF, 6), (0x0400, 0x052F, 5),
    (0x0590, 0x05FF, 10), (0x0600, 0x06FF, 7), (0x0750, 0x077F, 7), (0xFB50, 0xFDFF, 7), (0xFE70, 0xFEFF, 7),
    (0x0900, 0x097F, 8), (0x0980, 0x0DFF, 11), (0x0E00, 0x0E7F, 9), (0x0E80, 0x109F, 11), (0x10A0, 0x10FF, 11),
    (0x1100, 0x11FF, 4), (0x3130, 0x318F, 4), (0xAC00, 0xD7A3, 4), (0x3041, 0x30FF, 3), (0x31F0, 0x31FF, 3),
    (0x3400, 0x4DBF, 2), (0x4E00, 0x9FFF, 2), (0xF900, 0xFAFF, 2), (0x1780, 0x17FF, 11),
)  # fmt: skip
# Letters of other scripts that look like a Latin letter (Unicode Technical Standard 39, confusables.txt, lower case).
_LOOKALIKES = {
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ј": "j", "ѕ": "s", "ԁ": "d",
    "һ": "h", "ԛ": "q", "ԝ": "w", "ո": "n", "в": "b", "к": "k", "м": "m", "н": "h", "т": "t", "г": "r", "ӏ": "l",
    "α": "a", "ο": "o", "ρ": "p", "ν": "v", "υ": "u", "ι": "i", "κ": "k", "τ": "t", "ε": "e", "η": "n", "χ": "x",
    "γ": "y", "ω": "w", "σ": "o", "β": "b", "μ": "u",
}  # fmt: skip


class CharacterTable(NamedTuple):
    """Arrays of one entry a code point, and the replacement bytes."""

    kind: np.ndarray  # (LIMIT,) uint8
    script: np.ndarray  # (LIMIT,) uint8
    where: np.ndarray  # (LIMIT,) uint16: index into `start`
    start: np.ndarray  # (replacements + 1,) int32
    bytes: np.ndarray  # uint8
    odd: np.ndarray  # (LIMIT,) uint8: 1 zero width, 2 bidirectional control or tag, 4 styled Latin letter


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    out = []
    for base in folded:
        parts = unicodedata.normalize("NFD", base)
        stripped = "".join(p for p in parts if not 0x300 <= ord(p) <= 0x36F)
        out.append(stripped if stripped and ord(stripped[0]) < 0x530 else base)
    return "".join(out)


def build() -> CharacterTable:
    """Make the table from this Python's Unicode database."""
    kind = np.zeros(LIMIT, np.uint8)
    script = np.zeros(LIMIT, np.uint8)
    odd = np.zeros(LIMIT, np.uint8)
    where = np.zeros(LIMIT, np.uint16)
    for low, high, number in _BLOCKS:
        script[low : high + 1] = number
    script[0x41:0x5B] = script[0x61:0x7B] = 1
    seen: dict[bytes, int] = {}
    for cp in range(LIMIT):
        if 0xD800 <= cp < 0xE000:
            kind[cp] = DROPPED
            continue
        char = chr(cp)
        category = unicodedata.category(char)
        if category == "Cf" or 0xFE00 <= cp <= 0xFE0F or 0x300 <= cp <= 0x36F or cp in (0x115F, 0x1160, 0x3164, 0x34F):
            kind[cp] = DROPPED
            if 0x202A <= cp <= 0x202E or 0x2066 <= cp <= 0x2069:
                odd[cp] = 2
            elif cp in (0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x180E, 0x115F, 0x1160, 0x3164, 0x34F, 0xAD):
                odd[cp] = 1
            continue
        if category in ("Zs", "Zl", "Zp", "Cc"):
            kind[cp] = SPACE
            continue
        folded = _fold(char)
        if not folded.strip():
            kind[cp] = SPACE
            continue
        if folded in _LOOKALIKES:
            kind[cp] = LOOKALIKE
            replacement = folded.encode()
        else:
            if folded == char:
                kind[cp] = PUNCTUATION if category[0] in "PS" else SAME
                continue
            kind[cp] = MAPPED
            replacement = folded.encode()[:LONGEST]
            if folded.isascii() and folded.isalpha() and cp > 0x2000 and not 0x2C60 <= cp <= 0x2C7F:
                odd[cp] = 4
        where[cp] = seen.setdefault(replacement, len(seen))
    start = np.cumsum([0, *(len(r) for r in seen)]).astype(np.int32)
    return CharacterTable(kind, script, where, start, np.frombuffer(b"".join(seen), np.uint8), odd)


def load() -> CharacterTable:
    """The shipped table."""
    with resources.files("stillwatch.sketch").joinpath("data/characters.npz").open("rb") as handle:
        arrays = np.load(handle)
        return CharacterTable(*(arrays[name] for name in CharacterTable._fields))


def lookalikes() -> np.ndarray:
    """(LIMIT,) uint8: the Latin letter that a folded letter looks like, or 0."""
    table = np.zeros(LIMIT, np.uint8)
    for letter, latin in _LOOKALIKES.items():
        table[ord(letter)] = ord(latin)
    return table


if __name__ == "__main__":
    from pathlib import Path

    np.savez_compressed(Path(__file__).with_name("data") / "characters.npz", **build()._asdict())
