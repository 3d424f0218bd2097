"""Text to one canonical form, so that the same words give the same hash however they were dressed up.

Case, accents (Latin, Greek, Cyrillic), compatibility forms, zero-width characters, runs of white space and letters
borrowed from another alphabet inside a Latin word are all undone. Base64, rot13 and leetspeak are undone where the
result reads as text. What was found is reported as `OBFUSCATIONS` bits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit

from stillwatch.sketch import unicode_table
from stillwatch.sketch.hashing import leading_zeros, load64, store64
from stillwatch.sketch.unicode_table import DROPPED, LIMIT, LOOKALIKE, MAPPED, PUNCTUATION, SPACE

OBFUSCATIONS = ("zero_width", "bidi_or_tags", "styled_letters", "lookalikes", "base64", "rot13", "leet")
ZERO_WIDTH, BIDI, STYLED, LOOKALIKES, BASE64, ROT13, LEET = (1 << i for i in range(7))
GROWTH = 4  # normalised text is at most this many times as long as its source (one byte can become four)

# Eight bytes in one word: added to bytes below 128, each sets the high bit of those that are at least some character.
_NONE, _ONES, _HIGH = np.uint64(0), np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_FROM_33, _FROM_A, _PAST_Z = (np.uint64(int(_ONES) * (128 - c)) for c in (33, 65, 91))
_FROM_SMALL_A, _PAST_SMALL_Z = (np.uint64(int(_ONES) * (128 - c)) for c in (97, 123))
_BLANKS, _DELETE = (np.uint64(int(_ONES) * c) for c in (32, 127))


@lru_cache(maxsize=1)
def character_table() -> tuple[np.ndarray, ...]:
    """The arrays that `normalise` walks, and the table of look-alikes."""
    table = unicode_table.load()
    return (*table, unicode_table.lookalikes())


@njit(inline="always")
def decode(data, i, stop):  # type: ignore[no-untyped-def]
    """Code point at data[i] of valid UTF-8 and its length in bytes; a cut sequence reads as U+FFFD."""
    c = np.int64(data[i])
    if c < 0x80:
        return c, 1
    if c >= 0xF0:
        if i + 4 > stop:
            return np.int64(0xFFFD), stop - i
        return (
            ((c & 7) << 18)
            | ((np.int64(data[i + 1]) & 63) << 12)
            | ((np.int64(data[i + 2]) & 63) << 6)
            | (np.int64(data[i + 3]) & 63)
        ), 4
    if c >= 0xE0:
        if i + 3 > stop:
            return np.int64(0xFFFD), stop - i
        return ((c & 15) << 12) | ((np.int64(data[i + 1]) & 63) << 6) | (np.int64(data[i + 2]) & 63), 3
    if c >= 0xC0:
        if i + 2 > stop:
            return np.int64(0xFFFD), stop - i
        return ((c & 31) << 6) | (np.int64(data[i + 1]) & 63), 2
    return np.int64(0xFFFD), 1


@njit(cache=True, nogil=True)
def latin_word(out, start, stop, lookalike):  # type: ignore[no-untyped-def]
    """Rewrite look-alike letters of out[start:stop] as Latin ones; the new end."""
    o = start
    i = start
    while i < stop:
        cp, n = decode(out, i, stop)
        latin = lookalike[cp] if cp < LIMIT else 0
        if n > 1 and latin != 0:
            out[o] = latin
            o += 1
        else:
            for k in range(n):
                out[o + k] = out[i + k]
            o += n
        i += n
    return o


@njit(cache=True, nogil=True)
def normalise(data, start, stop, out, o, kind, script, where, r_start, r_bytes, odd, lookalike, scripts):  # type: ignore[no-untyped-def]
    """Write the normal form of data[start:stop] to out[o:]; counts letters by script in `scripts` (12,).

    Returns (end in out, OBFUSCATIONS bits). `out` must have room for GROWTH times the source.
    """
    found = 0
    zero_width = 0
    styled = 0
    begin = o
    space = True  # a leading space is not written
    word = o  # where the current word starts
    has_latin = False
    has_lookalike = False
    i = start
    while i < stop:
        if not has_lookalike:
            # eight ASCII characters at a time, while no two of them are blanks in a row
            while i + 8 <= stop:
                w = load64(data, i)
                if w & _HIGH != _NONE:
                    break
                blank = ~(w + _FROM_33) & _HIGH
                if (blank & (blank << np.uint64(8))) != _NONE or (space and blank & np.uint64(0x80) != _NONE):
                    break
                if ((w ^ _DELETE) - _ONES) & ~(w ^ _DELETE) & _HIGH != _NONE:
                    break
                fill = (blank >> np.uint64(7)) * np.uint64(0xFF)
                w = (w & ~fill) | (fill & _BLANKS)
                upper = (w + _FROM_A) & ~(w + _PAST_Z) & _HIGH
                w |= upper >> np.uint64(2)
                letters = (w + _FROM_SMALL_A) & ~(w + _PAST_SMALL_Z) & _HIGH
                store64(out, o, w)
                scripts[1] += np.int64(((letters >> np.uint64(7)) * _ONES) >> np.uint64(56))
                if blank != _NONE:
                    last = (63 - leading_zeros(blank)) >> 3
                    word = o + last + 1
                    has_latin = last < 7 and (letters >> np.uint64(8 * last + 8)) != _NONE
                    space = last == 7
                else:
                    has_latin = has_latin or letters != _NONE
                    space = False
                o += 8
                i += 8
            if i >= stop:
                break
        c = data[i]
        if c < 0x80:
            i += 1
            if c <= 32 or c == 127:
                if not space:
                    if has_latin and has_lookalike:
                        o = latin_word(out, word, o, lookalike)
                        found |= LOOKALIKES
                    out[o] = 32
                    o += 1
                    space = True
                    word = o
                    has_latin = False
                    has_lookalike = False
                continue
            space = False
            if 65 <= c <= 90:
                c += 32
            if 97 <= c <= 122:
                has_latin = True
                scripts[1] += 1
            out[o] = c
            o += 1
            continue
        cp, n = decode(data, i, stop)
        if cp >= LIMIT:
            if 0xE0000 <= cp <= 0xE007F:
                found |= BIDI
            else:
                for k in range(n):
                    out[o + k] = data[i + k]
                o += n
                space = False
            i += n
            continue
        what = kind[cp]
        scripts[script[cp]] += 1
        if odd[cp] != 0:
            if odd[cp] == 1:
                zero_width += 1
            elif odd[cp] == 2:
                found |= BIDI
            else:
                styled += 1
        if what == DROPPED:
            pass
        elif what == SPACE:
            if not space:
                if has_latin and has_lookalike:
                    o = latin_word(out, word, o, lookalike)
                    found |= LOOKALIKES
                out[o] = 32
                o += 1
                space = True
                word = o
                has_latin = False
                has_lookalike = False
        elif what in (MAPPED, LOOKALIKE):
            a = r_start[where[cp]]
            b = r_start[where[cp] + 1]
            for k in range(a, b):
                out[o] = r_bytes[k]
                if 97 <= r_bytes[k] <= 122:
                    has_latin = True
                o += 1
            if what == LOOKALIKE:
                has_lookalike = True
            space = False
        else:
            for k in range(n):
                out[o + k] = data[i + k]
            o += n
            space = False
            if what == PUNCTUATION:
                if has_latin and has_lookalike:
                    o = latin_word(out, word, o, lookalike)
                    found |= LOOKALIKES
                word = o
                has_latin = False
                has_lookalike = False
        i += n
    if has_latin and has_lookalike:
        o = latin_word(out, word, o, lookalike)
        found |= LOOKALIKES
    if o > begin and out[o - 1] == 32:
        o -= 1
    # A joiner now and then is good spelling (emoji, Persian, Indic); many of them are not.
    if zero_width * 40 > o - begin and zero_width >= 3:
        found |= ZERO_WIDTH
    if styled * 10 > o - begin and styled >= 6:
        found |= STYLED
    return o, found


@njit(inline="always")
def _base64_value(c):  # type: ignore[no-untyped-def]
    if 65 <= c <= 90:
        return c - 65
    if 97 <= c <= 122:
        return c - 71
    if 48 <= c <= 57:
        return c + 4
    if c == 43 or c == 45:
        return 62
    if c == 47 or c == 95:
        return 63
    return -1


@njit(cache=True, nogil=True)
def decode_base64(data, start, stop, out):  # type: ignore[no-untyped-def]
    """Bytes of the runs of base64 in data[start:stop] that read as text, joined by spaces; their count."""
    o = 0
    i = start
    room = out.shape[0] - 4
    while i < stop:
        run = i
        while i < stop and _base64_value(data[i]) >= 0:
            i += 1
        if i - run >= 24 and o + (i - run) < room:
            mark = o
            readable = 0
            spaces = 0
            bits = 0
            held = 0
            for k in range(run, i):
                bits = (bits << 6) | _base64_value(data[k])
                held += 6
                if held >= 8:
                    held -= 8
                    b = (bits >> held) & 255
                    bits &= (1 << held) - 1
                    out[o] = b
                    o += 1
                    if b == 32 or b == 10:
                        spaces += 1
                        readable += 1
                    elif 33 <= b <= 126:
                        readable += 1
            size = o - mark
            # English text has a space every six letters; code and keys do not read like that.
            if readable * 100 < size * 97 or spaces * 12 < size:
                o = mark
            else:
                out[o] = 32
                o += 1
        i += 1
    return o


@njit(cache=True, nogil=True)
def undo_rot13(text, start, stop):  # type: ignore[no-untyped-def]
    """Rotate the Latin letters of text[start:stop] by 13, in place."""
    for i in range(start, stop):
        c = text[i]
        if 97 <= c <= 122:
            text[i] = (c - 97 + 13) % 26 + 97


@njit(cache=True, nogil=True)
def undo_leet(text, start, stop):  # type: ignore[no-untyped-def]
    """Digits and signs that stand for letters inside words of text[start:stop], in place."""
    i = start
    while i < stop:
        j = i
        letters = 0
        while j < stop and text[j] != 32:
            if 97 <= text[j] <= 122:
                letters += 1
            j += 1
        if letters > 0 and letters * 3 >= j - i:
            for k in range(i, j):
                c = text[k]
                if c == 48:
                    text[k] = 111
                elif c == 49 or c == 33:
                    text[k] = 105
                elif c == 51:
                    text[k] = 101
                elif c == 52 or c == 64:
                    text[k] = 97
                elif c == 53 or c == 36:
                    text[k] = 115
                elif c == 55:
                    text[k] = 116
        i = j + 1


def normalised(text: str) -> str:
    """The normal form of one text, without undoing base64, rot13 or leetspeak."""
    data = np.frombuffer(text.encode("utf-8", "replace") + bytes(16), np.uint8)
    out = np.empty(len(data) * GROWTH, np.uint8)
    end, _ = normalise(data, 0, len(data) - 16, out, 0, *character_table(), np.zeros(12, np.int64))
    return out[:end].tobytes().decode("utf-8", "replace")
