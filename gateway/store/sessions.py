"""Sessions of people, logins that were begun at a provider, and whose appeal it is.

Of a cookie or a state only its SHA-256 comes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

_COLUMNS: Final = (
    "id, account, subject, provider, stage, identity, address, created_at, seen_at, ends_at"
)
ADD: Final = f"""
INSERT INTO person_session ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)
"""  # noqa: S608 - our own columns
FIND: Final = f"""
SELECT {_COLUMNS} FROM person_session WHERE id = $1 AND ends_at > $2 AND seen_at > $3
"""  # noqa: S608 - our own columns
SEEN: Final = "UPDATE person_session SET seen_at = $2 WHERE id = $1"
END: Final = "DELETE FROM person_session WHERE id = $1"
END_OTHERS: Final = """
DELETE FROM person_session WHERE (account = $1 OR subject = $2) AND id <> $3
"""
OF_PERSON: Final = f"""
SELECT {_COLUMNS} FROM person_session
WHERE (account = $1 OR subject = $2) AND ends_at > $3 ORDER BY created_at DESC
"""  # noqa: S608 - our own columns
ALL: Final = f"SELECT {_COLUMNS} FROM person_session WHERE ends_at > $1 ORDER BY created_at DESC"  # noqa: S608 - our own columns
SWEEP: Final = "DELETE FROM person_session WHERE ends_at <= $1 OR seen_at <= $2"
SWEEP_STATES: Final = "DELETE FROM login_state WHERE expires_at <= $1"
BEGIN: Final = """
INSERT INTO login_state (id, browser, provider, secret, official, next, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
"""
TAKE: Final = """
DELETE FROM login_state WHERE id = $1
RETURNING browser, provider, secret, official, next, expires_at
"""
OWN: Final = """
INSERT INTO citizen_appeal (subject, external_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
OWNED: Final = """
SELECT external_id FROM citizen_appeal WHERE subject = $1 ORDER BY at DESC, external_id LIMIT $2
"""
OWNS: Final = "SELECT 1 FROM citizen_appeal WHERE subject = $1 AND external_id = $2"
REMARK: Final = """
WITH moved AS (DELETE FROM citizen_appeal WHERE subject = ANY($2::bytea[]) AND subject <> $1
               RETURNING external_id, at)
INSERT INTO citizen_appeal (subject, external_id, at) SELECT $1, external_id, at FROM moved
ON CONFLICT DO NOTHING
"""
"""After the key of digests was changed, a person's appeals go under the new one at his login."""


class Session(NamedTuple):
    """One row of `person_session`."""

    id: bytes
    account: UUID | None
    subject: bytes | None
    provider: str
    stage: str
    identity: bytes | None
    address: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


class Begun(NamedTuple):
    """A login that was begun; it is gone from the table."""

    browser: bytes
    provider: str
    secret: bytes
    official: bool
    next: str
    expires_at: datetime


def add(connection: Connection[Any], made: Session) -> None:
    """Add a session that begins now."""
    connection.execute(
        ADD,
        (
            made.id, made.account, made.subject, made.provider, made.stage, made.identity,
            made.address, made.created_at, made.ends_at,
        ),
    )  # fmt: skip


def find(
    connection: Connection[Any], digest: bytes, now: datetime, seen_after: datetime
) -> Session | None:
    """Return a session that has not ended."""
    row = connection.execute(FIND, (digest, now, seen_after)).fetchone()
    return Session(*row) if row else None


def end(connection: Connection[Any], digest: bytes) -> bool:
    """End one session; say whether there was one."""
    return connection.execute(END, (digest,)).rowcount > 0


def end_others(
    connection: Connection[Any],
    *,
    account: UUID | None = None,
    subject: bytes | None = None,
    keep: bytes = b"",
) -> int:
    """End every session of a person but one; return how many."""
    return connection.execute(END_OTHERS, (account, subject, keep)).rowcount


def of_person(
    connection: Connection[Any], now: datetime, *, account: UUID | None, subject: bytes | None
) -> list[Session]:
    """Return the sessions of a person, the newest first."""
    return [Session(*row) for row in connection.execute(OF_PERSON, (account, subject, now))]


def read_all(connection: Connection[Any], now: datetime) -> list[Session]:
    """Return every session that has not ended, the newest first."""
    return [Session(*row) for row in connection.execute(ALL, (now,))]


def sweep(connection: Connection[Any], now: datetime, seen_after: datetime) -> None:
    """Take away what has ended."""
    connection.execute(SWEEP, (now, seen_after))
    connection.execute(SWEEP_STATES, (now,))


def take(connection: Connection[Any], state: bytes) -> Begun | None:
    """Take out the login of a state: it serves once, whatever becomes of it."""
    row = connection.execute(TAKE, (state,)).fetchone()
    return Begun(*row) if row else None


def owned(connection: Connection[Any], subject: bytes, limit: int) -> Sequence[str]:
    """Return the external ids of a citizen's appeals, the newest first."""
    return [row[0] for row in connection.execute(OWNED, (subject, limit))]


def owns(connection: Connection[Any], subject: bytes, external_id: str) -> bool:
    """Whether an appeal is a citizen's own."""
    return connection.execute(OWNS, (subject, external_id)).fetchone() is not None
