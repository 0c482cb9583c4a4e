"""Lanes: what is owed to whom, in which order, and who is sending it now (docs/adr/0011, 0012).

Functions run in the caller's transaction, on a connection of this house (`gateway.store.pool`:
`RawCursor`, arrays registered). Lock order: appeals, lanes, destinations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from gateway.model.ids import uuid7
from gateway.retry import Breaker, Bucket
from gateway.store import lanes_sql as sql
from gateway.store.arrays import (
    BoolArray,
    ByteaArray,
    InstantArray,
    Int4Array,
    Int8Array,
    TextArray,
    UuidArray,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection, Cursor

Kind = Literal["push", "pull"]
PULL_LANE: Final = "pull"
"""Key of the one lane that a peer pulls from; never an appeal's id, never the empty key."""


class NewDelivery(NamedTuple):
    """One thing to be owed to a destination.

    lane_key: the appeal's id as text, or "" when the destination wants everything in one order;
    what is pulled goes to `PULL_LANE` whatever is said here. event_seq: None for the appeal as a
    whole. may_reach_citizen: ends at a person, never sent again by filter. test: of a test message.
    through: the destination's own appeal that was merged into this one, when only that ties them.
    """

    destination: str
    lane_key: str
    appeal_id: UUID | None
    event_seq: int | None
    event_type: str
    kind: Kind = "push"
    may_reach_citizen: bool = False
    test: bool = False
    through: UUID | None = None


class Delivery(NamedTuple):
    """One row of `delivery`, as far as sending needs it."""

    id: UUID
    destination: str
    lane: str
    seq: int
    kind: Kind
    appeal_id: UUID | None
    event_seq: int | None
    event_type: str
    state: str
    attempts: int
    created_at: datetime
    may_reach_citizen: bool
    test: bool
    payload_sha256: bytes | None
    through: UUID | None = None


class Claimed(NamedTuple):
    """The head of a lane that is leased to us under `fence`."""

    delivery: Delivery
    fence: int


class Want(NamedTuple):
    """How much of a destination may be claimed.

    room: lanes at most now. bound: lanes leased at once, by all workers. lease: seconds.
    """

    code: str
    room: int
    bound: int
    lease: float


class Begun(NamedTuple):
    """A send about to start: what is written down before its first byte.

    needed: seconds that its lease must still have. ask: only a question, nothing is written.
    """

    attempt: UUID
    claimed: Claimed
    n: int
    sha256: bytes
    request: bytes | None
    head: str
    needed: float
    ask: bool


class Settled(NamedTuple):
    """What became of a claimed delivery, and the evidence.

    gone: nothing of it is left to send (acknowledged, sent, skipped). due: when it may be acted on
    again, None when a person must. closes: its lane waits for a person. attempt: None when nothing
    was tried. whole: the attempt has no row yet, because nothing was put on the wire.
    """

    claimed: Claimed
    state: str
    attempts: int
    due: datetime | None = None
    ack_due: datetime | None = None
    code: str = ""
    error: str = ""
    reference: str = ""
    gone: bool = False
    closes: bool = False
    attempt: UUID | None = None
    whole: bool = False
    started_at: datetime | None = None
    outcome: str = ""
    status: int = 0
    response: bytes | None = None
    detail: str = ""


class Gate(NamedTuple):
    """Whether and how fast a destination may be sent to."""

    breaker: Breaker = Breaker()
    bucket: Bucket = Bucket()
    paused_until: datetime | None = None


class GateChange(NamedTuple):
    """A gate to be written back; ok: it answered; error: the last trouble, empty for none."""

    code: str
    breaker: Breaker
    bucket: Bucket
    ok: bool = False
    error: str = ""


class LastSent(NamedTuple):
    """The last send of a delivery: when, the digest and bytes, and the rest of the request.

    owed: these bytes are what is owed, whether or not they were ever sent.
    """

    started_at: datetime
    sha256: bytes
    request: bytes | None
    head: dict[str, Any]
    owed: bool = False


