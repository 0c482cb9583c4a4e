"""How many unproven callers an address may have, and what counts as one address."""

from __future__ import annotations

import pytest

from gateway.access import strangers
from gateway.access.strangers import Strangers


@pytest.fixture
def count():
    made = Strangers(lambda: made.time, per_address=3)
    made.time = 0.0
    return made


def admitted(count, address, tries=10):
    return sum(count.admit(address) for _ in range(tries))


def test_an_address_has_so_many_a_minute(count):
    assert admitted(count, "192.0.2.1") == 3
    assert admitted(count, "192.0.2.2") == 3
    count.time = strangers.SECONDS - 1
    assert admitted(count, "192.0.2.1") == 0
    count.time = strangers.SECONDS
    assert admitted(count, "192.0.2.1") == 3


def test_who_was_proven_makes_room_and_nobody_makes_more_than_there_was(count):
    assert admitted(count, "192.0.2.1") == 3
    count.proven("192.0.2.1")
    assert admitted(count, "192.0.2.1") == 1
    for _ in range(10):
        count.proven("192.0.2.1")
    assert admitted(count, "192.0.2.1") == 3


def test_a_customer_of_ipv6_is_one_address_and_his_neighbour_another(count):
    assert count.admit("2001:db8::1")
    assert admitted(count, "2001:db8::ffff:2") == 2
    assert admitted(count, "2001:db8:0:1::1") == 3


def test_what_is_no_address_counts_as_one(count):
    assert admitted(count, "unknown") == 3
    assert admitted(count, "") == 3


def test_a_site_of_ipv6_has_its_own_bound_whichever_of_its_networks_call(count):
    found = sum(admitted(count, f"2001:db8:0:{n:x}::1") for n in range(500))
    assert found == 3 * strangers.PER_SITE
    assert admitted(count, "2001:db8:1::1") == 3
    count.proven("2001:db8:0:1::1")
    assert admitted(count, "2001:db8:0:fff::1") == 1


def test_a_flood_of_addresses_shares_buckets_and_takes_no_more_memory(count, monkeypatch):
    monkeypatch.setattr(strangers, "ADDRESSES", 2)
    monkeypatch.setattr(strangers, "BUCKETS", 1)
    assert [admitted(count, f"192.0.2.{n}") for n in range(4)] == [3, 3, 3, 0]
    count.proven("192.0.2.3")
    assert admitted(count, "192.0.2.3") == 1
    assert sum(map(len, count._unproven.values())) == 3


def test_a_flood_of_ipv6_keeps_out_nobody_of_ipv4_and_few_of_its_own(count, monkeypatch):
    monkeypatch.setattr(strangers, "ADDRESSES", 100)
    for n in range(300):
        admitted(count, f"2001:{n:x}::1", 3)
    assert admitted(count, "192.0.2.1") == 3
    newcomers = [f"2a00:{n:x}::1" for n in range(100)]
    assert sum(count.admit(address) for address in newcomers) > 50
    assert sum(map(len, count._unproven.values())) <= 2 * (100 + strangers.BUCKETS) + 1
