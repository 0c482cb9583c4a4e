"""Answers that go to an address of their own instead of back on the connection.

An answer is a delivery like any other: it waits in a lane, is tried again, and a person sees it
when it cannot be delivered. What is sent was made when the call was carried out, so it is stored
beside its delivery instead of being encoded later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg.types.json import Jsonb

from gateway.errors import BusyError
from gateway.limits import MB
from gateway.model.ids import uuid7
from gateway.store import lanes
from gateway.store.arrays import UuidArray
from gateway.store.lanes import LastSent, NewDelivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

EVENT: Final = "Reply"
"""Stands as the event type of such a delivery."""
_SUFFIX: Final = ":replies"
MOST_BYTES: Final = MB
"""Of one answer; a larger one goes back on the connection or nowhere."""
MOST_WAITING: Final = 1_000
"""Of one peer, with those that wait for a person; with `MOST_BYTES` it bounds what a dead address
makes us hold."""
LATER: Final = 60
"""Seconds after which a peer with so many may ask again."""
_SWEPT: Final = 10
"""Lanes that one answer takes away: more than it makes, so that there are never many."""

WRITE = """
INSERT INTO reply (delivery_id, address, media_type, headers, body, created_at)
VALUES ($1, $2, $3, $4::jsonb, $5, $6)
"""
WAITING = """
SELECT count(*) FROM (SELECT FROM lane WHERE destination = $1 AND waiting > 0 LIMIT $2) AS l
"""
SWEEP = """
DELETE FROM lane WHERE (destination, key) IN (
  SELECT l.destination, l.key FROM lane l
  WHERE l.destination = $1 AND l.waiting = 0 AND l.owner = '' AND EXISTS (
    SELECT FROM delivery d WHERE d.destination = l.destination AND d.lane = l.key
      AND d.state = 'acknowledged')
  LIMIT $2 FOR UPDATE SKIP LOCKED)
"""
"""An answer has a lane of its own, which nothing else ever enters."""
READ = """
SELECT delivery_id, created_at, sha256(body), body,
       jsonb_build_object('media_type', media_type, 'name', address, 'headers', headers),
       true
FROM reply WHERE delivery_id = ANY($1::uuid[])
"""


class Reply(NamedTuple):
    """An answer as it leaves. headers: of HTTP, beside Content-Type."""

    address: str
    media_type: str
    headers: dict[str, str]
    body: bytes


def destination(peer: str) -> str:
    """Return the destination of a peer's answers; a peer's code has no colon."""
    return f"{peer}{_SUFFIX}"


def require_room(connection: Connection[Any], peer: str) -> None:
    """Raise BusyError when as many answers wait for a peer as may."""
    row = connection.execute(WAITING, (destination(peer), MOST_WAITING)).fetchone()
    if row is not None and row[0] >= MOST_WAITING:
        raise BusyError(
            "too many answers wait for the addresses of this peer",
            retry_after=LATER,
            where="ReplyTo",
        )


def owe(connection: Connection[Any], peer: str, reply: Reply, now: datetime, *, test: bool) -> UUID:
    """Write an answer down as owed to a peer, in a lane of its own; return the delivery's id.

    Raise BusyError when too many are.
    """
    connection.execute(SWEEP, (destination(peer), _SWEPT))
    require_room(connection, peer)
    new = NewDelivery(
        destination=destination(peer),
        lane_key=str(uuid7()),
        appeal_id=None,
        event_seq=None,
        event_type=EVENT,
        test=test,
    )
    (id_,) = lanes.enqueue(connection, [new], now)
    headers = Jsonb(reply.headers)
    values = (id_, reply.address, reply.media_type, headers, reply.body, now)
    connection.execute(WRITE, values)
    return id_


def read(connection: Connection[Any], ids: Sequence[UUID]) -> dict[UUID, LastSent]:
    """Return what is to be sent, in the form of an earlier send of the same bytes."""
    if not ids:
        return {}
    rows = connection.execute(READ, (UuidArray.of(list(ids)),), binary=True)
    return {row[0]: LastSent(*row[1:]) for row in rows}
