"""The register of who saw personal data, when, and on what ground (152-ФЗ art. 19).

A row is durable before anything is shown: a reading that cannot be recorded does not happen. That
holds for peers' calls too; it costs each of them one insert, and those that run side by side share
the flush of the database's log.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from gateway.model.ids import uuid7
from gateway.store.partitions import lower_bound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from psycopg import Connection

RECORD: Final = """
INSERT INTO reading (id, at, who, role, what, subject, ground, address, correlation)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
RECORD_EACH: Final = """
INSERT INTO reading (id, at, who, role, what, subject, ground, address, correlation)
SELECT i.id, clock_timestamp(), $2, $3, $4, i.subject, '', $5, $6
FROM unnest($1::uuid[], $7::text[]) AS i (id, subject)
"""
LIST: Final = """
SELECT id, at, who, role, what, subject, ground, address, correlation FROM reading
WHERE id >= $1 AND id < $2 AND ($3::text[] IS NULL OR subject = ANY($3)) AND ($4 = '' OR who = $4)
ORDER BY id DESC LIMIT $5
"""
SENT: Final = """
SELECT a.id, a.started_at, 'peer:' || d.destination, d.kind, 'sent:' || d.event_type,
       $6, '', '', ''
FROM delivery d
JOIN attempt a ON a.delivery_id = d.id AND a.request_sha256 IS NOT NULL
WHERE d.appeal_id = $3 AND a.id >= $1 AND a.id < $2 AND ($4 = '' OR 'peer:' || d.destination = $4)
ORDER BY a.id DESC LIMIT $5
"""
"""What left the house of an appeal, by the attempts: written down before the first byte went."""
OLD: Final = """
DELETE FROM reading WHERE id IN (SELECT id FROM reading WHERE id < $1 ORDER BY id LIMIT 1000)
"""
END: Final = UUID(int=(1 << 128) - 1)


class Origin(NamedTuple):
    """Where a call came from: the network address of its caller, the id of the call."""

    address: str = ""
    correlation: str = ""


class Reading(NamedTuple):
    """One reading. who: a login, or `peer:<code>`; subject: receipt number, message or file."""

    id: UUID
    at: datetime
    who: str
    role: str
    what: str
    subject: str
    ground: str
    address: str
    correlation: str


def record(
    connection: Connection[Any],
    *,
    at: datetime,
    who: str,
    role: str,
    what: str,
    subject: str,
    ground: str = "",
    address: str = "",
    correlation: str = "",
) -> UUID:
    """Record a reading durably and return its id; call it before anything is shown.

    connection: of this house, in autocommit, outside of a transaction. Raises what the database
    raises: then nothing may be shown.
    """
    id_ = uuid7()
    values = (id_, at, who, role, what, subject, ground, address, correlation)
    connection.execute(RECORD, values)
    return id_


def record_call(
    connection: Connection[Any],
    *,
    peer: str,
    role: str,
    what: str,
    subjects: Collection[str],
    origin: Origin,
) -> None:
    """Record durably that a peer's call is given personal data of these; before it is, as `record`.

    what: the operation of the contract. One statement, however many subjects.
    """
    if subjects:
        ids = [uuid7() for _ in subjects]
        values = (ids, f"peer:{peer}", role, what, *origin, list(subjects))
        connection.execute(RECORD_EACH, values)


def listed(
    connection: Connection[Any],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    subjects: tuple[str, ...] = (),
    who: str = "",
    limit: int = 1_000,
) -> Iterator[Reading]:
    """Yield readings, the newest first; empty filters filter nothing."""
    values = (*_between(since, until), list(subjects) or None, who, limit)
    for row in connection.execute(LIST, values):
        yield Reading(*row)


def sent(
    connection: Connection[Any],
    appeal: UUID,
    subject: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    who: str = "",
    limit: int = 1_000,
) -> Iterator[Reading]:
    """Yield what was sent of an appeal as readings by whom it was sent to, the newest first.

    subject: its receipt number. role: by which channel; an attempt that failed may have been read
    all the same.
    """
    values = (*_between(since, until), appeal, who, limit, subject)
    for row in connection.execute(SENT, values):
        yield Reading(*row)


def _between(since: datetime | None, until: datetime | None) -> tuple[UUID, UUID]:
    """Return the ids between two instants; they begin with the time."""
    return lower_bound(since) if since else UUID(int=0), lower_bound(until) if until else END


def forget(connection: Connection[Any], days: int, now: datetime) -> int:
    """Delete readings older than so many days, 0 for none; return how many went."""
    if not days:
        return 0
    before, count = lower_bound(now - timedelta(days=days)), 0
    while (gone := connection.execute(OLD, (before,)).rowcount) > 0:
        count += gone
    return count
