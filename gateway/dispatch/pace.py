"""How far ahead of its threads a destination's deliveries are leased and written down.

A fast peer needs a queue in front of its threads, otherwise they wait for every commit. A slow one
must not have it: what waits is leased, and all of it is in doubt when this process dies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.dispatch.ports import Destination

QUEUE_SECONDS: Final = 0.05
"""About how long a delivery may wait for its thread."""
DEEPEST: Final = 32
_FIRST_GUESS: Final = 0.05
_WEIGHT: Final = 0.2


class Pace:
    """The usual duration of a send, by destination, and what follows from it."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._seconds: dict[str, float] = {}

    def saw(self, code: str, seconds: float) -> None:
        """Take one send into account."""
        before = self._seconds.get(code, _FIRST_GUESS)
        self._seconds[code] = before + _WEIGHT * (seconds - before)

    def threads(self, target: Destination) -> int:
        """How many sends at once this process makes to a destination."""
        return min(self._threads, target.policy.max_in_flight)

    def started(self, target: Destination) -> int:
        """How many may be written down as being sent, with those that wait for a thread.

        A peer that can be neither asked nor sent to twice has nothing waiting: each would be a
        person's work after a crash.
        """
        policy = target.policy
        if not policy.can_ask and not policy.idempotent:
            return self.threads(target)
        seconds = max(self._seconds.get(target.code, _FIRST_GUESS), 1e-6)
        return self.threads(target) * (1 + min(DEEPEST, int(QUEUE_SECONDS / seconds)))

    def leased(self, target: Destination) -> int:
        """How many lanes may be leased, with those on the way there and back."""
        return 2 * max(self.started(target), 2 * self.threads(target))
