"""Match weights: popularity, families, caps, and what makes an edge."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from stillwatch.link.weigh import CAP, EDGE, Agreement, agreements_from, bits_of, edges
from stillwatch.signals.registry import ALL

SHARED = sorted(s.id for s in ALL.values() if s.weighed_by == "popularity")
EVENTS = sorted(s.id for s in ALL.values() if s.shape == "pair" and s.weighed_by == "events")
PAYMENT, SIGNUP, ADDRESS, CLIENT, TEMPLATE, SECONDS = "SG303", "SG304", "SG402", "SG403", "SG110", "SG206"
CONTINUED, BLOBS, FAILOVER = "SG305", "SG109", "SG401"


def agree(*signals: tuple[str, float, float], a: int = 1, b: int = 2) -> list[Agreement]:
    """Agreements of two accounts: (signal, value, n) each."""
    return [Agreement(a, b, signal, value, n) for signal, value, n in signals]


@pytest.mark.parametrize("signal", SHARED)
def test_each_doubling_of_the_others_takes_one_bit_off(signal):
    # weight = bits - log2(n - 1): two accounts give all bits, three one bit less, five two bits less
    bits = ALL[signal].bits
    weights = [bits_of(Agreement(1, 2, signal, 1, n), 1000) for n in (2, 3, 5, 9, 17)]
    assert weights == pytest.approx([bits, bits - 1, bits - 2, bits - 3, bits - 4])
    assert bits_of(Agreement(1, 2, signal, 1, 10**6), 10**6) == 0


def test_an_address_that_sixty_accounts_share_weighs_about_two_bits():
    # 8 - log2(59) = 8 - 5.88
    assert bits_of(Agreement(1, 2, ADDRESS, 1, 60), 1000) == pytest.approx(2.117, abs=0.001)
    assert bits_of(Agreement(1, 2, CLIENT, 1, 60), 1000) == 0  # 5 - 5.88 < 0


@pytest.mark.parametrize("one, other", list(itertools.combinations(SHARED, 2)))
def test_two_values_that_sixty_accounts_share_make_no_edge(one, other):
    assert edges(agree((one, 1, 60), (other, 1, 60)), 1000) == []


def test_a_campus_makes_no_edges_among_its_students():
    # one sign-up hour (4.1 bits), one address (2.1), one assignment (3.1), one client release (0): below 12
    course = [(SIGNUP, 1, 60), (ADDRESS, 1, 60), (TEMPLATE, 1, 60), (CLIENT, 1, 60)]
    assert edges(agree(*course), 5000) == []


@pytest.mark.parametrize("signal", sorted(s.id for s in ALL.values() if s.shape == "pair"))
def test_one_family_alone_never_makes_an_edge(signal):
    family = [s.id for s in ALL.values() if s.shape == "pair" and s.family == ALL[signal].family]
    assert edges(agree(*[(s, 1000, 1000 if s in EVENTS else 2) for s in family]), 1000) == []


def test_two_families_of_enough_bits_make_an_edge():
    (edge,) = edges(agree((PAYMENT, 1, 2), (ADDRESS, 1, 2)), 1000)
    assert (edge.a, edge.b) == (1, 2)
    assert edge.bits == pytest.approx(13 + 8)
    assert edge.families == ("identity", "network")
    assert edge.agreements == ((PAYMENT, 1, 13.0), (ADDRESS, 1, 8.0))


def test_a_second_family_of_less_than_two_bits_does_not_count_as_one():
    # a card of two accounts, 13 bits; an address of 90, 8 - log2(89) = 1.5 bits: enough bits, one family
    assert edges(agree((PAYMENT, 1, 2), (ADDRESS, 1, 90)), 1000) == []
    assert len(edges(agree((PAYMENT, 1, 2), (ADDRESS, 1, 60)), 1000)) == 1


def test_a_family_gives_sixteen_bits_at_most():
    # blobs 18 and a template 9 are one family; the cap lies below the stronger one
    (edge,) = edges(agree((BLOBS, 50, 50), (TEMPLATE, 1, 2), (ADDRESS, 1, 2)), 1000)
    assert edge.bits == pytest.approx(CAP + 8)


def test_the_second_agreement_of_a_family_adds_a_quarter():
    # identity: card 13 + sign-up 10 / 4 = 15.5; network: address 8 + client 5 / 4 = 9.25
    (edge,) = edges(agree((PAYMENT, 1, 2), (SIGNUP, 1, 2), (ADDRESS, 1, 2), (CLIENT, 1, 2)), 1000)
    assert edge.bits == pytest.approx(15.5 + 9.25)


def test_below_twelve_bits_there_is_no_edge():
    # sign-up of three, 9 bits; client of five, 3 bits: 12 bits; with six accounts 5 - log2(5) = 2.7
    assert len(edges(agree((SIGNUP, 1, 3), (CLIENT, 1, 5)), 1000)) == 1
    assert edges(agree((SIGNUP, 1, 3), (CLIENT, 1, 6)), 1000) == []
    assert EDGE == 12


@pytest.mark.parametrize("signal", EVENTS)
def test_one_exact_join_may_be_chance_several_are_not(signal):
    # 0.7 of the bits for one, 2 more for each doubling, never more than the bits
    bits = ALL[signal].bits
    weights = [bits_of(Agreement(1, 2, signal, n, n), 1000) for n in (1, 2, 1000)]
    assert weights == pytest.approx([0.7 * bits, min(0.7 * bits + 2, bits), bits])


def test_several_shared_values_add_three_bits_at_most():
    weights = [bits_of(Agreement(1, 2, ADDRESS, value, 2), 1000) for value in (1, 2, 8, 1000)]
    assert weights == pytest.approx([8, 9, 11, 11])


def test_joint_seconds_weigh_from_four_times_the_expected_on():
    # 2 x (log2(ratio) - 2), at most 8 bits
    weights = [bits_of(Agreement(1, 2, SECONDS, ratio, 20), 1000) for ratio in (0, 1, 4, 8, 1000)]
    assert weights == pytest.approx([0, 0, 0, 2, 8])


def test_a_conversation_and_a_failover_tie_two_accounts():
    # one of each: 0.7 x 16 = 11.2 bits of identity and 0.7 x 14 = 9.8 of network
    (edge,) = edges(agree((CONTINUED, 1, 1), (FAILOVER, 1, 1)), 1000)
    assert edge.bits == pytest.approx(11.2 + 9.8)


def test_edges_do_not_depend_on_the_order_of_agreements_or_of_accounts():
    mixed = [
        *agree((PAYMENT, 1, 2), (ADDRESS, 1, 2), (TEMPLATE, 2, 2)),
        *agree((PAYMENT, 1, 2), (CLIENT, 1, 2), a=7, b=3),
        *agree((ADDRESS, 1, 2), a=3, b=7),
    ]
    want = edges(mixed, 1000)
    assert [(e.a, e.b) for e in want] == [(1, 2), (3, 7)]
    for order in itertools.permutations(mixed):
        assert edges(order, 1000) == want


def test_agreements_come_from_columns_in_the_order_of_signals():
    columns = tuple(np.array(c) for c in ([1, 1], [2, 3], [1.0, 2.0], [2, 5]))
    assert agreements_from({ADDRESS: columns, PAYMENT: tuple(c[:1] for c in columns)}) == [
        Agreement(1, 2, PAYMENT, 1.0, 2.0), Agreement(1, 2, ADDRESS, 1.0, 2.0), Agreement(1, 3, ADDRESS, 2.0, 5.0),
    ]  # fmt: skip
