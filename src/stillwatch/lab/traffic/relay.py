"""A relay as the open-source ones work: a pool of keys, sticky sessions, rests after refusals, rewritten user ids.

Two styles. `channels` (one-api and its kin): any key that is not resting, by chance; one server program, few addresses.
`sticky` (subscription relays): a customer stays on an account for an hour and is then moved to the one that has been
idle longest; each account has its own proxy and the header set of one client, captured once and replayed for everybody.
Source of the figures: the relays' documentation and code, as gathered in the design's facts on resellers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from stillwatch.lab.traffic.clients import CLIENTS, HOP
from stillwatch.lab.traffic.world import Account, World

REST_S: Final = {429: 60.0, 529: 300.0, 403: 1800.0, 500: 0.0}  # how long an account rests after a refusal
STICKY_S: Final = 3600.0  # that a customer stays on an account
STYLES: Final = ("channels", "sticky")


@dataclass(slots=True, kw_only=True)
class Relay:
    """Which account serves a customer now. One for each pool; the distiller goes through it like everybody."""

    accounts: Sequence[Account]
    style: str
    rng: Random  # of its own: who asks first must not matter to others
    _resting: dict[str, float] = field(default_factory=dict)  # account -> until
    _bound: dict[str, tuple[Account, float]] = field(default_factory=dict)  # customer -> account, until
    _used: dict[str, float] = field(default_factory=dict)  # account -> last time

    def pick(self, customer: str, at: float, instead_of: Account | None = None) -> Account:
        """The account for a customer's next request; another one than `instead_of`, which refused."""
        held = self._bound.get(customer)
        if self.style == "sticky" and held and held[1] > at and held[0] is not instead_of and self._awake(held[0], at):
            self._used[held[0].account_id] = at
            return held[0]
        free = [a for a in self.accounts if a is not instead_of and self._awake(a, at)] or list(self.accounts)
        if self.style == "sticky":
            chosen = min(free, key=lambda a: (self._used.get(a.account_id, 0.0), a.account_id))
            self._bound[customer] = (chosen, at + STICKY_S)
        else:
            chosen = self.rng.choice(free)
        self._used[chosen.account_id] = at
        return chosen

    def refused(self, account: Account, at: float, status: int) -> None:
        """An account answered 429, 529 or 403: it rests."""
        self._resting[account.account_id] = at + REST_S.get(status, 0.0)

    def user(self, account: Account, customer: str) -> str | None:
        """The end-user id that goes upstream: rewritten for each account, or none."""
        if self.style == "channels" or len(self.accounts) == 1:
            return None
        return "user_" + hashlib.blake2b(f"{account.account_id}/{customer}".encode(), digest_size=12).hexdigest()

    def _awake(self, account: Account, at: float) -> bool:
        return self._resting.get(account.account_id, 0.0) <= at


def open_relay(world: World, campaign_id: str | None, kind: str, accounts: int) -> Relay:
    """A router (one account) or a reseller (a pool), with its accounts, for a campaign to hide in, or for none."""
    rng = world.rng
    own = Random(rng.random())
    if kind == "router":
        account = world.account(
            "router", "router", campaign=campaign_id, ips=[world.host_ip()], client=CLIENTS[HOP], business=True,
            stream=False, declared_use="model router for developers", temperature=None, max_tokens=None,
        )  # fmt: skip
        return Relay(accounts=[account], style="channels", rng=own)
    style = rng.choice(STYLES)
    block = world.host_ip().rsplit(".", 1)[0]
    servers = [f"{block}.{rng.randrange(16, 32)}" for _ in range(3)]
    cards = [world.payment() for _ in range(max(1, accounts // 6))]
    pool = [
        world.account(
            "reseller", "reseller", campaign=campaign_id,
            ips=[rng.choice(servers)] if style == "channels" else [world.home_ip()],
            client=CLIENTS["relay"] if style == "channels" else world.any_client(),
            business=True, stream=rng.random() < 0.8, temperature=None, max_tokens=None,
            payment_fingerprint=rng.choice(cards),
        )
        for _ in range(accounts)
    ]  # fmt: skip
    return Relay(accounts=pool, style=style, rng=own)


__all__ = ["REST_S", "STICKY_S", "Relay", "open_relay"]
