"""Reads the cue files, checks all of them, and compiles phrases and formulas.

A cue file holds `[cue.NAME]` tables: `bit` (0..63, never reused), `about`, and per language a list of phrases.
`classes.toml` holds `[class.NAME]` tables: `bit` (0..31), `grade`, `about`, `formula`.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from stillwatch.errors import Place, UsageError
from stillwatch.sketch.cues.formulas import Formula, compile_formula, support
from stillwatch.sketch.cues.phrases import compile_phrase

LANGUAGES = ("en", "zh", "ja", "ko", "es", "fr", "de", "ru", "pt", "ar", "hi")
Grade = Literal["strong", "weak", "benign"]
_NOT_CUES = ("lexicon.toml", "hanzi.toml", "classes.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One compiled phrase."""

    cue: int  # bit of its cue
    language: str
    phrase: str
    regex: str  # ASCII; to be run over bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ElicitationClass:
    """A thing that prompts ask for, as a formula over cues."""

    name: str
    bit: int
    grade: Grade
    about: str
    formula: Formula
    possible: Formula  # holds wherever the formula can hold for a part of the cues given
    support: int  # bits of the cues that it depends on


@dataclass(frozen=True, slots=True, kw_only=True)
class CueBook:
    """All cues and classes, checked."""

    cues: Mapping[str, int]  # name -> bit
    patterns: tuple[Pattern, ...]
    marks: Mapping[str, str]  # language -> regex; its phrases count only in texts that match it
    classes: tuple[ElicitationClass, ...]
    digest: str  # of every pattern and formula, 16 hex digits


@cache
def cue_book() -> CueBook:
    """Return the bundled cues.

    Raises:
        UsageError: the bundled files contradict themselves; all faults are listed.
    """
    folder = resources.files(__package__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return read_book({name: folder.joinpath(name).read_text(encoding="utf-8") for name in names})


def read_book(files: Mapping[str, str]) -> CueBook:
    """Compile cue files.

    Args:
        files: file name -> TOML text.
    Raises:
        UsageError: a phrase or formula that does not compile, a bit or name used twice; every fault is listed.
    """
    tables = {name: tomllib.loads(text) for name, text in files.items()}
    groups: Mapping[str, Mapping[str, str]] = tables.get("lexicon.toml", {}).get("group", {})
    hanzi = str.maketrans(tables.get("hanzi.toml", {}).get("traditional", {}))
    faults: list[str] = []
    cues: dict[str, int] = {}
    patterns: list[Pattern] = []
    for file, table in sorted(tables.items()):
        if file in _NOT_CUES:
            continue
        for name, cue in table.get("cue", {}).items():
            bit = cue.get("bit")
            if not isinstance(bit, int) or not 0 <= bit <= 63 or bit in cues.values() or name in cues:
                faults.append(
                    f"{file}: cue `{name}`: bit {bit!r} is not a free number from 0 to 63, or the name is used"
                )
                continue
            cues[name] = bit
            patterns += _patterns(file, name, cue, groups, hanzi, faults)
    marks: dict[str, str] = {}
    for language, words in tables.get("lexicon.toml", {}).get("language_marks", {}).items():
        try:
            marks[language] = compile_phrase(words, language, groups)
        except ValueError as error:
            faults.append(f"lexicon.toml: language_marks ({language}): {error}")
    classes = _classes(tables.get("classes.toml", {}), cues, faults)
    if faults:
        raise UsageError("; ".join(faults), fix="correct the cue files", at=Place(path="stillwatch/sketch/cues"))
    digest = hashlib.blake2b(digest_size=8)
    for pattern in patterns:
        digest.update(f"{pattern.cue}\0{pattern.regex}\0".encode())
    for language, mark in marks.items():
        digest.update(f"{language}\0{mark}\0".encode())
    for name, entry in tables.get("classes.toml", {}).get("class", {}).items():
        digest.update(f"{name}\0{entry['bit']}\0{entry['formula']}\0".encode())
    return CueBook(cues=cues, patterns=tuple(patterns), marks=marks, classes=tuple(classes), digest=digest.hexdigest())


def _patterns(
    file: str,
    name: str,
    cue: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, str]],
    hanzi: Mapping[int, int | str],
    faults: list[str],
) -> list[Pattern]:
    out: list[Pattern] = []
    traditional = {group: {"zh": words["zh"].translate(hanzi)} for group, words in groups.items() if "zh" in words}
    for language, phrases in cue.items():
        if language in ("bit", "about"):
            continue
        if language not in LANGUAGES:
            faults.append(f"{file}: cue `{name}`: `{language}` is none of {', '.join(LANGUAGES)}")
            continue
        for phrase in phrases:
            try:
                forms = [compile_phrase(phrase, language, groups)]
                if language == "zh":
                    forms += [compile_phrase(phrase.translate(hanzi), language, traditional)]
            except ValueError as error:
                faults.append(f"{file}: cue `{name}` ({language}) `{phrase}`: {error}")
                continue
            out += [
                Pattern(cue=cue["bit"], language=language, phrase=phrase, regex=form) for form in dict.fromkeys(forms)
            ]
    return out


def _classes(table: Mapping[str, Any], cues: Mapping[str, int], faults: list[str]) -> list[ElicitationClass]:
    out: dict[str, ElicitationClass] = {}
    bits: set[int] = set()
    for name, entry in table.get("class", {}).items():
        try:
            text = entry["formula"]
            formula = compile_formula(text, cues, {known: c.formula for known, c in out.items()})
            possible = compile_formula(text, cues, {known: c.possible for known, c in out.items()}, hopeful=True)
            depends = support(text, cues, {known: c.support for known, c in out.items()})
        except (ValueError, SyntaxError) as error:
            faults.append(f"classes.toml: class `{name}`: {error}")
            continue
        if entry["bit"] in bits or not 0 <= entry["bit"] <= 31 or entry["grade"] not in ("strong", "weak", "benign"):
            faults.append(f"classes.toml: class `{name}`: bit used twice or outside 0 to 31, or unknown grade")
            continue
        bits.add(entry["bit"])
        out[name] = ElicitationClass(
            name=name,
            bit=entry["bit"],
            grade=entry["grade"],
            about=entry["about"],
            formula=formula,
            possible=possible,
            support=depends,
        )
    return list(out.values())
