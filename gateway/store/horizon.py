"""How far a list is final: before the horizon of a table no row can appear in it any more.

Every row of a list carries the instant at which the database wrote it (`clock_timestamp()`, never
the clock of a node). A writer locks the table before it writes, until its transaction ends; so a
row that is not seen yet was, or will be, written after the horizon: by a transaction that holds the
lock and began after it, or by one that takes the lock later. Whatever waits in the memory of a
process does not matter: it gets its instant when it is written (docs/adr/0011).
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from gateway.errors import ValidationError, Violation
from gateway.model.base import NIL

if TYPE_CHECKING:
    from psycopg import Connection

HORIZON: Final = """
SELECT least(statement_timestamp(), min(coalesce(a.xact_start, 'epoch')))
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation = $1::text::regclass AND a.state IS DISTINCT FROM 'idle'
"""
"""The statement's start is taken before the locks are read, so a lock that is missed was taken
after it. A session whose start we may not see (`track_activities` off) holds the horizon back."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CHECK_BYTES: Final = 4
_PACKED_BYTES: Final = 8 + 16 + _CHECK_BYTES


class Place(NamedTuple):
    """A place in a list: rows are in the order of the instant they were written, then of id."""

    at: datetime
    id: UUID


START: Final = Place(datetime(1, 1, 2, tzinfo=UTC), NIL)
"""Before every row."""


def of(connection: Connection[Any], table: str) -> datetime:
    """Return the horizon of a table; ask before reading its rows, in a statement of its own."""
    row = connection.execute(HORIZON, (table,)).fetchone()
    assert row is not None
    horizon: datetime = row[0]
    return horizon.astimezone(UTC)


def cursor(peer: str, table: str, place: Place) -> str:
    """Return a place as text that is not mistaken for one of another peer or list."""
    raw = ((place.at - _EPOCH) // _MICROSECOND).to_bytes(8, "big", signed=True) + place.id.bytes
    return base64.b32encode(raw + _check(peer, table, raw)).decode().rstrip("=")


def place(peer: str, table: str, text: str) -> Place:
    """Return the place in a cursor; raise ValidationError for one that we did not give it."""
    try:
        packed = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        packed = b""
    raw, check = packed[:-_CHECK_BYTES], packed[-_CHECK_BYTES:]
    at = _instant(raw[:8])
    if len(packed) != _PACKED_BYTES or check != _check(peer, table, raw) or at is None:
        message = "this cursor was not given by us to this peer for this list"
        raise ValidationError(message, (Violation("Cursor", "cursor", message, text[:200]),))
    return Place(at, UUID(bytes=raw[8:]))


def _instant(raw: bytes) -> datetime | None:
    """Return the instant in a cursor; None for one that no calendar has."""
    try:
        return _EPOCH + _MICROSECOND * int.from_bytes(raw, "big", signed=True)
    except OverflowError:
        return None


def _check(peer: str, table: str, raw: bytes) -> bytes:
    return sha256(f"{peer}\0{table}\0".encode() + raw).digest()[:_CHECK_BYTES]
