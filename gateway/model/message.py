"""What travelled: messages as received or sent, and deliveries to peers (design decision 12)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from enum import StrEnum

from gateway.model.base import NIL, Entity, Moment


class Direction(StrEnum):
    """Which way a message went."""

    IN = "in"
    OUT = "out"


class MessageStage(StrEnum):
    """How far an incoming message got through the rooms."""

    ACCEPTED = "accepted"
    APPLIED = "applied"
    RETRY = "retry"
    PARKED = "parked"
    UNDECODED = "undecoded"


class DeliveryState(StrEnum):
    """State of one delivery.

    ready → sending → sent → acknowledged; `unknown` is settled by asking; `retry` waits; `refused`,
    `dead` and `skipped` are ends. An expired lease on `sending` becomes `unknown`,
    never "not sent".
    """

    READY = "ready"
    SENDING = "sending"
    RETRY = "retry"
    UNKNOWN = "unknown"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    DEAD = "dead"
    SKIPPED = "skipped"


class Message(Entity, frozen=True, kw_only=True):
    """One message as it stood on a wire.

    sha256: hex of the raw bytes; body lies in the row or, above 256 KB, in the blob store under
    that digest. wire: `soap`, `rest`, `file`, `poll`, `pull`. correlation: id that ties request,
    reply and logs. error: code of gateway.errors, empty when none.
    """

    id: uuid.UUID = NIL
    direction: Direction = Direction.IN
    peer: str = ""
    wire: str = ""
    operation: str = ""
    external_id: str = ""
    revision: int = 1
    message_key: str = ""
    media_type: str = ""
    headers: Mapping[str, str] = {}
    sha256: str = ""
    size: int | None = None
    correlation: str = ""
    stage: MessageStage = MessageStage.ACCEPTED
    error: str = ""
    appeal_id: uuid.UUID | None = None
    recorded_at: Moment | None = None


class Delivery(Entity, frozen=True, kw_only=True):
    """One thing to be told to one peer; key is what makes a repeat recognisable there.

    lane: destination + appeal, or destination, by the manifest; position: order within it.
    fence: number of the lease, grows with each attempt. may_reach_citizen: never replayed by
    filter. ack_due: by when the peer's acknowledgement is awaited.
    """

    id: uuid.UUID = NIL
    key: str = ""
    lane: str = ""
    position: int | None = None
    peer: str = ""
    kind: str = ""
    appeal_id: uuid.UUID | None = None
    event_seq: int | None = None
    state: DeliveryState = DeliveryState.READY
    attempts: int = 0
    fence: int = 0
    next_at: Moment | None = None
    ack_due: Moment | None = None
    receipt: str = ""
    error: str = ""
    may_reach_citizen: bool = False
    test_message: bool = False
    recorded_at: Moment | None = None
