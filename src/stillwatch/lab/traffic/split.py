"""Who may look at what: families, clients and prompt sets are dealt to two sides, in code.

`tune` is what detection was developed on; figures are reported on `test` alone.
"""

from __future__ import annotations

import hashlib
from typing import Final

SIDES: Final = ("tune", "test")
CAPTURED: Final = "capture:"  # before the name of a captured client, family or workload
# Families that detection was developed on. The test side has all the others, and other wordings of these.
TUNE_FAMILIES: Final = ("F1", "F2", "F3", "F7", "F9", "F13", "F15", "F17")
TEST_FAMILIES: Final = tuple(f"F{i}" for i in range(1, 21))
# Client programs of harvesters that only the test side has, by name of `clients.CLIENTS`.
TEST_CLIENTS: Final = frozenset({"openai-node-6.1.0", "httpx-0.28.1", "aiohttp-3.14.5", "opencode", "curl-8.5.0"})


def families(side: str) -> tuple[str, ...]:
    """Families of a side."""
    return TUNE_FAMILIES if side == "tune" else TEST_FAMILIES


def side_of_set(name: str) -> str:
    """The side of a prompt set or of a captured client, by its name: an even digest is `tune`."""
    return SIDES[hashlib.blake2b(name.encode(), digest_size=1).digest()[0] & 1]


def client_allowed(name: str, side: str) -> bool:
    """May a harvester of this side use the client? Honest accounts use all of them on both sides."""
    if name.startswith(CAPTURED):
        return side_of_set(name.removeprefix(CAPTURED).split("/")[0]) == side
    return (name in TEST_CLIENTS) == (side == "test")
