"""How often a caller may ask for what is not there: token buckets, one a key, in one process.

They make guessing slow. Each process of an installation counts for itself, so that together n
processes let through n times as much: still nothing against 32¹⁰ numbers and 10⁹ phones, and no
question waits for a database that all of them would have to write to.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

_KEYS: Final = 20_000
"""Buckets that are kept; past them the one that was asked for longest ago is full again."""


class Rate(NamedTuple):
    """How many misses at once, and after how many seconds one more."""

    burst: int
    seconds: float


class Misses:
    """Takes a token of every bucket before a guess is answered, and gives them back for a hit.

    Taking comes before the answer, so that a hundred questions at once are no way round.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, wanted: Sequence[tuple[Hashable, Rate]]) -> None:
        """Take one token of each bucket, or none and raise BusyError with when to come again."""
        now = self._clock()
        with self._lock:
            left = [self._left(key, rate, now) for key, rate in wanted]
            empty = [
                rate.seconds * (1 - tokens)
                for tokens, (_, rate) in zip(left, wanted, strict=True)
                if tokens < 1
            ]
            if empty:
                for tokens, (key, _) in zip(left, wanted, strict=True):
                    if key in self._buckets:  # who asks in vain is not forgotten either
                        self._put(key, tokens, now)  # nor makes us forget others by new keys
                raise BusyError(
                    "too many questions about what is not there",
                    retry_after=max(1, math.ceil(max(empty))),
                )
            for tokens, (key, _) in zip(left, wanted, strict=True):
                self._put(key, tokens - 1, now)

    def give_back(self, wanted: Sequence[tuple[Hashable, Rate]]) -> None:
        """Put back what `take` took: the question had an answer."""
        now = self._clock()
        with self._lock:
            for key, rate in wanted:
                self._put(key, min(self._left(key, rate, now) + 1, rate.burst), now)

    def _left(self, key: Hashable, rate: Rate, now: float) -> float:
        tokens, at = self._buckets.get(key, (float(rate.burst), now))
        return min(tokens + (now - at) / rate.seconds, float(rate.burst))

    def _put(self, key: Hashable, tokens: float, now: float) -> None:
        self._buckets[key] = (tokens, now)
        self._buckets.move_to_end(key)
        while len(self._buckets) > _KEYS:
            self._buckets.popitem(last=False)
