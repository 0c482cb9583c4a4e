"""Both sides as rows of temporary tables, joined by PostgreSQL; what is owed, read in pages.

A million rows a side are sorted on disk by the database, so this process holds one page of each.
Functions run on one connection of this house, whose session owns the temporary tables.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import psycopg

from gateway.adapter import RemoteState
from gateway.dispatch.verdict import clean
from gateway.reconcile.compare import Ours, Pair
from gateway.reconcile.standing import Told
from gateway.store.arrays import BoolArray, ByteaArray, TextArray, UuidArray
from gateway.store.lanes import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

PAIRS_AT_ONCE: Final = 1_000
EXCEPTION_CHARS: Final = 300

MADE: Final = (
    """CREATE TEMP TABLE reconcile_theirs (
         organisation text NOT NULL, number_key text NOT NULL, inside bool NOT NULL,
         doc bytea NOT NULL)""",
    """CREATE TEMP TABLE reconcile_scope (
         appeal_id uuid PRIMARY KEY, by_number bool NOT NULL, through uuid)""",
    """CREATE TEMP TABLE reconcile_ours (
         organisation text NOT NULL, number_key text NOT NULL, appeal_id uuid NOT NULL,
         doc bytea NOT NULL)""",
)
GONE: Final = "DROP TABLE IF EXISTS reconcile_theirs, reconcile_scope, reconcile_ours"

SCOPE: Final = """
INSERT INTO reconcile_scope
SELECT d.appeal_id, false,
  CASE WHEN bool_and(d.through IS NOT NULL) THEN (array_agg(d.through))[1] END
FROM delivery d
WHERE d.destination = $1 AND d.kind = 'push' AND d.appeal_id IS NOT NULL AND d.state <> 'skipped'
  AND ((d.created_at >= $2 AND d.created_at < $3) OR (d.changed_at >= $2 AND d.changed_at < $3))
GROUP BY d.appeal_id
"""
"""Appeals about which this peer was told, or was to be told, within the window. through: its own
appeal, when that is all that ties it to this one (`delivery.through`)."""

EARLIEST: Final = """
SELECT min(d.created_at) FROM reconcile_scope s
JOIN delivery d ON d.appeal_id = s.appeal_id AND d.destination = $1
"""
"""Since when the peer may have them: its list must be asked from there, not from the window."""

SCOPE_BY_NUMBER: Final = """
INSERT INTO reconcile_scope
SELECT n.appeal_id, true,
  CASE WHEN bool_and(d.through IS NOT NULL) THEN (array_agg(d.through))[1] END
FROM reconcile_theirs t
CROSS JOIN LATERAL (
  SELECT r.appeal_id FROM registration r WHERE r.number_key = t.number_key
  UNION
  SELECT x.appeal_id FROM external_ref x
  WHERE x.value_key = t.number_key AND x.kind IN ('registration', 'letter', 'urog_number')
) n
JOIN delivery d ON d.appeal_id = n.appeal_id AND d.destination = $1 AND d.kind = 'push'
               AND d.state <> 'skipped'
WHERE t.inside AND t.number_key <> ''
GROUP BY n.appeal_id
ON CONFLICT (appeal_id) DO NOTHING
"""
"""Appeals that the peer changed within the window, though we told it nothing then."""

PAGE: Final = """
SELECT s.appeal_id, s.by_number, a.receipt_number, s.through
FROM reconcile_scope s JOIN appeal a ON a.id = s.appeal_id
WHERE $1::uuid IS NULL OR s.appeal_id > $1 ORDER BY s.appeal_id LIMIT $2
"""

TOLD: Final = """
SELECT d.appeal_id, d.id, d.lane, d.event_seq, d.event_type, d.state, d.created_at, d.changed_at,
       d.may_reach_citizen, d.test, d.error, d.payload_sha256,
       (SELECT max(a.started_at) FROM attempt a
        WHERE a.delivery_id = d.id AND a.request_sha256 IS NOT NULL), d.through
