"""What ingest may be told: sizes, clocks, and where an account or a time comes from if the log has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stillwatch.errors import UsageError

EARLIEST_US = 1_420_070_400_000_000  # 2015-01-01T00:00:00Z: no LLM gateway is older
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """Limits and fall-backs of one read.

    `account_from` and `at_from` serve only records whose format leaves the account or the time out:
    `field:dotted.path` looks into the raw record, `literal:text` is taken as it stands, and `at_from` also knows
    `mtime`, the file's own time.
    """

    earliest_us: int = EARLIEST_US
    ahead_us: int = DAY_US  # how far a clock may run ahead of `now`
    max_skew_us: int = 0  # how far an end may lie before its start
    batch_rows: int = 8192
    batch_bytes: int = 64 << 20  # text held for one batch
    block_bytes: int = 4 << 20
    max_line_bytes: int = 32 << 20  # also the limit of one JSON element and of one CSV field
    max_id_chars: int = 512
    max_pending: int = 100_000  # halves that wait for their other half
    max_pending_bytes: int = 256 << 20
    max_examples: int = 100  # rejects of one kind and batch that are listed one by one; the rest are counted
    account_from: str | None = None
    at_from: str | None = None
    digest_key: bytes = b""  # deployment secret under which raw API keys are digested, 0..64 bytes

    def __post_init__(self) -> None:
        for option, value, kinds in (
            ("account_from", self.account_from, ("field:", "literal:")),
            ("at_from", self.at_from, ("field:", "literal:", "mtime")),
        ):
            if value is not None and not (value.startswith(kinds) and value not in ("field:", "literal:")):
                raise UsageError(
                    f"`{option}` is `{value}`, which says neither a field nor a value",
                    fix=f"write one of {', '.join(k + ('...' if k.endswith(':') else '') for k in kinds)}",
                )
        if len(self.digest_key) > 64:
            raise UsageError("`digest_key` is longer than 64 bytes", fix="give 16 to 64 random bytes")


def fallback(rule: str | None, record: Mapping[str, Any], *, mtime_us: int | None = None) -> Any:
    """Value that `rule` (see `IngestSettings.account_from`) gives for a raw record; None if it gives none."""
    if rule is None:
        return None
    if rule == "mtime":
        return mtime_us
    kind, _, rest = rule.partition(":")
    return rest if kind == "literal" else lookup(record, rest)


def lookup(record: Any, path: str) -> Any:
    """Value under a dotted path (`a.b.0.c`; a number indexes a list); None where the path leads nowhere.

    Keys that contain dots themselves (OpenTelemetry attributes) are found too: the longest key wins.
    """
    value = record
    steps = path.split(".")
    at = 0
    while at < len(steps):
        if isinstance(value, Mapping):
            for end in range(len(steps), at, -1):
                key = ".".join(steps[at:end])
                if key in value:
                    value, at = value[key], end
                    break
            else:
                return None
        elif isinstance(value, list | tuple) and steps[at].lstrip("-").isascii() and steps[at].lstrip("-").isdigit():
            index = int(steps[at]) if len(steps[at]) < 10 else len(value)
            if not -len(value) <= index < len(value):
                return None
            value, at = value[index], at + 1
        else:
            return None
    return value
