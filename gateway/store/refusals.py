"""Calls that were refused before their content was looked at, for those who ask why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from gateway.store.partitions import lower_bound

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

LIST = """
SELECT id, at, peer, address, path, code, reason, correlation FROM refusal
WHERE id >= $1 AND id < $2 AND ($3 = '' OR peer = $3) AND ($4 = '' OR correlation = $4)
ORDER BY id DESC LIMIT $5
"""
END = UUID(int=(1 << 128) - 1)


class Refusal(NamedTuple):
    """One refused call. peer: the code it named, be there such a peer or not."""

    id: UUID
    at: datetime
    peer: str
    address: str
    path: str
    code: str
    reason: str
    correlation: str


class Filter(NamedTuple):
    """Which refusals to list; empty fields filter nothing."""

    since: datetime | None = None
    until: datetime | None = None
    peer: str = ""
    correlation: str = ""


def listed(connection: Connection[Any], wanted: Filter, limit: int) -> list[Refusal]:
    """Return refused calls, the newest first."""
    rows = connection.execute(
        LIST,
        (
            lower_bound(wanted.since) if wanted.since else UUID(int=0),
            lower_bound(wanted.until) if wanted.until else END,
            wanted.peer,
            wanted.correlation,
            limit,
        ),
    )
    return [Refusal(*row) for row in rows]
