"""How many bytes a peer may have stored in a day: one with a key must not fill the disk.

What a refused message brought is kept as that of an accepted one, for replay, so a day's work must
be bounded by itself: the parts of packages, and the bodies of what was refused. Each process counts
for itself, from its start: n processes together let through n times as much. Used on the event loop
only, so nothing is locked.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from gateway.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable

DAY: Final = 86_400.0
LATER: Final = 3_600
"""Seconds after which a peer whose day is used up may ask again; sooner when the day ends."""


class Allowance:
    """Counts bytes by peer. of_day: how many each may bring, 0 for any. clock: seconds."""

    def __init__(self, of_day: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.of_day = of_day
        self._clock = clock
        self._since = clock()
        self._taken: Counter[str] = Counter()

    def take(self, peer: str, size: int) -> None:
        """Count bytes of files that are about to be written, or raise BusyError."""
        if not self.spend(peer, size):
            left = int(self._since + DAY - self._clock()) + 1
            raise BusyError(
                "so many bytes of files have come from this peer today",
                retry_after=min(left, LATER),
                where="package",
            )

    def spend(self, peer: str, size: int) -> bool:
        """Count bytes that are about to be written, or say that they are too many: then none is."""
        now = self._clock()
        if now - self._since >= DAY:
            self._since = now
            self._taken.clear()
        if self.of_day and self._taken[peer] + size > self.of_day:
            return False
        self._taken[peer] += size
        return True
