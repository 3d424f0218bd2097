"""Columns from request headers. Names are kept in order of arrival; values only of headers that name the client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CLIENT = re.compile(
    r"x-stainless-|anthropic-|openai-|x-app(?:-|$)|x-client-|x-openai-|x-goog-api-client$|x-amz-user-agent$"
)
_CREDENTIAL = re.compile(
    r"auth|cookie|secret|password|credential|(?:api|access|session|private|csrf).?(?:key|token)|token$"
)
_TLS = (
    "x-ja4",
    "x-ja4-fingerprint",
    "cf-ja4",
    "x-ja3-fingerprint",
    "x-ja3-hash",
    "cf-ja3-hash",
    "x-tls-fingerprint",
    "cloudfront-viewer-ja3-fingerprint",
    "cloudfront-viewer-ja4-fingerprint",
)
_COUNTRY = ("cf-ipcountry", "cloudfront-viewer-country", "x-vercel-ip-country", "x-appengine-country", "x-country-code")
_ASN = ("cloudfront-viewer-asn", "x-asn", "x-client-asn")
_MAX_VALUE = 512


def of(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Columns `header_names, user_agent, client_headers, referer, title, tls_fingerprint, country, asn`.

    Credential headers leave their name, never their value.
    """
    if not headers:
        return {}
    values: dict[str, str] = {}
    for name, value in headers.items():
        if isinstance(value, list) and value:  # Kong and Go write lists
            value = value[0]
        if isinstance(name, str) and isinstance(value, str | int | float):
            values.setdefault(name.lower(), str(value))
    kept = [
        f"{name}={_one_line(value)}"
        for name, value in values.items()
        if _CLIENT.match(name) and not _CREDENTIAL.search(name)
    ]
    asn = _first(values, _ASN)
    digits = asn.upper().removeprefix("AS") if asn else ""
    return {
        "header_names": ",".join(_one_line(str(name)).replace(",", "").lower() for name in headers),
        "user_agent": values.get("user-agent"),
        "client_headers": "\n".join(kept) or None,
        "referer": values.get("http-referer") or values.get("referer"),
        "title": values.get("x-title") or values.get("x-openrouter-title"),
        "tls_fingerprint": _first(values, _TLS),
        "country": _first(values, _COUNTRY),
        "asn": int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None,
    }


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((values[name] for name in names if values.get(name)), None)


def _one_line(value: str) -> str:
    return value[:_MAX_VALUE].replace("\r", " ").replace("\n", " ")


def client_ip(value: Any) -> str | None:
    """The client's address: the first of an X-Forwarded-For list, without a port."""
    if not isinstance(value, str) or not value.strip():
        return None
    address = value.split(",", 1)[0].strip()
    if address.startswith("[") and "]" in address:
        return address[1 : address.index("]")]
    return address.split(":", 1)[0] if address.count(":") == 1 else address