FROM delivery d
WHERE d.appeal_id = ANY($1::uuid[]) AND d.destination = $2 AND d.kind = 'push'
ORDER BY d.appeal_id, d.seq, d.id
"""

DOUBTS: Final = """
SELECT d.id, d.destination, d.lane, d.seq, d.kind, d.appeal_id, d.event_seq, d.event_type, d.state,
       d.attempts, d.created_at, d.may_reach_citizen, d.test, d.payload_sha256, d.through,
       coalesce((SELECT a.receipt_number FROM appeal a WHERE a.id = d.appeal_id), '')
FROM delivery d
WHERE d.destination = $1 AND d.state = 'unknown' AND d.kind = 'push'
  AND ((d.created_at >= $2 AND d.created_at < $3) OR (d.changed_at >= $2 AND d.changed_at < $3))
ORDER BY d.id
"""

PAIRS: Final = """
SELECT o.docs, t.docs, coalesce(t.inside, false),
  o.docs IS NULL AND EXISTS (
    SELECT FROM expectation e
    WHERE e.number_key = t.number_key AND e.peer = $1 AND lower(e.organisation) = t.organisation),
  CASE WHEN o.docs IS NULL THEN coalesce(
    (SELECT r.appeal_id FROM registration r
     WHERE r.number_key = t.number_key AND r.annulled_at IS NULL LIMIT 1),
    (SELECT x.appeal_id FROM external_ref x
     WHERE x.value_key = t.number_key AND x.kind IN ('registration', 'letter', 'urog_number')
     LIMIT 1)) END
FROM (
  SELECT organisation, number_key, array_agg(doc ORDER BY appeal_id) AS docs
  FROM reconcile_ours GROUP BY 1, 2
) o FULL JOIN (
  SELECT organisation, number_key, array_agg(doc) AS docs, bool_or(inside) AS inside
  FROM reconcile_theirs WHERE number_key <> '' GROUP BY 1, 2
) t ON t.organisation = o.organisation AND t.number_key = o.number_key
WHERE o.docs IS NOT NULL OR t.inside
ORDER BY coalesce(o.organisation, t.organisation), coalesce(o.number_key, t.number_key)
"""
"""The two registers side by side, by body and folded number."""

UNREADABLE: Final = "SELECT doc FROM reconcile_theirs WHERE number_key = ''"

_STATE = msgspec.json.Decoder(RemoteState)
_OURS = msgspec.json.Decoder(Ours)
_encode = msgspec.json.Encoder().encode


class Scoped(NamedTuple):
    """An appeal to be compared; by_number: only because the peer's list named it.

    through: the peer's own appeal, when it is told of this one only for that being merged into it.
    """

    appeal_id: UUID
    by_number: bool
    receipt: str
    through: UUID | None = None


class Doubt(NamedTuple):
    """A delivery in doubt, with the receipt number of its appeal."""

    delivery: Delivery
    receipt: str


@contextmanager
def staging(connection: Connection[Any]) -> Iterator[None]:
    """Make the temporary tables and drop them at the end."""
    connection.execute(GONE)
    for statement in MADE:
        connection.execute(statement)  # type: ignore[call-overload,unused-ignore]
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(GONE)


def scope(
    connection: Connection[Any], peer: str, start: datetime, end: datetime
) -> datetime | None:
    """Choose the appeals to compare; return since when the peer may know the first of them."""
    connection.execute(SCOPE, (peer, start, end))
    row = connection.execute(EARLIEST, (peer,)).fetchone()
    return row[0] if row else None


def keep_theirs(
    connection: Connection[Any], states: Sequence[RemoteState], start: datetime, end: datetime
) -> None:
    """Stage rows of the peer's list; what of them changed in [start, end) is what we look at."""
    tidied = [tidy(state) for state in states]
    connection.execute(
        "INSERT INTO reconcile_theirs SELECT * FROM "
        "unnest($1::text[], $2::text[], $3::bool[], $4::bytea[])",
        (
            TextArray.of([s.organisation.lower() for s in tidied]),
            TextArray.of([s.key_folded for s in tidied]),
            BoolArray.of([s.modified_at is None or start <= s.modified_at < end for s in tidied]),
            ByteaArray.of([_encode(s) for s in tidied]),
        ),
    )


