"""When to send again: pauses with full jitter, breaker, rate, maintenance windows. Pure.

State is a value; the clock and chance are arguments. `gateway.store.lanes` keeps the state in the
table `destination`, so that every worker of every process sees the same one (docs/adr/0012).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from gateway.errors import ConfigurationError

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW: Final = re.compile(
    r"(?:(?P<days>[a-z]{3}(?:[,-][a-z]{3})*) )?(?P<start>\d{2}:\d{2})-(?P<end>\d{2}:\d{2})"
    r"(?: (?P<zone>[A-Za-z_/+\-0-9]+))?"
)


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a pause in seconds: `base` after the first failure, doubled to `cap` at most."""

    base: float = 5.0
    cap: float = 3_600.0


def pause(backoff: Backoff, failures: int, chance: float) -> timedelta:
    """Return how long to wait after the n-th failure (from 1) in a row.

    Full jitter: uniform between nothing and the bound, so that those who failed together do not
    come back together. chance: 0 ≤ chance < 1.
    """
    doublings = min(max(failures - 1, 0), 40)
    return timedelta(seconds=chance * min(backoff.cap, backoff.base * 2**doublings))


class BreakerRule(msgspec.Struct, frozen=True, kw_only=True):
    """Opens after `threshold` failures in a row for `cool` seconds, doubled to `cap` at most."""

    threshold: int = 5
    cool: float = 15.0
    cap: float = 600.0


class Breaker(NamedTuple):
    """Failures in a row, and until when nothing is sent; `open_until` is None while closed."""

    failures: int = 0
    open_until: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether nothing may be sent now."""
        return self.open_until is not None and now < self.open_until

    @property
    def is_closed(self) -> bool:
        """Whether sending is unhindered; neither open nor closed is half-open: one may try."""
        return self.open_until is None


def succeeded(breaker: Breaker) -> Breaker:
    """The peer answered, be it with a "no": it is there."""
    return breaker if breaker == Breaker() else Breaker()


def failed(breaker: Breaker, rule: BreakerRule, now: datetime, count: int = 1) -> Breaker:
    """The peer did not answer, `count` times.

    Failures of requests that were under way when the breaker opened do not lengthen its pause.
    """
    if breaker.is_open(now):
        return breaker
    failures = breaker.failures + (1 if breaker.open_until else count)
    if failures < rule.threshold:
        return Breaker(failures)
    doublings = 0 if breaker.is_closed else min(failures - rule.threshold, 40)
    return Breaker(failures, now + timedelta(seconds=min(rule.cap, rule.cool * 2**doublings)))


def probing(breaker: Breaker, now: datetime, seconds: float) -> Breaker:
    """Half-open: one may try, the others stay out until its answer, or for `seconds` at most."""
    return breaker._replace(open_until=now + timedelta(seconds=seconds))


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """At most `burst` at once and `per_second` on average; `per_second` 0 means without bound."""

    per_second: float = 0.0
    burst: int = 1


class Bucket(NamedTuple):
    """Tokens left at an instant; `at` None: never used, hence full."""

    tokens: int = 0
    at: datetime | None = None


def refill(bucket: Bucket, rate: Rate, now: datetime) -> Bucket:
    """Return the bucket at `now`; parts of a token stay in `at`: nothing is rounded away."""
    if bucket.at is None:
        return Bucket(rate.burst, now)
    if now <= bucket.at:  # a clock behind ours, or its own step back
        return bucket
    gained = int((now - bucket.at).total_seconds() * rate.per_second)
    if bucket.tokens + gained >= rate.burst:
        return Bucket(rate.burst, now)
    return Bucket(bucket.tokens + gained, bucket.at + timedelta(seconds=gained / rate.per_second))


def take(bucket: Bucket, rate: Rate, now: datetime, wanted: int) -> tuple[int, Bucket]:
    """Take up to `wanted` tokens: how many were granted, and what is left."""
    if not rate.per_second:
        return wanted, bucket
    full = refill(bucket, rate, now)
    granted = min(wanted, full.tokens)
    return granted, full._replace(tokens=full.tokens - granted)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A weekly maintenance window of a peer, in its own zone.

    days: 0 Monday … 6 Sunday, of the beginning; an end that is not after the start lies on the
    next day. zone: IANA name.
    """

    days: tuple[int, ...]
    start: time
    end: time
    zone: str


def window(text: str, zone: str = "Europe/Moscow") -> Window:
    """Read `sun 02:00-04:00`, `mon-fri 23:00-01:30 Asia/Omsk` or `03:00-03:15` (every day).

    Raises ConfigurationError for anything else.
    """
    found = _WINDOW.fullmatch(text.strip().lower() if "/" not in text else _lower_days(text))
    try:
        if found is None:
            raise ValueError(text)
        read = Window(
            days=_days(found["days"]),
            start=time.fromisoformat(found["start"]),
            end=time.fromisoformat(found["end"]),
            zone=found["zone"] or zone,
        )
        ZoneInfo(read.zone)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise ConfigurationError(
            "not a maintenance window",
            found=text,
            expected="sun 02:00-04:00 Europe/Moscow",
            where="maintenance",
        ) from error
    return read


def closed_until(windows: tuple[Window, ...], now: datetime) -> datetime | None:
    """Return the end of the maintenance that runs now, following windows that touch, or None."""
    until: datetime | None = None
    for _ in range(len(windows) * 8):
        later = max(
            (end for w in windows if (end := _end_of(w, until or now)) is not None), default=None
        )
        if later is None:
            return until
        until = later
    return until


def _end_of(window: Window, at: datetime) -> datetime | None:
    zone = ZoneInfo(window.zone)
    today = at.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        if day.weekday() not in window.days:
            continue
        last = day if window.end > window.start else day + timedelta(days=1)
        start = datetime.combine(day, window.start, zone)
        end = datetime.combine(last, window.end, zone)
        if start <= at < end:
            return end.astimezone(UTC)
    return None


def _days(text: str | None) -> tuple[int, ...]:
    if not text:
        return tuple(range(7))
    days: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days += [(start + n) % 7 for n in range((end - start) % 7 + 1)]
    return tuple(sorted(set(days)))


def _lower_days(text: str) -> str:
    head, _, zone = text.strip().rpartition(" ")
    return f"{head.lower()} {zone}"
