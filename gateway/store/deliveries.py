"""Deliveries as a person and a peer's later word deal with them, one by one (design §2.12, §2.14).

Functions run in the caller's transaction, on a connection of this house. Whatever a worker is
sending at this moment is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.errors import BusyError, NotFoundError, StateError
from gateway.store import lanes_sql as sql
from gateway.store.arrays import TextArray, UuidArray
from gateway.store.lanes import PULL_LANE, Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

OPEN: Final = ("ready", "retry", "unknown", "refused", "dead", "sending")
"""States that count as waiting in their lane."""
REPLAYABLE: Final = ("refused", "dead", "unknown", "retry", "skipped")
"""States from which a delivery may be sent again; by filter only the first two."""
SKIPPABLE: Final = ("ready", "retry", "unknown", "refused", "dead", "sent")
UNSENT: Final = ("ready", "retry")
SKIP_CHUNK: Final = 500
CONFIRMABLE: Final = ("unknown", "sent", "refused", "dead")


class Found(NamedTuple):
    """A delivery with what became of it so far.

    receipt_number, external_id: of the appeal that it tells of, empty without one.
    """

    delivery: Delivery
    due: datetime | None
    ack_due: datetime | None
    changed_at: datetime
    error_code: str
    error: str
    reference: str
    receipt_number: str
    external_id: str


class Decision(NamedTuple):
    """What shall become of a delivery, from which states, and why."""

    state: str
    allowed: tuple[str, ...]
    code: str = ""
    reason: str = ""


class Attempt(NamedTuple):
    """One send or question with its evidence."""

    id: UUID
    n: int
    owner: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    status: int | None
    request_sha256: bytes | None
    request: bytes | None
    head: dict[str, Any]
    response: bytes | None
    error: str


def find(
    connection: Connection[Any],
    *,
    ids: Sequence[UUID] = (),
    destination: str = "",
    states: Sequence[str] = (),
    appeal_id: UUID | None = None,
    limit: int = 100,
) -> list[Found]:
    """Return deliveries, the newest first."""
    rows = connection.execute(
        sql.FIND,
        (UuidArray.of(list(ids)), destination, TextArray.of(list(states)), appeal_id, limit),
        binary=True,
    )
    fields = len(Delivery._fields)
    return [Found(Delivery(*row[:fields]), *row[fields:]) for row in rows]


def heads(connection: Connection[Any], destination: str, now: datetime, limit: int) -> list[Found]:
    """Return what a worker would take next, the longest due first; all destinations for ""."""
    rows = connection.execute(sql.HEADS, (destination, now, limit), binary=True).fetchall()
    fields = len(Delivery._fields)
    return [Found(Delivery(*row[:fields]), *row[fields:]) for row in rows]


def get(connection: Connection[Any], id_: UUID) -> Found:
    """Return one delivery; raise NotFoundError."""
    found = find(connection, ids=[id_])
    if not found:
        raise NotFoundError("no such delivery", found=str(id_), todo="`gateway deliveries list`")
    return found[0]


def attempts(connection: Connection[Any], id_: UUID) -> list[Attempt]:
    """Return every send of a delivery and every question about it, in order."""
    return [Attempt(*row) for row in connection.execute(sql.ATTEMPTS, (id_,), binary=True)]


def replay(
    connection: Connection[Any], id_: UUID, now: datetime, *, by_filter: bool = False
) -> None:
    """Send again under the same key; a doubt must have been settled by the person who says so.

    Opens the lane that this delivery closed. What was sent before is left in the attempts.
    by_filter: nobody named this very delivery; one that may reach a citizen is refused with
    StateError then (design §2.14).
    """
    if by_filter and (found := get(connection, id_)).delivery.may_reach_citizen:
        raise StateError(
            "it may reach a citizen: only a person sends it again, by its id",
            current_state=found.delivery.state,
            todo=f"`gateway deliveries replay {id_}`",
        )
    decision = Decision("retry", REPLAYABLE, "replayed", "replayed by an operator")
    _decide(connection, id_, decision, now)


def skip(connection: Connection[Any], id_: UUID, now: datetime, reason: str) -> None:
    """Never send; the next one of its lane is due."""
    _decide(connection, id_, Decision("skipped", SKIPPABLE, "skipped", reason), now)


def waiting(connection: Connection[Any], destination: str) -> int:
    """Return how many deliveries to a peer are not finished."""
    row = connection.execute(sql.WAITING, (destination,)).fetchone()
    return int(row[0]) if row else 0


def skip_unsent(
    connection: Connection[Any], destination: str, now: datetime, reason: str
) -> Iterator[int]:
    """Skip everything that waits for a peer and is in no doubt; yield how many, chunk by chunk.

    Each chunk is a transaction, so one that is broken off may be begun again.
    """
    while True:
        with connection.transaction():
            found = find(connection, destination=destination, states=UNSENT, limit=SKIP_CHUNK)
            for item in reversed(found):
                skip(connection, item.delivery.id, now, reason)
        if not found:
            return
        yield len(found)


def confirm(connection: Connection[Any], id_: UUID, now: datetime, reason: str) -> None:
    """Take a person's word that the peer has it."""
    _decide(connection, id_, Decision("acknowledged", CONFIRMABLE, "confirmed", reason), now)