def enqueue(connection: Connection[Any], rows: Sequence[NewDelivery], now: datetime) -> list[UUID]:
    """Write deliveries at the ends of their lanes, in the order given; return their ids.

    Within the caller's transaction; takes the locks of its lanes, sorted, until the commit.
    """
    if not rows:
        return []
    keyed = [(r.destination, PULL_LANE if r.kind == "pull" else r.lane_key) for r in rows]
    counts: dict[tuple[str, str], int] = {}
    for key in keyed:
        counts[key] = counts.get(key, 0) + 1
    lanes = list(counts)
    taken = connection.execute(
        sql.POSITIONS,
        (
            TextArray.of([lane[0] for lane in lanes]),
            TextArray.of([lane[1] for lane in lanes]),
            Int4Array.of([counts[lane] for lane in lanes]),
            Int4Array.of([counts[lane] for lane in lanes]),
            InstantArray.of([None if lane[1] == PULL_LANE else now for lane in lanes]),
        ),
        binary=True,
    )
    free = {(d, k): following - counts[d, k] for d, k, following in taken}
    ids, positions = [], []
    for key in keyed:
        ids.append(uuid7())
        positions.append(free[key])
        free[key] += 1
    connection.execute(
        sql.ENQUEUE,
        (
            UuidArray.of(ids),
            TextArray.of([key[0] for key in keyed]),
            TextArray.of([key[1] for key in keyed]),
            Int8Array.of(positions),
            TextArray.of([r.kind for r in rows]),
            UuidArray.of([r.appeal_id for r in rows]),
            Int4Array.of([r.event_seq or 0 for r in rows]),
            TextArray.of([r.event_type for r in rows]),
            BoolArray.of([r.may_reach_citizen for r in rows]),
            BoolArray.of([r.test for r in rows]),
            now,
            UuidArray.of([r.through for r in rows]),
        ),
    )
    return ids


def make_gates(connection: Connection[Any], codes: Sequence[str]) -> None:
    """Make the rows of destinations that have none."""
    connection.execute(sql.GATES_MADE, (TextArray.of(list(codes)),))


def gates(connection: Connection[Any], codes: Sequence[str]) -> dict[str, Gate]:
    """Lock destinations until the commit and return their gates."""
    rows = connection.execute(sql.GATES, (TextArray.of(list(codes)),), binary=True)
    return {
        code: Gate(Breaker(failures, open_until), Bucket(tokens, tokens_at), paused)
        for code, failures, open_until, tokens, tokens_at, paused in rows
    }


def save_gates(connection: Connection[Any], changes: Sequence[GateChange], now: datetime) -> None:
    """Write gates back; their rows are locked by `gates`."""
    if changes:
        connection.execute(
            sql.GATES_SAVED,
            (
                TextArray.of([c.code for c in changes]),
                Int4Array.of([c.breaker.failures for c in changes]),
                InstantArray.of([c.breaker.open_until for c in changes]),
                Int4Array.of([c.bucket.tokens for c in changes]),
                InstantArray.of([c.bucket.at for c in changes]),
                BoolArray.of([c.ok for c in changes]),
                TextArray.of([c.error for c in changes]),
                now,
            ),
        )


def claim(
    connection: Connection[Any],
    wants: Sequence[Want],
    owner: str,
    now: datetime,
    limit: int | None = None,
) -> Cursor[Any] | None:
    """Lease lanes that are due, at most `limit`; waits for no lock. `claimed` reads the answer."""
    wants = [w for w in wants if w.room > 0]
    if not wants or limit == 0:
        return None
    return connection.execute(
        sql.CLAIM,
        (
            TextArray.of([w.code for w in wants]),
            Int4Array.of([w.room for w in wants]),
            Int4Array.of([w.bound for w in wants]),
            Int4Array.of([int(w.lease * 1000) for w in wants]),
            now,
            owner,
            limit,
        ),
        binary=True,
    )


def claimed(cursor: Cursor[Any] | None) -> list[Claimed]:
    """Return the heads that `claim` leased."""
    rows = cursor.fetchall() if cursor is not None else []
    return [Claimed(Delivery(*row[:-1]), row[-1]) for row in rows if row[0] is not None]


def lock(connection: Connection[Any], claims: Sequence[Claimed]) -> None:
    """Lock the lanes of claims, in order; before `settle`."""
    if claims:
        connection.execute(
            sql.LOCK,
            (
                TextArray.of([c.delivery.destination for c in claims]),
                TextArray.of([c.delivery.lane for c in claims]),
            ),
        )


def begin(
    connection: Connection[Any], sends: Sequence[Begun], owner: str, now: datetime
) -> Cursor[Any] | None:
    """Write attempts down; `begun` reads which of them may start."""
    if not sends:
        return None
    deliveries = [s.claimed.delivery for s in sends]
    return connection.execute(
        sql.BEGIN,
        (
            UuidArray.of([s.attempt for s in sends]),
            UuidArray.of([d.id for d in deliveries]),
            TextArray.of([d.destination for d in deliveries]),
            TextArray.of([d.lane for d in deliveries]),
            Int8Array.of([s.claimed.fence for s in sends]),
            Int4Array.of([s.n for s in sends]),
            ByteaArray.of([s.sha256 for s in sends]),
            ByteaArray.of([s.request for s in sends]),
            TextArray.of([s.head for s in sends]),
            Int4Array.of([int(s.needed * 1000) for s in sends]),
            BoolArray.of([s.ask for s in sends]),
            owner,
            now,
        ),
        binary=True,
    )


