r"""Phrase patterns -> regular expressions over UTF-8 bytes, in the subset that Hyperscan and RE2 share.

A phrase is what a person would write down, with a few marks:

    word word      the words with only punctuation or blanks between them
    a ~ b          b follows a after a bounded gap in the same sentence; `~12` sets the gap in characters
    (a|b) x? {g}   alternatives, an optional character or group, a word group of lexicon.toml
    word*          any ending (a stem); *word any beginning (German compounds)
    (a |b )*       none to four of these words; (a |b )+ one to four
    ^              start of the text, of a sentence or of a clause
    \d             a number; \ before any other character takes it literally

Bytes, not characters: both engines are then faster and agree also on invalid UTF-8. Latin letters match with and
without their accents. Chinese, Japanese and Korean have no word boundaries; Chinese also compiles to its traditional
form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

UNSPACED = frozenset({"zh", "ja", "ko"})
LATIN = frozenset({"en", "es", "fr", "de", "pt"})
# people write accents wrongly, and stems change theirs (générer, génère)
_ACCENTED = {"a": "àáâãä", "c": "ç", "e": "èéêë", "i": "íîï", "n": "ñ", "o": "óôõö", "u": "ùúûü"}
_GAP = re.compile(r" *~(\d*) *")
_MAX_GAP_CHARS = 80  # a longer gap joins words that have nothing to do with each other, and costs engine states
_BOUND = r"[^a-z0-9]"
_INNER_HIGH = r"(?:[^a-z0-9\x80-\xff\x00.?!]|\xc2[\x80-\xbf]|\xe2\x80[\x80-\xbf]|\xd8\x8c)"
_BOUND_HIGH = r"(?:[^a-z0-9\x80-\xff]|\xc2[\x80-\xbf]|\xe2\x80[\x80-\xbf]|\xe0\xa5\xa4|\xd8\x8c|\xd8\x9f)"


@dataclass(frozen=True, slots=True)
class Script:
    """How words, blanks and gaps look in the bytes of one kind of script."""

    blank: str  # between two neighbouring words
    edge: str  # before the first and after the last word
    gap: str  # format string over `n`, the longest gap in bytes
    ending: str  # what `*` stands for
    char_bytes: int
    gap_chars: int


_LATIN = Script(
    blank=r"[^a-z0-9\x00.?!]{1,6}",
    edge=_BOUND,
    gap=r"[^a-z0-9\x00.?!](?:[^\x00.?!]{{0,{n}}}[^a-z0-9\x00.?!])?",
    ending=r"[a-z\x80-\xff]{0,12}",
    char_bytes=1,
    gap_chars=40,
)
_SPACED = Script(  # Cyrillic, Arabic, Devanagari: the letters are bytes above 0x7f
    blank=_INNER_HIGH + "{1,3}",
    edge=_BOUND_HIGH,
    gap=_INNER_HIGH + r"(?:[^\x00.?!]{{0,{n}}}" + _INNER_HIGH + ")?",
    ending=r"[a-z\x80-\xff]{0,24}",
    char_bytes=2,
    gap_chars=40,
)
_UNSPACED = Script(
    blank=r"[ \x22'\x60*:,]{0,2}",
    edge="",
    gap=r"[^\x00.?!]{{0,{n}}}",
    ending="",
    char_bytes=3,
    gap_chars=16,
)


def script_of(language: str) -> Script:
    """Return the byte-level script rules for a language code."""
    if language in UNSPACED:
        return _UNSPACED
    return _LATIN if language in LATIN else _SPACED


@cache
def _byte_regex(char: str, language: str) -> str:
    """One literal character as a byte regex; an accented Latin letter also matches without its accent."""
    forms = [char]
    if language in LATIN and ord(char) > 0x7F:
        bare = unicodedata.normalize("NFD", char)[0]
        forms = sorted({char, *_ACCENTED.get(bare, ""), "ss" if char == "ß" else bare})
        forms += {"ä": ["ae"], "ö": ["oe"], "ü": ["ue"]}.get(char, []) if language == "de" else []
    encoded = ["".join(_escape(b) for b in form.encode()) for form in forms]
    return encoded[0] if len(encoded) == 1 else "(?:" + "|".join(encoded) + ")"


def _escape(byte: int) -> str:
    char = chr(byte)
    return char if byte < 0x80 and char.isalnum() else f"\\x{byte:02x}"


def compile_phrase(phrase: str, language: str, groups: Mapping[str, Mapping[str, str]]) -> str:
    """Compile one phrase to an ASCII regex over bytes.

    The text must stand between two NUL bytes; no phrase of a spaced script crosses `.`, `?`, `!` or NUL.

    Args:
        phrase:   in the notation above; it is normalised (NFKC, lower case) like the texts it will meet.
        language: code of the language it is written in.
        groups:   name -> language -> alternatives joined by `|`.
    Raises:
        ValueError: unknown group, unbalanced brackets, an empty alternative, or a gap that is too long.
    """
    text = _expand(unicodedata.normalize("NFKC", phrase).lower().strip(), language, groups)
    script = script_of(language)
    out: list[str] = []
    for choice in _split(text, "|"):
        choice = choice.strip()
        if not choice:
            raise ValueError("empty alternative")
        opening = "" if choice[0] in "^\\#" else script.edge
        closing = "" if choice[-1] in "*#" or choice[-2:-1] == "\\" else script.edge
        out.append(f"{opening}{_body(choice, language, script)}{closing}")
    return out[0] if len(out) == 1 else f"(?:{'|'.join(out)})"


def _split(text: str, mark: str) -> list[str]:
    """Split at `mark` outside brackets."""
    parts, depth, start, at = [], 0, 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth < 0:
            break
        if text[at] == mark and depth == 0:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    if depth:
        raise ValueError("unbalanced brackets")
    return [*parts, text[start:]]


def _expand(text: str, language: str, groups: Mapping[str, Mapping[str, str]], depth: int = 0) -> str:
    def group(found: re.Match[str]) -> str:
        alternatives = groups.get(found[1], {}).get(language)
        if alternatives is None:
            raise ValueError(f"group `{found[1]}` has no words for `{language}`")
        if depth > 4:
            raise ValueError(f"group `{found[1]}` refers to itself")
        inner = unicodedata.normalize("NFKC", alternatives).lower().strip()
        return "(" + _expand(inner, language, groups, depth + 1) + ")"

    return re.sub(r"(?<!\\)\{(\w+)\}", group, text)


def _body(text: str, language: str, script: Script) -> str:
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        gap = _GAP.match(text, at) if char in " ~" else None
        if gap:
            chars = int(gap[1] or script.gap_chars)
            if chars > _MAX_GAP_CHARS:
                raise ValueError(f"gap of {chars} characters; the longest is {_MAX_GAP_CHARS}")
            out.append(script.gap.format(n=chars * script.char_bytes))
            at = gap.end()
            continue
        if char == "\\":
            at += 1
            out.append("(?:[0-9]{1,4})" if text[at : at + 1] == "d" else _byte_regex(text[at : at + 1], language))
        elif char == "(":
            out.append("(?:")
        elif char == ")" and text[at - 1] == " " and text[at + 1 : at + 2] in ("*", "+"):
            out.append("){0,4}" if text[at + 1] == "*" else "){1,4}")
            at += 1
        elif char in ")|?":
            out.append(char)
        elif char == "*":
            out.append(script.ending)
        elif char == "^":
            out.append(r"[\x00.!?:;,>*\x23-] ?")
        elif char == " ":
            # `x{1,6}?` would be a lazy repeat, not an optional one
            out.append(f"(?:{script.blank})" if text[at + 1 : at + 2] == "?" else script.blank)
        elif text[at + 1 : at + 2] == "?":
            out.append(f"(?:{_byte_regex(char, language)})")
        else:
            out.append(_byte_regex(char, language))
        at += 1
    return "".join(out)
