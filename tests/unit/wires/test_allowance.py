"""A peer brings so many bytes of files a day, and its neighbour is not kept from bringing his."""

from __future__ import annotations

import pytest

from gateway.errors import BusyError
from gateway.wires.allowance import DAY, LATER, Allowance


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_day_is_bounded_by_peer_and_begins_anew():
    clock = Clock()
    allowance = Allowance(10, clock)
    allowance.take("greedy", 8)
    with pytest.raises(BusyError) as caught:
        allowance.take("greedy", 3)
    assert caught.value.retry_after == LATER
    allowance.take("greedy", 2)
    allowance.take("other", 10)
    clock.now = DAY - 60
    with pytest.raises(BusyError) as caught:
        allowance.take("greedy", 1)
    assert caught.value.retry_after == 61
    clock.now = DAY
    allowance.take("greedy", 10)


def test_zero_is_no_bound():
    allowance = Allowance(0)
    allowance.take("any", 10**15)


def test_what_is_too_much_is_not_counted_and_what_fits_still_does():
    allowance = Allowance(10)
    assert allowance.spend("greedy", 8)
    assert not allowance.spend("greedy", 3)
    assert allowance.spend("greedy", 2)
    assert allowance.spend("other", 10)