def begun(cursor: Cursor[Any] | None) -> set[UUID]:
    """Return the attempts that may start; the leases of the others are gone or run low."""
    return {row[0] for row in cursor} if cursor is not None else set()


def settle(
    connection: Connection[Any], items: Sequence[Settled], owner: str, now: datetime
) -> None:
    """Write what became of deliveries whose lanes are still ours, and give the lanes back.

    The evidence of their attempts is kept, whether or not the lanes are still ours.
    """
    if not items:
        return
    _record(connection, [i for i in items if i.whole and i.attempt is not None], owner, now)
    deliveries = [item.claimed.delivery for item in items]
    connection.execute(
        sql.SETTLE,
        (
            UuidArray.of([d.id for d in deliveries]),
            TextArray.of([d.destination for d in deliveries]),
            TextArray.of([d.lane for d in deliveries]),
            Int8Array.of([d.seq for d in deliveries]),
            TextArray.of([i.state for i in items]),
            InstantArray.of([i.due for i in items]),
            InstantArray.of([i.ack_due for i in items]),
            Int4Array.of([i.attempts for i in items]),
            TextArray.of([i.code for i in items]),
            TextArray.of([i.error for i in items]),
            TextArray.of([i.reference for i in items]),
            BoolArray.of([i.gone for i in items]),
            TextArray.of(
                [str(d.id) if i.closes else "" for i, d in zip(items, deliveries, strict=True)]
            ),
            Int8Array.of([i.claimed.fence for i in items]),
            owner,
            now,
            UuidArray.of([None if i.whole else i.attempt for i in items]),
            TextArray.of([i.outcome for i in items]),
            Int4Array.of([i.status for i in items]),
            ByteaArray.of([i.response for i in items]),
            TextArray.of([i.detail for i in items]),
        ),
    )


def hand_back(connection: Connection[Any], claims: Sequence[Claimed], owner: str) -> None:
    """Give back lanes that are still ours, with nothing done; after `lock`."""
    if claims:
        connection.execute(
            sql.HAND_BACK,
            (
                TextArray.of([c.delivery.destination for c in claims]),
                TextArray.of([c.delivery.lane for c in claims]),
                Int8Array.of([c.fence for c in claims]),
                owner,
            ),
        )


def _record(
    connection: Connection[Any], items: Sequence[Settled], owner: str, now: datetime
) -> None:
    """Write attempts that have no row yet, because they put nothing on the wire."""
    if items:
        connection.execute(
            sql.ATTEMPT_WHOLE,
            (
                UuidArray.of([i.attempt for i in items]),
                UuidArray.of([i.claimed.delivery.id for i in items]),
                Int4Array.of([i.attempts for i in items]),
                Int8Array.of([i.claimed.fence for i in items]),
                InstantArray.of([i.started_at or now for i in items]),
                TextArray.of([i.outcome for i in items]),
                Int4Array.of([i.status for i in items]),
                ByteaArray.of([i.response for i in items]),
                TextArray.of([i.detail for i in items]),
                owner,
                now,
            ),
        )


def last_sent(connection: Connection[Any], ids: Sequence[UUID]) -> dict[UUID, LastSent]:
    """Return the last send of each delivery that has one."""
    if not ids:
        return {}
    rows = connection.execute(sql.LAST_SENT, (UuidArray.of(list(ids)),), binary=True)
    return {row[0]: LastSent(*row[1:]) for row in rows}


def open_doubts(connection: Connection[Any], ids: Sequence[UUID]) -> dict[UUID, LastSent]:
    """Return the last send in doubt, of each delivery whose doubt was ended by nobody's word."""
    if not ids:
        return {}
    rows = connection.execute(sql.OPEN_DOUBTS, (UuidArray.of(list(ids)),), binary=True)
    return {row[0]: LastSent(*row[1:]) for row in rows}


def owners(connection: Connection[Any]) -> list[str]:
    """Return the names of the workers that have lanes leased."""
    return [row[0] for row in connection.execute(sql.OWNERS)]


def sweep(
    connection: Connection[Any],
    ask_after: Mapping[str, float],
    gone: Sequence[str],
    now: datetime,
) -> tuple[int, int]:
    """Take back leases and acknowledgement clocks that ran out; return how many of each.

    ask_after: destination → seconds until a doubt is worth asking about. gone: workers that have
    surely ended, whose leases need not be waited for.
    """
    leases = connection.execute(
        sql.EXPIRED,
        (
            now,
            TextArray.of(list(ask_after)),
            Int4Array.of([int(seconds * 1000) for seconds in ask_after.values()]),
            TextArray.of(list(gone)),
        ),
    ).rowcount
    late = connection.execute(sql.ACK_EXPIRED, (now,), binary=True)
    return leases, sum(row[0] for row in late)
