"""How often one may ask for what is not there."""

import pytest

from gateway.errors import BusyError
from gateway.wires.facades import misses
from gateway.wires.facades.misses import Misses, Rate

RATE = Rate(3, 10.0)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def book(clock):
    return Misses(clock)


def refused(book, *wanted):
    with pytest.raises(BusyError) as caught:
        book.take(wanted)
    return caught.value.retry_after


def test_a_burst_goes_through_and_then_one_for_each_interval(book, clock):
    for _ in range(3):
        book.take([("a", RATE)])
    assert refused(book, ("a", RATE)) == 10
    clock.now = 4.0
    assert refused(book, ("a", RATE)) == 6
    clock.now = 10.0
    book.take([("a", RATE)])
    assert refused(book, ("a", RATE)) == 10
    book.take([("b", RATE)])


def test_what_was_found_costs_nothing(book):
    for _ in range(10):
        book.take([("a", RATE)])
        book.give_back([("a", RATE)])
    for _ in range(3):
        book.take([("a", RATE)])
    refused(book, ("a", RATE))


def test_a_question_that_one_bucket_refuses_takes_of_none(book):
    narrow = Rate(1, 60.0)
    book.take([("wide", RATE), ("narrow", narrow)])
    assert refused(book, ("wide", RATE), ("narrow", narrow)) == 60
    book.take([("wide", RATE)])
    book.take([("wide", RATE)])


def test_a_full_bucket_does_not_run_over(book, clock):
    clock.now = 1000.0
    book.give_back([("a", RATE)])
    for _ in range(3):
        book.take([("a", RATE)])
    refused(book, ("a", RATE))


def test_the_book_does_not_grow_without_end_and_keeps_whom_it_sees_often(book, monkeypatch):
    monkeypatch.setattr(misses, "_KEYS", 5)
    once = Rate(1, 60.0)
    book.take([("peer", once)])
    for place in range(50):
        book.take([(place, RATE)])
        refused(book, ("peer", once), (place, RATE))
    assert len(book._buckets) <= 5


def test_refused_questions_about_other_things_wash_nothing_out(book, monkeypatch):
    monkeypatch.setattr(misses, "_KEYS", 10)
    number, peer = ("number", Rate(1, 60.0)), ("peer", Rate(1, 60.0))
    book.take([number, peer])
    for n in range(20):
        refused(book, (f"other {n}", RATE), peer)
    assert refused(book, number) == 60
