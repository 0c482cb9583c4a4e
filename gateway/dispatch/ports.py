"""What dispatch is given: destinations with their policies, snapshots to encode, an observer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from gateway.disclosure import Level, level_of
from gateway.retry import Backoff, BreakerRule, Rate, Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from gateway.adapter import Channel, Codec, EncodeContext
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.store.lanes import Delivery

LEASE_SLACK_SECONDS = 10.0
"""What a lease has beyond the send itself: waiting for a thread, writing the outcome down."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination is treated: its manifest with what the peer's row says otherwise.

    timeout: seconds, the total that the channel keeps for one send. max_in_flight: lanes leased at
    once, by all workers together. idempotent: a repeat under the same key has no second effect
    there. can_ask: `Channel.settle` can say what became of a key. settle_after: seconds until a
    doubt is worth asking about; must be longer than the peer may work on after we hung up.
    ack_within: seconds for the acknowledgement of what it only took. max_attempts: sends until a
    delivery is dead; while the whole destination is out, not before it is give_up_after seconds
    old. disclosure_ground: recorded, needed for `full`. test: a test system, the only
    kind that test messages go to.
    """

    timeout: float = 30.0
    max_in_flight: int = 8
    idempotent: bool = False
    can_ask: bool = False
    settle_after: float = 30.0
    ack_within: float = 86_400.0
    max_attempts: int = 12
    give_up_after: float = 3 * 86_400.0
    backoff: Backoff = Backoff()
    breaker: BreakerRule = BreakerRule()
    rate: Rate = Rate()
    maintenance: tuple[Window, ...] = ()
    disclosure: str = Level.REFERENCE_ONLY
    disclosure_ground: str = ""
    text_is_redacted: bool = False
    test: bool = False

    @property
    def level(self) -> Level:
        """The disclosure level; raises ConfigurationError when it is not allowed."""
        return level_of(self.disclosure, self.disclosure_ground)

    @property
    def lease(self) -> float:
        """Seconds of a lease: longer than the wait for a thread and the send together."""
        return 2 * self.timeout + LEASE_SLACK_SECONDS


class Destination(NamedTuple):
    """A peer that is sent to. adapter's codec: appeal and event to bytes; channel: bytes away."""

    code: str
    codec: Codec
    channel: Channel
    policy: Policy


class Snapshot(NamedTuple):
    """An appeal as it is to be told, the event that is told of, and what an encoder may know.

    own: the destination's own appeal, when it is told of this one only because a letter of its own
    was merged into it.
    """

    appeal: Appeal
    event: Event | None
    context: EncodeContext
    own: Appeal | None = None


class Snapshots(Protocol):
    """Reads what deliveries are about. Called outside any transaction, from one thread."""

    def load(self, deliveries: Sequence[Delivery]) -> Mapping[UUID, Snapshot]:
        """Return a snapshot by delivery id; one that is missing fails that delivery only."""
        ...


class Observer:
    """What the metrics see; every method may be overridden, none may block."""

    def attempted(self, destination: str, outcome: str, seconds: float) -> None:
        """One send or question ended. outcome: as in the attempt's row."""

    def settled(self, destination: str, state: str, count: int) -> None:
        """So many deliveries came into a state."""

    def breaker(self, destination: str, is_open: bool) -> None:  # noqa: FBT001 - a gauge
        """The breaker of a destination opened or closed."""

    def swept(self, leases: int, acknowledgements: int) -> None:
        """Expired leases and acknowledgement clocks were taken back."""
