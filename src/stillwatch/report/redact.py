"""Masks personal and secret things in a piece of prompt text, with marks a reader can see.

A mask says what stood there (‹email›), never a part of it. Matching sees through zero-width characters and full-width
digits. This lowers what a report gives away; it is not anonymisation.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator

from .visible import hidden

_WINDOW = 16_384  # characters looked at; bounds the work on a hostile prompt
_ROUNDS = 5  # a match that overlaps a taken one is left; what it held outside is found in the next round
_Span = tuple[int, int, str]
_Rule = Callable[[re.Match[str]], str | None]  # gives the replacement, or None to leave the text alone


def redact(text: str, limit: int = 400) -> str:
    """`text` with private things masked, cut to `limit` characters.

    Masked: e-mail, telephone, paths and log-ins of URLs, IP and MAC addresses, API keys, tokens and passwords, private
    keys, card and bank numbers, runs of 9 or more digits, home directories, the name after "my name is" in ten
    languages. Redacting twice gives the same text.

    Args:
        text:  anything.
        limit: longest result in characters, the closing "…" included; at least 1.
    """
    shown = _settled(text[:_WINDOW], _mask)
    if len(text) > _WINDOW and len(shown) <= limit:
        # The cut may have split a secret: drop the word it went through.
        shown = re.sub(r"\S*\Z", "", shown) + "…"
    return _settled(_cut(shown, limit), lambda cut: _cut(_mask(cut), limit))


def _settled(text: str, step: Callable[[str], str]) -> str:
    for _ in range(_ROUNDS):
        after = step(text)
        if after == text:
            break
        text = after
    return text


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters, and never half a mask."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    opened = cut.rfind("‹")
    if opened > cut.rfind("›") and limit - 1 - opened < 24:
        cut = cut[:opened]
    return cut + "…"


def _mask(text: str) -> str:
    folded, places = _fold(text)
    out: list[str] = []
    end = 0
    for start, stop, mask in _spans(folded):
        out.append(text[end : places[start]])
        out.append(mask)
        end = places[stop - 1] + 1
    out.append(text[end:])
    return "".join(out)


def _fold(text: str) -> tuple[str, list[int]]:
    """`text` without hidden characters and with full-width forms narrowed, and where each character came from."""
    if text.isascii() and text.isprintable():
        return text, list(range(len(text)))
    chars: list[str] = []
    places: list[int] = []
    for i, char in enumerate(text):
        if char == "\r" or not hidden(char):
            narrow = unicodedata.normalize("NFKC", char) if char > "\x7f" else char
            chars.append(narrow if len(narrow) == 1 else char)
            places.append(i)
    return "".join(chars), places


def _spans(folded: str) -> Iterator[_Span]:
    """Masks in order of place. Earlier rules win; what overlaps a taken span waits for the next round."""
    taken = bytearray(len(folded))
    found: list[_Span] = [(m.start(), m.end(), m[0]) for m in _MARK.finditer(folded)]
    for start, stop, _ in found:
        taken[start:stop] = b"\x01" * (stop - start)
    for rule, mask in _RULES:
        for m in rule.finditer(folded):
            start, stop = m.span("hide") if "hide" in rule.groupindex else m.span()
            if start == stop or taken.find(1, start, stop) != -1:
                continue
            new = mask(m) if callable(mask) else mask
            if new is not None:
                found.append((start, stop, new))
                taken[start:stop] = b"\x01" * (stop - start)
    return iter(sorted(found))


def _url(m: re.Match[str]) -> str:
    host = m["host"]
    try:
        ipaddress.ip_address(host.strip("[]"))
        host = "‹ip›"
    except ValueError:
        pass
    return (
        f"{m['scheme'] or ''}{'‹login›@' if m['login'] else ''}{host}{m['port'] or ''}{'/‹path›' if m['path'] else ''}"
    )


def _ip(m: re.Match[str]) -> str | None:
    try:
        ipaddress.ip_address(m[0].partition("%")[0])
    except ValueError:
        return None
    return "‹ip›"


def _card(m: re.Match[str]) -> str | None:
    digits = [int(c) for c in m[0] if c.isdigit()]
    if not 13 <= len(digits) <= 19:
        return None
    doubled = [d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits))]
    return "‹card›" if sum(doubled) % 10 == 0 else None  # Luhn, ISO/IEC 7812-1 annex B


def _iban(m: re.Match[str]) -> str | None:
    packed = re.sub(r"\s", "", m[0]).upper()
    if not 15 <= len(packed) <= 34:
        return None
    return "‹bank account›" if int("".join(str(int(c, 36)) for c in packed[4:] + packed[:4])) % 97 == 1 else None


def _phone(m: re.Match[str]) -> str | None:
    return "‹phone›" if 8 <= sum(c.isdigit() for c in m[0]) <= 15 else None


def _credential(m: re.Match[str]) -> str | None:
    """What follows "Bearer" or "Basic", unless it is a word, as in "basic principles"."""
    return "‹token›" if re.search(r"[\d=+/_]|[a-z][A-Z]", m["hide"]) else None


def _opaque(m: re.Match[str]) -> str | None:
    """Long runs that no language writes: keys, digests, encoded text."""
    run = m[0].rstrip("=")
    digit = any(c.isdigit() for c in run)
    upper, lower = any(c.isupper() for c in run), any(c.islower() for c in run)
    if "/" in run and not (len(run) >= 40 and digit and upper and lower):
        return None  # more likely a path of ordinary words
    if len(run) >= 200 and (digit or (upper and lower)):
        return "‹encoded text›"
    return "‹token›" if digit and (upper or lower) else None


_MARK = re.compile(r"‹[A-Za-z0-9 +×-]{1,32}›")
_LETTERS = r"[^\W\d_]"
_NAME = rf"{_LETTERS}[\w'’.-]{{0,40}}(?:[ \t]+(?-i:(?!And\b|But\b|I\b)[A-ZÀ-ÞΑ-ΩА-Я])[\w'’.-]{{0,40}}){{0,3}}"
_SECRET_WORD = (
    r"(?:api[ _-]?key|access[ _-]?key|secret(?:[ _-]?key)?|client[ _-]?secret|auth[ _-]?token|token|"
    r"pass(?:word|wd|phrase)|pwd|credentials?|cookie|session[ _-]?id)"
)
_RULES: tuple[tuple[re.Pattern[str], str | _Rule], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----(?:.{0,20000}?-----END [A-Z0-9 ]{1,40}-----|.*)", re.S),
        "‹private key›",
    ),
    (re.compile(r"\bdata:[\w.+/-]{0,80}(?:;[\w=.+-]{1,80}){0,4},[A-Za-z0-9+/=%_-]{16,}"), "‹embedded data›"),
    (
        re.compile(
            r"(?P<scheme>(?:https?|s?ftp|wss?|ssh|git|s3|postgres(?:ql)?|mysql|redis)://|\b[a-z][a-z0-9+.-]{1,15}://)"
            r"(?:(?P<login>[^\s/@<>\"']{1,200})@)?"
            r"(?P<host>\[[0-9a-f:.]{2,45}\]|[\w.-]{1,255})(?P<port>:\d{1,5})?(?P<path>[/?#](?!‹path›)[^\s<>\"'‹›`]*)?",
            re.I,
        ),
        _url,
    ),
    (
        re.compile(
            r"(?P<scheme>)(?P<login>)\b(?P<host>(?:[a-z0-9-]{1,63}\.){1,6}(?:com|org|net|io|ai|dev|app|edu|gov|"
            r"info|biz|co|me|us|uk|de|fr|es|it|nl|eu|ch|at|ru|cn|jp|kr|in|br|au|ca))"
            r"(?P<port>:\d{1,5})?(?P<path>[/?#](?!‹path›)[^\s<>\"'‹›`]+)",
            re.I,
        ),
        _url,
    ),
    (
        re.compile(r"[\w.+%-]{1,64}\s?(?:@|\(at\)|\[at\])\s?(?:[\w-]{1,63}(?:\.|\s?\[dot\]\s?)){1,8}[\w-]{2,63}"),
        "‹email›",
    ),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?"), "‹token›"),
    (
        re.compile(
            r"(?<![A-Za-z])(?:sk-[\w-]{12,}|[rsp]k_(?:live|test)_\w{8,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|"
            r"glpat-[\w-]{12,}|xox[abeoprs]-[\w-]{8,}|xapp-[\w-]{8,}|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}|"
            r"AIza[\w-]{20,}|ya29\.[\w-]{16,}|hf_\w{16,}|npm_\w{16,}|pypi-[\w-]{16,}|gsk_\w{16,}|xai-[\w-]{16,}|"
            r"r8_\w{16,}|SG\.[\w-]{12,}\.[\w-]{12,}|dop_v1_\w{16,}|AC[0-9a-f]{32})"
        ),
        "‹token›",
    ),
    (re.compile(r"\b(?:bearer|basic)[ \t]+(?P<hide>[\w+/=.~-]{8,})", re.I), _credential),
    (
        re.compile(
            rf"\b{_SECRET_WORD}\b[\"']?(?:[ \t]*(?:=>|[:=])|(?<=word|rase)[ \t]+is\b)[ \t]*[\"']?"
            r"(?P<hide>[^\s\"'‹›<>,;]{3,512})",
            re.I,
        ),
        "‹secret›",
    ),
    (
        re.compile(
            r"(?:/home/|/users/|/export/home/|\b[a-z]:[\\/]+(?:users|documents and settings)[\\/]+)"
            r"(?P<hide>[^\n/\\:\"'<>|‹›]{1,48}(?=[/\\])|[^\s/\\:\"'<>|‹›]{1,64})",
            re.I,
        ),
        "‹user›",
    ),
    (re.compile(r"(?<![\w/])~(?P<hide>[a-z_][a-z0-9_-]{0,31})(?=/)"), "‹user›"),
    (re.compile(r"(?<![\w:.-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:-])", re.I), "‹mac address›"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)"), _ip),
    (
        re.compile(
            r"(?<![\w:.])(?=[0-9a-f:]*\d)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:(?:\.\d{1,3}){3})?(?![\w:])", re.I
        ),
        _ip,
    ),
    (re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])"), _card),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}(?: ?[A-Z0-9]{1,3})?\b"), _iban),
    (re.compile(r"(?<![\w.+])\+\d(?:[ ().\-/\u2010-\u2015]{0,2}\d){7,14}(?!\d)"), _phone),
    (re.compile(r"(?<![\w.+-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\d-])"), "‹phone›"),
    (re.compile(r"(?<![\w.,:/-])0\d{1,4}(?:[ /-]|\) ?)\d{3,4}(?:[ -]?\d{2,4}){1,3}(?!\d)"), _phone),
    (re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"), "‹number›"),
    (re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{32,}={0,2}"), _opaque),
    (re.compile(r"(?<!\d)(?<!\d[.,])\d{9,}"), "‹number›"),
    (
        re.compile(
            rf"\b(?:my (?:full |first |last |real )?name(?:['’]s| is)|(?:you (?:can|may) |please )?call me|"
            rf"i am called|(?:mein name ist|ich hei(?:ß|ss)e)|je m['’]appelle|mon nom est|me llamo|mi nombre es|"
            rf"(?:mi chiamo|il mio nome è)|(?:meu nome é|me chamo)|mijn naam is|меня зовут)"
            rf"[ \t]*:?[ \t]+(?P<hide>{_NAME})",
            re.I,
        ),
        "‹name›",
    ),
    (re.compile(r"(?:我叫|我的名字(?:是|叫)|私の名前は|제 이름은 ?)(?P<hide>[^\s，。、,.!?！？]{1,12})"), "‹name›"),
)
