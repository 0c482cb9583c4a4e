"""When to send again: what an operator of either side would notice."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigurationError
from gateway.retry import (
    Backoff,
    Breaker,
    BreakerRule,
    Bucket,
    Rate,
    closed_until,
    failed,
    pause,
    probing,
    refill,
    succeeded,
    take,
    window,
)

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
RULE = BreakerRule(threshold=3, cool=10, cap=40)


def after(seconds: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=seconds)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_never_negative_nor_past_its_cap(failures, chance):
    found = pause(Backoff(base=5, cap=3_600), failures, chance)
    assert dt.timedelta(0) <= found <= dt.timedelta(seconds=3_600)


def test_pauses_double_and_chance_spreads_all_of_them():
    backoff = Backoff(base=5, cap=60)
    bounds = [pause(backoff, n, 0.999999).total_seconds() for n in range(1, 7)]
    assert [round(b) for b in bounds] == [5, 10, 20, 40, 60, 60]
    assert pause(backoff, 6, 0.0) == dt.timedelta(0)


def test_the_breaker_opens_at_its_threshold_and_closes_on_an_answer():
    breaker = Breaker()
    for _ in range(2):
        breaker = failed(breaker, RULE, NOW)
        assert breaker.is_closed
    breaker = failed(breaker, RULE, NOW)
    assert breaker.is_open(after(9))
    assert not breaker.is_open(after(10))
    assert not breaker.is_closed
    assert succeeded(breaker) == Breaker()


def test_each_failed_try_doubles_the_pause_up_to_the_cap():
    breaker, now, lengths = Breaker(2), NOW, []
    for _ in range(4):
        breaker = failed(breaker, RULE, now)
        lengths.append((breaker.open_until - now).total_seconds())
        now = breaker.open_until
    assert lengths == [10, 20, 40, 40]


def test_those_under_way_when_it_opened_do_not_lengthen_the_pause():
    breaker = failed(Breaker(), RULE, NOW, count=3)
    assert failed(breaker, RULE, after(1), count=50) == breaker


def test_while_one_tries_the_others_stay_out():
    breaker = failed(Breaker(), RULE, NOW, count=3)
    trying = probing(breaker, after(10), 30)
    assert trying.is_open(after(39))
    assert not trying.is_open(after(40))


def test_tokens_come_back_at_the_rate_and_no_part_is_lost():
    rate = Rate(per_second=2.0, burst=5)
    granted, bucket = take(Bucket(), rate, NOW, 9)
    assert granted == 5
    total = 0
    for tenth in range(1, 31):
        got, bucket = take(bucket, rate, after(tenth / 10), 9)
        total += got
    assert total == 6


def test_a_clock_that_steps_back_gives_no_tokens():
    bucket = Bucket(0, NOW)
    assert refill(bucket, Rate(per_second=100, burst=5), after(-60)) == bucket


@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 20)), max_size=40),
    st.floats(0.1, 50),
    st.integers(1, 20),
)
def test_never_more_than_the_burst_and_the_rate_together(steps, per_second, burst):
    rate, bucket, now, taken = Rate(per_second=per_second, burst=burst), Bucket(), NOW, 0
    for seconds, wanted in steps:
        now += dt.timedelta(seconds=seconds)
        got, bucket = take(bucket, rate, now, wanted)
        taken += got
    passed = (now - NOW).total_seconds()
    assert taken <= burst + passed * per_second + 1e-6


def test_no_rate_means_no_bound():
    assert take(Bucket(), Rate(), NOW, 1_000) == (1_000, Bucket())


@pytest.mark.parametrize(
    ("text", "inside", "end"),
    [
        ("sun 15:00-17:00 Europe/Moscow", NOW, after(2 * 3600)),
        ("Sun 15:00-17:00", NOW, after(2 * 3600)),
        ("14:30-15:30 Europe/Moscow", NOW, after(1800)),
        ("sat-mon 15:00-15:01", NOW, after(60)),
        ("sat 23:00-15:30", NOW, after(1800)),
        ("18:00-19:00 Asia/Omsk", NOW, after(3600)),
    ],
)
def test_a_window_is_read_and_known_to_be_open(text, inside, end):
    """2026-03-01 is a Sunday; 12:00 UTC is 15:00 in Moscow and 18:00 in Omsk."""
    assert closed_until((window(text),), inside) == end


@pytest.mark.parametrize("text", ["mon 15:00-17:00", "15:01-16:00", "14:00-15:00"])
def test_outside_a_window_sending_goes_on(text):
    assert closed_until((window(text),), NOW) is None


def test_windows_that_touch_are_one():
    windows = (window("14:00-15:30"), window("15:30-16:00"))
    assert closed_until(windows, NOW) == after(3600)


def test_a_window_over_the_whole_day_ends_the_search():
    assert closed_until((window("00:00-00:00"),), NOW) is not None


@pytest.mark.parametrize(
    "text", ["", "sun", "sun 25:00-26:00", "xyz 01:00-02:00", "01:00-02:00 X/Y"]
)
def test_what_is_no_window_is_refused(text):
    with pytest.raises(ConfigurationError):
        window(text)
