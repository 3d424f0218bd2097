"""Text from outside, made safe to look at: nothing hides, nothing reorders, nothing runs on for ever.

Escaping for HTML is not done here (jinja2 does it). What is done: characters that draw nothing, change the direction
of what follows, or steer a terminal become visible marks such as ‹U+202E›; stacks of combining marks are cut.
"""

from __future__ import annotations

import re
import unicodedata

# Terminal control sequences: CSI, OSC (up to its terminator), and two-character escapes. ECMA-48 section 5.4.
_TERMINAL = re.compile(r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,16}[@-~]|\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|\x1b[@-_]")
_MARKS_PER_LETTER = 4  # real scripts stack at most 3 (Tibetan, Vietnamese decomposed); more is decoration
_JOINERS = "\u200c\u200d"
# Blank, yet in no invisible category: Hangul fillers, Khmer inherent vowels, Braille blank, Mongolian separator.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800\u180e\u034f\u2028\u2029")
_MARK_TEXT = re.compile(r"‹((?:U\+[0-9A-F]{4,6})|terminal code)›(?:‹\1›)+")


def visible(text: str, limit: int = 2000) -> str:
    """`text` with hidden characters shown, at most about `limit` characters of it.

    Args:
        text:  anything, lone surrogates included.
        limit: characters of the input that are shown; the rest is counted in a closing note.
    Returns:
        Text that encodes as UTF-8, holds no bidi, zero-width, control or tag characters, and keeps line breaks.
        Joiners stay where a script or an emoji needs them.
    """
    kept, rest = text[:limit], max(0, len(text) - limit)
    if not (kept.isascii() and kept.isprintable()):
        kept = kept.replace("\r\n", "\n")
        kept = _TERMINAL.sub("‹terminal code›", kept)
        kept = _show(kept)
        kept = _MARK_TEXT.sub(lambda m: f"‹{m[1]} ×{m[0].count('‹')}›", kept)
    return kept + (f" … ({rest:,} more characters)" if rest else "")


def hidden(char: str) -> bool:
    """Whether `char` draws nothing or steers what is drawn. Line feed and tab do not count."""
    if char in "\n\t":
        return False
    code = ord(char)
    return (
        unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")
        or char in _BLANK
        or 0xE0000 <= code <= 0xE0FFF  # tags and the variation selectors that smuggle bytes
        or 0xFE00 <= code <= 0xFE0D  # variation selectors other than text and emoji style
    )


def _show(text: str) -> str:
    out: list[str] = []
    marks = 0
    for i, char in enumerate(text):
        if char == "\t":
            out.append(" ")
            marks = 0
        elif hidden(char):
            out.append(char if _needed_joiner(text, i) else f"‹U+{ord(char):04X}›")
        elif unicodedata.category(char) in ("Mn", "Me"):
            marks += 1
            if marks <= _MARKS_PER_LETTER:
                out.append(char)
        else:
            marks = 0
            out.append(char)
    return "".join(out)


def _needed_joiner(text: str, i: int) -> bool:
    """A joiner between two letters of a joining script, or between two emoji, is spelling and not hiding."""
    if text[i] not in _JOINERS or not 0 < i < len(text) - 1:
        return False
    before, after = text[i - 1], text[i + 1]
    if text[i] == "\u200d" and (before == "\ufe0f" or _emoji(before)) and _emoji(after):
        return True
    return _joining(before) and _joining(after)


def _emoji(char: str) -> bool:
    return unicodedata.category(char) == "So" or "\U0001f3fb" <= char <= "\U0001f3ff" or char in "♀♂⚕⚖✈❤"


def _joining(char: str) -> bool:
    """Arabic to Sinhala, and Myanmar to Mongolian: the blocks whose spelling uses joiners."""
    code = ord(char)
    return unicodedata.category(char)[0] in "LM" and (0x0600 <= code <= 0x0DFF or 0x1000 <= code <= 0x18AF)
