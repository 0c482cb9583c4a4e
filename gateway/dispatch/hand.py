"""How much this process has leased and not yet settled."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from gateway.limits import MB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.dispatch.pace import Pace
    from gateway.dispatch.ports import Destination
    from gateway.dispatch.prepare import Job
    from gateway.store.lanes import Claimed

BYTES_AHEAD: Final = 64 * MB
"""Bodies that may wait in memory to be sent; past it nothing more is leased."""


class Hand:
    """Claims by destination, and the bytes of what is prepared; bytes may be told by any thread."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._leased: Counter[str] = Counter()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is leased."""
        return not any(self._leased.values())

    def leased(self, code: str) -> int:
        """How many lanes of a destination are leased."""
        return self._leased[code]

    @property
    def room(self) -> int:
        """Bytes of bodies that may still be prepared."""
        return BYTES_AHEAD - self._bytes

    def rooms(
        self, destinations: Mapping[str, Destination], ending: Iterable[Claimed]
    ) -> dict[str, int]:
        """How many more lanes of each destination this process can keep moving.

        ending: claims that the same transaction gives back.
        """
        if self.room <= 0:
            return {}
        back = Counter(claimed.delivery.destination for claimed in ending)
        return {
            code: self._pace.leased(target) - self._leased[code] + back[code]
            for code, target in destinations.items()
        }

    def lease(self, claims: Iterable[Claimed]) -> None:
        """Claims have been leased."""
        self._leased.update(claimed.delivery.destination for claimed in claims)

    def end(self, claims: Iterable[Claimed]) -> None:
        """Claims are settled, given back, or left to run out."""
        self._leased.subtract(claimed.delivery.destination for claimed in claims)

    def hold(self, jobs: Iterable[Job]) -> None:
        """Jobs are prepared."""
        size = sum(len(job.wire.body) for job in jobs)
        with self._lock:
            self._bytes += size

    def release(self, jobs: Iterable[Job]) -> None:
        """Jobs have ended, one way or the other."""
        size = sum(len(job.wire.body) for job in jobs)
        with self._lock:
            self._bytes -= size