def tidy(state: RemoteState) -> RemoteState:
    """Return a row that the store takes, without the raw bytes, which hold personal data."""
    return msgspec.structs.replace(
        state,
        key=clean(state.key, 500),
        key_folded=clean(state.key_folded, 500),
        organisation=clean(state.organisation, 500),
        states={clean(name, 200): clean(word, 200) for name, word in state.states.items()},
        digest=clean(state.digest, 200),
        reported_on=clean(state.reported_on, 50),
        exception_message=clean(state.exception_message, EXCEPTION_CHARS),
        raw=b"",
    )


def scope_by_number(connection: Connection[Any], peer: str) -> int:
    """Add the appeals that the peer's list names; return how many are to be compared."""
    for table in ("reconcile_theirs", "reconcile_scope"):
        connection.execute(f"ANALYZE {table}".encode())
    connection.execute(SCOPE_BY_NUMBER, (peer,))
    row = connection.execute("SELECT count(*) FROM reconcile_scope").fetchone()
    return int(row[0]) if row else 0


def pages(connection: Connection[Any], size: int) -> Iterator[list[Scoped]]:
    """Yield the appeals to compare, a page at a time."""
    after: UUID | None = None
    while rows := connection.execute(PAGE, (after, size)).fetchall():
        yield [Scoped(*row) for row in rows]
        after = rows[-1][0]


def told(connection: Connection[Any], peer: str, ids: Sequence[UUID]) -> dict[UUID, list[Told]]:
    """Return the deliveries of appeals to a peer, in the order they were owed."""
    found: dict[UUID, list[Told]] = {}
    for row in connection.execute(TOLD, (UuidArray.of(list(ids)), peer), binary=True):
        found.setdefault(row[0], []).append(Told(*row))
    return found


def doubts(connection: Connection[Any], peer: str, start: datetime, end: datetime) -> list[Doubt]:
    """Return the deliveries in doubt, the oldest first."""
    rows = connection.execute(DOUBTS, (peer, start, end), binary=True)
    return [Doubt(Delivery(*row[:-1]), row[-1]) for row in rows]


def keep_ours(connection: Connection[Any], items: Sequence[Ours]) -> None:
    """Stage what we believe."""
    connection.execute(
        "INSERT INTO reconcile_ours SELECT * FROM "
        "unnest($1::text[], $2::text[], $3::uuid[], $4::bytea[])",
        (
            TextArray.of([o.expected.organisation.lower() for o in items]),
            TextArray.of([o.expected.key_folded for o in items]),
            UuidArray.of([o.appeal for o in items]),
            ByteaArray.of([_encode(o) for o in items]),
        ),
    )


def unreadable(connection: Connection[Any]) -> list[RemoteState]:
    """Return the rows of the peer's list that could not be read."""
    return [_STATE.decode(row[0]) for row in connection.execute(UNREADABLE, binary=True)]


def pairs(connection: Connection[Any], peer: str) -> Iterator[list[Pair]]:
    """Yield both sides under each number, some at a time; within the caller's transaction."""
    connection.execute("ANALYZE reconcile_ours")
    with psycopg.RawServerCursor(connection, "reconcile_pairs") as cursor:
        cursor.execute(PAIRS, (peer,), binary=True)
        while rows := cursor.fetchmany(PAIRS_AT_ONCE):
            yield [
                Pair(
                    ours=[_OURS.decode(doc) for doc in mine or ()],
                    theirs=[_STATE.decode(doc) for doc in other or ()],
                    inside=inside,
                    awaited=awaited,
                    linked=linked,
                )
                for mine, other, inside, awaited, linked in rows
            ]
