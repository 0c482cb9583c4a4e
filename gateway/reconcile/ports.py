"""What reconciliation asks of a channel beyond `gateway.adapter.Channel`, and its own settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.adapter import RemoteState, Wire

TOLERANCE: Final = timedelta(seconds=300)
"""By how much a peer's clock may differ from ours when its row does not say (`clock_skew`)."""


class Tell(Protocol):
    """Told of progress: the stage, how many are done, of how many where that is known."""

    def __call__(self, stage: str, done: int, of: int | None) -> None:
        """Take note; must be quick."""
        ...


def quiet(stage: str, done: int, of: int | None) -> None:
    """Take no note of progress."""


@runtime_checkable
class Register(Protocol):
    """A channel whose peer keeps a register that can be held against ours.

    The peer's own codec makes the document, and this reads back what the register will show of it,
    so a difference between two mappings of one state cannot hide.
    """

    def expected(self, wire: Wire) -> RemoteState:
        """Return how the peer's register shows an appeal after it took this document."""
        ...

    def lists(self, organisation: str) -> bool:
        """Say whether `Channel.reconcile` reads the register of this body."""
        ...


class Ask(NamedTuple):
    """What to look at and how.

    start, end: half-open window of instants; None is open. tolerance: of the peer's clock.
    reaches_citizen: what this peer is sent may end in a letter to a person, so a repeat is never
    ours to decide (design §2.14).
    """

    start: datetime | None = None
    end: datetime | None = None
    tolerance: timedelta = TOLERANCE
    reaches_citizen: bool = False
