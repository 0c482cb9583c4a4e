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
    from collections.abc import Iterator
    from datetime import datetime

    from psycopg import Connection

RECORD: Final = """
INSERT INTO reading (id, at, who, role, what, subject, ground, address, correlation)
VALUES ($1, coalesce($2, clock_timestamp()), $3, $4, $5, $6, $7, $8, $9)
"""
LIST: Final = """
SELECT id, at, who, role, what, subject, ground, address, correlation FROM reading
WHERE id >= $1 AND id < $2 AND ($3::text[] IS NULL OR subject = ANY($3)) AND ($4 = '' OR who = $4)
ORDER BY id DESC LIMIT $5
"""
OLD: Final = """
DELETE FROM reading WHERE id IN (SELECT id FROM reading WHERE id < $1 ORDER BY id LIMIT 1000)
"""
END: Final = UUID(int=(1 << 128) - 1)


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
    at: datetime | None,
    who: str,
    role: str,
    what: str,
    subject: str,
    ground: str = "",
    address: str = "",
    correlation: str = "",
) -> UUID:
    """Record a reading durably and return its id; call it before anything is shown.

    connection: of this house, in autocommit, outside of a transaction. at: None for the database's
    own clock. Raises what the database raises: then nothing may be shown.
    """
    id_ = uuid7()
    values = (id_, at, who, role, what, subject, ground, address, correlation)
    connection.execute(RECORD, values)
    return id_


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
    rows = connection.execute(
        LIST,
        (
            lower_bound(since) if since else UUID(int=0),
            lower_bound(until) if until else END,
            list(subjects) or None,
            who,
            limit,
        ),
    )
    for row in rows:
        yield Reading(*row)


def forget(connection: Connection[Any], days: int, now: datetime) -> int:
    """Delete readings older than so many days, 0 for none; return how many went."""
    if not days:
        return 0
    before, count = lower_bound(now - timedelta(days=days)), 0
    while (gone := connection.execute(OLD, (before,)).rowcount) > 0:
        count += gone
    return count
