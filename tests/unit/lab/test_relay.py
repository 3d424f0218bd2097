"""A relay deals customers to accounts as the open-source ones do."""

from __future__ import annotations

from random import Random

import pytest

from stillwatch.lab.traffic.relay import REST_S, STICKY_S, Relay, open_relay
from stillwatch.lab.traffic.world import World


@pytest.fixture
def world() -> World:
    return World(Random(3))


def pool(world: World, style: str, count: int = 5) -> Relay:
    relay = open_relay(world, None, "reseller", count)
    relay.style = style
    return relay


def test_a_sticky_customer_stays_for_an_hour_and_then_goes_to_the_idlest(world: World) -> None:
    relay = pool(world, "sticky")
    first = relay.pick("ann", 0.0)
    assert relay.pick("ann", STICKY_S - 1) is first
    for name in "bcde":
        assert relay.pick(name, 10.0) is not first  # the one that was idle longest, never the busy one
    assert relay.pick("ann", STICKY_S + 1) is not first


def test_a_refused_account_rests_and_its_customers_go_elsewhere(world: World) -> None:
    relay = pool(world, "sticky")
    first = relay.pick("ann", 0.0)
    relay.refused(first, 1.0, 529)
    other = relay.pick("ann", 2.0, instead_of=first)
    assert other is not first
    seen = {relay.pick(f"x{i}", 3.0).account_id for i in range(20)}
    assert first.account_id not in seen
    late = {relay.pick(f"y{i}", 2.0 + REST_S[529]).account_id for i in range(20)}
    assert first.account_id in late


def test_channels_are_drawn_by_chance_and_share_one_program(world: World) -> None:
    found = next(r for r in (open_relay(world, None, "reseller", 6) for _ in range(40)) if r.style == "channels")
    assert len({found.pick("ann", float(i)).account_id for i in range(60)}) == 6
    assert len({a.client.name for a in found.accounts}) == 1
    assert found.user(found.accounts[0], "ann") is None


def test_a_sticky_relay_has_a_proxy_for_each_account_and_rewrites_user_ids(world: World) -> None:
    found = next(r for r in (open_relay(world, None, "reseller", 8) for _ in range(40)) if r.style == "sticky")
    assert len({a.ips[0] for a in found.accounts}) == 8
    one, two = found.accounts[:2]
    assert found.user(one, "ann") == found.user(one, "ann") != found.user(two, "ann")


def test_when_all_rest_somebody_serves_anyway(world: World) -> None:
    relay = pool(world, "channels", 2)
    for account in relay.accounts:
        relay.refused(account, 0.0, 403)
    assert relay.pick("ann", 1.0) in relay.accounts
