"""What came in, for engineers: lists, one message with everything that followed, replay.

Time windows are ranges of the uuid7 key, so that a list looks into the months it needs only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from psycopg.rows import namedtuple_row

from gateway.errors import NotFoundError, ValidationError
from gateway.store import blobs as blob_store
from gateway.store.arrays import UuidArray
from gateway.store.partitions import lower_bound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from gateway.store.blobs import BlobDirectory

COLUMNS = """
m.id, m.recorded_at, m.peer, m.wire, m.operation, m.key, m.revision, m.correlation, m.media_type,
m.stage, m.note, m.appeal_id, m.body_sha256, coalesce(octet_length(m.body), 0) AS size, m.blob,
a.receipt_number, a.external_id, a.state, w.parked, w.attempts, w.due, w.error
"""

LIST = f"""
SELECT {COLUMNS},
  (SELECT string_agg(s.state || ' ' || s.n, ', ' ORDER BY s.state) FROM (
     SELECT d.state, count(*) AS n FROM event e
     JOIN delivery d ON d.appeal_id = e.appeal_id AND d.event_seq = e.seq
     WHERE e.appeal_id = m.appeal_id AND e.message_id = m.id GROUP BY d.state) s) AS deliveries
FROM message m
LEFT JOIN appeal a ON a.id = m.appeal_id
LEFT JOIN work w ON w.message_id = m.id
WHERE m.id >= $1 AND m.id < $2
  AND ($3 = '' OR m.peer = $3)
  AND ($4 = '' OR m.stage = $4)
  AND ($5 = '' OR m.correlation = $5)
  AND ($6::uuid[] IS NULL OR m.appeal_id = ANY($6) OR m.id = ANY($7::uuid[]))
ORDER BY m.id DESC LIMIT $8
"""  # noqa: S608 - our own column list

ONE = f"""
SELECT {COLUMNS} FROM message m
LEFT JOIN appeal a ON a.id = m.appeal_id
LEFT JOIN work w ON w.message_id = m.id
WHERE m.id = $1
"""  # noqa: S608 - our own column list

LEDGER = """
SELECT l.message_id, l.appeal_id
FROM peer p
CROSS JOIN unnest(ARRAY['appeal', 'amend', 'status', 'answer', 'withdraw', 'attach', 'expect']) AS k
JOIN ledger l ON l.peer = p.code AND l.kind = k AND l.key = $1
WHERE $2 = '' OR p.code = $2
"""

BODY = "SELECT body, blob FROM message WHERE id = $1"

EVENTS = """
SELECT e.seq, e.type, e.recorded_at, convert_from(e.body, 'UTF8')::jsonb AS body
FROM event e WHERE e.appeal_id = $1 AND e.message_id = $2 ORDER BY e.seq
"""

DELIVERIES = """
SELECT d.id, d.destination, d.kind, d.event_seq, d.event_type, d.state, d.attempts, d.due,
       d.changed_at, d.reference, d.error_code, d.error
FROM delivery d JOIN event e ON e.appeal_id = d.appeal_id AND e.seq = d.event_seq
WHERE d.appeal_id = $1 AND e.message_id = $2 ORDER BY d.id
"""

WAITING = """
SELECT m.id FROM message m
WHERE m.stage = $1 AND ($2 = '' OR m.peer = $2)
  AND NOT coalesce(m.note ?| ARRAY['replayed_as', 'erased'], false)
ORDER BY m.id
"""

UNPARK = """
WITH freed AS (
  UPDATE work SET parked = false, attempts = 0, error = '', due = $2
  WHERE message_id = ANY($1::uuid[]) AND parked RETURNING message_id
)
UPDATE message m SET stage = 'accepted', note = coalesce(m.note, '{}') || jsonb_build_object(
  'unparked_at', $2::timestamptz)
FROM freed f WHERE m.id = f.message_id RETURNING m.id
"""

REPLAYED = """
UPDATE message SET note = coalesce(note, '{}') || jsonb_build_object(
  'replayed_as', $2::text[], 'replayed_at', $3::timestamptz) WHERE id = $1
