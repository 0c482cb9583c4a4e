"""Where we are with the peers that are asked for what they have: cursor, lease, last failure.

One process of all asks a peer at a time: it has the row's lease. A lease that ran out is anybody's;
what was read under it comes again and gets its first receipts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection

CLAIM: Final = """
INSERT INTO source (peer, owner, leased_until, due_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (peer) DO UPDATE SET owner = $2, leased_until = $3
WHERE source.due_at <= $4
  AND (source.leased_until IS NULL OR source.leased_until <= $4 OR source.owner = $2)
RETURNING cursor, failures
"""
KEEP: Final = "UPDATE source SET cursor = $3 WHERE peer = $1 AND owner = $2 RETURNING peer"
SETTLE: Final = """
UPDATE source SET asked_at = $3, due_at = $4, failures = $5, error = $6, leased_until = NULL
WHERE peer = $1 AND owner = $2
"""
LIST: Final = """
SELECT s.peer, s.cursor, s.asked_at, s.due_at, s.failures, s.error, coalesce(p.enabled, false)
FROM source s LEFT JOIN peer p ON p.code = s.peer ORDER BY s.peer
"""
SET: Final = """
INSERT INTO source (peer, cursor, due_at) VALUES ($1, $2, $3)
ON CONFLICT (peer) DO UPDATE SET cursor = $2, due_at = $3, failures = 0, error = ''
"""


class Claim(NamedTuple):
    """A peer that this process may ask now, from where, and how often it has failed in a row."""

    cursor: str
    failures: int


class Standing(NamedTuple):
    """How it stands with one source. error: of the last asking, empty when it went well.

    enabled: of its peer's row; one that is disabled is not asked.
    """

    peer: str
    cursor: str
    asked_at: datetime | None
    due_at: datetime
    failures: int
    error: str
    enabled: bool


def claim(
    connection: Connection[Any], peer: str, owner: str, until: datetime, now: datetime
) -> Claim | None:
    """Take the lease of a peer whose time has come; None when it has not, or another has it."""
    row = connection.execute(CLAIM, (peer, owner, until, now)).fetchone()
    return Claim(*row) if row else None


def keep(connection: Connection[Any], peer: str, owner: str, cursor: str) -> bool:
    """Keep where to go on; False when the lease is another's by now."""
    return connection.execute(KEEP, (peer, owner, cursor)).fetchone() is not None


def settle(
    connection: Connection[Any],
    peer: str,
    owner: str,
    *,
    now: datetime,
    due: datetime,
    failures: int = 0,
    error: str = "",
) -> None:
    """Give the lease back and say when to ask again."""
    connection.execute(SETTLE, (peer, owner, now, due, failures, error.replace("\0", "")[:1000]))


def standing(connection: Connection[Any]) -> list[Standing]:
    """Return how it stands with every source that was ever asked."""
    return [Standing(*row) for row in connection.execute(LIST)]


def set_cursor(connection: Connection[Any], peer: str, cursor: str, now: datetime) -> None:
    """Go on from another place, at once: a person's decision."""
    connection.execute(SET, (peer, cursor, now))
