"""Raw API keys never get past ingest: where an id or a header holds one, its digest takes its place."""

from __future__ import annotations

import hashlib
import re

# Prefixes as the issuers document them, plus bearer tokens and JSON web tokens.
_WHOLE = re.compile(
    r"(?:Bearer\s+\S+|Basic\s+[A-Za-z0-9+/=]{8,}|sk-\S{4,}|[prs]k_(?:live|test)_\S{8,}|(?:AKIA|ASIA)[0-9A-Z]{12,}"
    r"|AIza[0-9A-Za-z_\-]{20,}|gsk_\S{16,}|xai-\S{16,}|hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{16,}"
    r"|github_pat_\S{16,}|xox[abpr]-\S{8,}|pplx-\S{16,}|r8_\S{16,}|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*)",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    r"Bearer\s+[^\s,;\"']{8,}|\bsk-[A-Za-z0-9_\-]{16,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_\-]{30,}"
    r"|\bgsk_\w{16,}|\bhf_[A-Za-z0-9]{16,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\beyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*"
)
_HINT = re.compile(r"sk[-_]|bearer|basic|pk_|rk_|akia|asia|aiza|hf_|gh[pousr]_|github_pat|xox|xai-|pplx-|r8_|eyj", re.I)


def digest(secret: str, key: bytes = b"") -> str:
    """BLAKE2b digest of `secret`, 32 hex digits; keyed, if there is a deployment secret."""
    return hashlib.blake2b(secret.encode("utf-8", "replace"), digest_size=16, key=key).hexdigest()


def without_secrets(value: str, key: bytes = b"") -> str:
    """`value` with raw credentials replaced by `key:` and their digest.

    The same credential gives the same digest, so that accounts can still be joined by it.
    """
    if not _HINT.search(value):
        return value
    if _WHOLE.fullmatch(value):
        return "key:" + digest(value.split(None, 1)[-1], key)
    return _INSIDE.sub(lambda match: "key:" + digest(match.group().split(None, 1)[-1], key), value)