"""

REPLAY_OF = """
UPDATE message SET note = coalesce(note, '{}') || jsonb_build_object('replay_of', $2::text)
WHERE id = ANY($1::uuid[])
"""

END = UUID(int=(1 << 128) - 1)


class Filter(NamedTuple):
    """Which messages to list; empty fields filter nothing. appeals, ids: either may match."""

    since: datetime | None = None
    until: datetime | None = None
    peer: str = ""
    stage: str = ""
    correlation: str = ""
    appeals: tuple[UUID, ...] | None = None
    ids: tuple[UUID, ...] = ()


def listed(connection: Connection[Any], wanted: Filter, limit: int) -> list[Any]:
    """Return messages, newest first, each with what became of it in every room."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(
            LIST,
            (
                lower_bound(wanted.since) if wanted.since else UUID(int=0),
                lower_bound(wanted.until) if wanted.until else END,
                wanted.peer,
                wanted.stage,
                wanted.correlation,
                None if wanted.appeals is None else UuidArray.of(wanted.appeals),
                UuidArray.of(wanted.ids),
                limit,
            ),
        ).fetchall()


def by_key(
    connection: Connection[Any], key: str, peer: str = ""
) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """Return messages and appeals whose idempotency key, or external id, is this one."""
    rows = connection.execute(LEDGER, (key, peer)).fetchall()
    return tuple(row[0] for row in rows), tuple(row[1] for row in rows if row[1])


def one(connection: Connection[Any], message_id: UUID) -> Any:
    """Return one message without its body; raise NotFoundError."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        row = cursor.execute(ONE, (message_id,)).fetchone()
    if row is None:
        raise NotFoundError("no such message", found=str(message_id), todo="`gateway messages`")
    return row


def beside(row: Any) -> Mapping[str, str]:
    """Return what was kept of a call besides its body: keys and numbers of headers and path."""
    told: Mapping[str, str] = (row.note or {}).get("beside", {})
    return told


def cut(row: Any) -> int:
    """Return how many bytes a message had of which only the beginning was kept, 0 for a whole."""
    told = (row.note or {}).get("cut") or {}
    return int(told.get("size") or 0)


def require_whole(row: Any) -> None:
    """Raise ValidationError for a message of which only the beginning was kept."""
    size = cut(row)
    if size:
        raise ValidationError(
            "от сообщения сохранено только начало: отправитель исчерпал дневной объём отклонённых ·"
            " only the beginning of this message was kept: its sender's refused messages were too"
            f" many that day; it had {size} bytes",
            todo="попросите отправить снова · ask the sender to send it again",
        )


def body(connection: Connection[Any], blobs: BlobDirectory, message_id: UUID) -> bytes:
    """Return a message exactly as it was received, from its row or from the blobs."""
    row = connection.execute(BODY, (message_id,)).fetchone()
    if row is None:
        raise NotFoundError("no such message", found=str(message_id))
    if row[0] is not None:
        return bytes(row[0])
    if row[1] is None:
        raise NotFoundError(
            "содержание стёрто · the content of this message was erased", found=str(message_id)
        )
    digest = bytes(row[1])
    try:
        return blob_store.read(connection, blobs, digest)
    except NotFoundError:
        return blobs.get(digest)


def events(connection: Connection[Any], appeal_id: UUID, message_id: UUID) -> list[Any]:
    """Return the events that a message became."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(EVENTS, (appeal_id, message_id)).fetchall()


def deliveries(connection: Connection[Any], appeal_id: UUID, message_id: UUID) -> list[Any]:
    """Return the deliveries that those events owed."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(DELIVERIES, (appeal_id, message_id)).fetchall()


def waiting(connection: Connection[Any], stage: str, peer: str = "") -> list[UUID]:
    """Return messages at a stage that were not replayed yet, oldest first."""
    return [row[0] for row in connection.execute(WAITING, (stage, peer))]


def unpark(connection: Connection[Any], ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Put parked messages back on the queue of triage; return those that were parked."""
    return [row[0] for row in connection.execute(UNPARK, (UuidArray.of(list(ids)), now))]


def replayed(
    connection: Connection[Any],
    old: UUID,
    new: Sequence[UUID],
    fresh: Sequence[UUID],
    now: datetime,
) -> None:
    """Tie a message to those it was replayed as; fresh: those of them that this replay made."""
    with connection.transaction():
        connection.execute(REPLAYED, (old, [str(each) for each in new], now))
        if fresh:
            connection.execute(REPLAY_OF, (UuidArray.of(list(fresh)), str(old)))