def acknowledge(
    connection: Connection[Any],
    destination: str,
    now: datetime,
    *,
    ids: Sequence[UUID] = (),
    references: Sequence[str] = (),
) -> list[UUID]:
    """Settle deliveries that the peer has acknowledged in a message of its own; return which.

    By our ids or by the references that the peer gave when it took them. What was in doubt is
    settled too: the acknowledgement is the peer's word. A repeat settles nothing.
    """
    told = connection.execute(
        sql.ACKNOWLEDGED_LATER,
        (destination, UuidArray.of(list(ids)), TextArray.of(list(references))),
        binary=True,
    ).fetchall()
    busy = _lock(connection, [row[0] for row in told])
    settled = []
    for id_, _, lane, seq in told:
        if busy.get((destination, lane)) != seq:
            settled += _move(connection, id_, Decision("acknowledged", ("sent", "unknown")), now)
    return settled


def pause(connection: Connection[Any], code: str, until: datetime | None, reason: str) -> None:
    """Send nothing to a destination until an instant; None ends the pause."""
    connection.execute(sql.PAUSE, (code, until, reason))


def depth(connection: Connection[Any]) -> list[tuple[str, str, int, datetime]]:
    """Return (destination, state, how many, the oldest's instant) of everything unfinished."""
    return connection.execute(sql.DEPTH).fetchall()


def _lock(connection: Connection[Any], ids: Sequence[UUID]) -> dict[tuple[str, str], int]:
    """Lock lanes in order; return for each the position that a worker has in hand, 0 for none."""
    rows = connection.execute(sql.LOCK_OF, (UuidArray.of(list(ids)),), binary=True)
    return {(row[0], row[1]): row[2] for row in rows}


def _decide(connection: Connection[Any], id_: UUID, decision: Decision, now: datetime) -> None:
    in_hand = _lock(connection, [id_])
    delivery = get(connection, id_).delivery
    if in_hand.get((delivery.destination, delivery.lane)) == delivery.seq:
        raise BusyError("a worker has this delivery in hand", where=str(id_))
    if delivery.kind == "pull" and decision.state != "skipped":
        raise StateError(
            "the peer pulls this one itself", current_state=delivery.state, todo="skip it, or wait"
        )
    if not _move(connection, id_, decision, now):
        raise StateError(
            f"a delivery in this state cannot become {decision.state}",
            current_state=delivery.state,
            allowed_events=decision.allowed,
        )


def _move(connection: Connection[Any], id_: UUID, decision: Decision, now: datetime) -> list[UUID]:
    state, allowed, code, reason = decision
    rows = connection.execute(
        sql.MOVE,
        (id_, state, TextArray.of(allowed), now, code, reason, TextArray.of(OPEN), PULL_LANE),
        binary=True,
    )
    return [row[0] for row in rows]
