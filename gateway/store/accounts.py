"""Accounts of people, who is let in by a provider's word, and what happened to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg.rows import class_row

from gateway.errors import ConflictError, NotFoundError
from gateway.model.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.syslog import SecurityEvent

_COLUMNS: Final = """id, login, name, organisation, roles, password, must_change, password_until,
 totp, totp_step, recovery, subject, provider, failures, locked_until, enabled, created_at, seen_at
"""
BY_LOGIN: Final = f"SELECT {_COLUMNS} FROM account WHERE login = $1"  # noqa: S608 - our own columns
BY_ID: Final = f"SELECT {_COLUMNS} FROM account WHERE id = $1"  # noqa: S608 - our own columns
BY_SUBJECT: Final = f"SELECT {_COLUMNS} FROM account WHERE subject = ANY($1::bytea[])"  # noqa: S608 - our own columns
ALL: Final = f"SELECT {_COLUMNS} FROM account ORDER BY login"  # noqa: S608 - our own columns
ADD: Final = """
INSERT INTO account (id, login, name, organisation, roles, password, must_change, password_until,
                     subject, provider, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING RETURNING id
"""
ATTEMPT: Final = """
UPDATE account SET failures = failures + 1,
  locked_until = CASE WHEN failures + 1 < $3 THEN NULL ELSE
    $2::timestamptz + make_interval(secs => least($5, $4 * 2 ^ (failures + 1 - $3))) END
WHERE id = $1 AND enabled AND (locked_until IS NULL OR locked_until <= $2) RETURNING failures
"""
"""Counted before the password is looked at, so that guesses side by side are counted too. No row:
there is no such account, it is disabled, or it is locked."""
SUCCEEDED: Final = """
UPDATE account SET failures = 0, locked_until = NULL, seen_at = $2 WHERE id = $1
"""
SET_PASSWORD: Final = """
UPDATE account SET password = $2, must_change = $3, password_until = $4, failures = 0,
       locked_until = NULL
WHERE id = $1
"""  # noqa: S105 - it is SQL
REHASHED: Final = "UPDATE account SET password = $3 WHERE id = $1 AND password = $2"
ENROL: Final = "UPDATE account SET totp = $2, totp_step = $3, recovery = $4 WHERE id = $1"
USE_STEP: Final = """
UPDATE account SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING id
"""
USE_RECOVERY: Final = """
UPDATE account SET recovery = array_remove(recovery, $2) WHERE id = $1 AND $2 = ANY(recovery)
RETURNING id
"""
BIND: Final = "UPDATE account SET subject = $2, provider = $3 WHERE id = $1"
GRANT: Final = "UPDATE account SET roles = $2, organisation = $3 WHERE id = $1"
ENABLE: Final = "UPDATE account SET enabled = $2 WHERE id = $1"
UNLOCK: Final = "UPDATE account SET failures = 0, locked_until = NULL WHERE id = $1"
MEMBERS: Final = f"""
SELECT {_COLUMNS} FROM account
WHERE provider = $1 AND organisation = $2 AND starts_with(login, $1 || ':')
"""  # noqa: S608 - our own columns
PARENTS: Final = "SELECT id, parent FROM organisation WHERE parent <> ''"
BINDINGS: Final = """
SELECT provider, external, role, organisation, roles FROM account_binding
ORDER BY provider, external, role
"""
LET_IN: Final = """
INSERT INTO account_binding (provider, external, role, organisation, roles, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (provider, external, role) DO UPDATE SET organisation = $4, roles = $5
"""
SHUT_OUT: Final = """
DELETE FROM account_binding WHERE provider = $1 AND external = $2 AND role = $3 RETURNING role
"""
TELL: Final = """
INSERT INTO access_event (id, at, kind, who, address, what, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
TOLD: Final = """
SELECT at, kind, who, address, what, reason FROM access_event
WHERE at >= $1 AND ($2 = '' OR who = $2 OR what = $2) ORDER BY at DESC, id DESC LIMIT $3
"""
FORGET_TOLD: Final = "DELETE FROM access_event WHERE at < $1"


class Account(NamedTuple):
    """One row of `account`, which says what each column means."""

    id: UUID
    login: str
    name: str
    organisation: str
    roles: list[str]
    password: str
    must_change: bool
    password_until: datetime | None
    totp: bytes | None
    totp_step: int
    recovery: list[bytes]
    subject: bytes | None
    provider: str
    failures: int
    locked_until: datetime | None
    enabled: bool
    created_at: datetime
    seen_at: datetime | None


class Binding(NamedTuple):
    """Who is let in by a provider's word: members of an organisation with a role, `*` for any."""

    provider: str
    external: str
    role: str
    organisation: str
    roles: list[str]


class Told(NamedTuple):
    """A security event that was written."""

    at: datetime
    kind: str
    who: str
    address: str
    what: str
    reason: str


def _one(connection: Connection[Any], statement: str, value: object) -> Account | None:
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(statement, (value,)).fetchone()


def by_login(connection: Connection[Any], login: str) -> Account | None:
    """Return the account of a login, in the spelling of `fold_login`."""
    return _one(connection, BY_LOGIN, login)


def by_id(connection: Connection[Any], account: UUID) -> Account | None:
    """Return an account."""
    return _one(connection, BY_ID, account)


def by_subject(connection: Connection[Any], marks: Sequence[bytes]) -> Account | None:
    """Return the account that is bound to a person. marks: his id under each key in force."""
    return _one(connection, BY_SUBJECT, list(marks))


def require(connection: Connection[Any], login: str) -> Account:
    """Return the account of a login; raise NotFoundError."""
    found = by_login(connection, login)
    if found is None:
        raise NotFoundError(
            "нет такой учётной записи · no such account",
            found=login,
            todo="`gateway access list`",
        )
    return found


def read_all(connection: Connection[Any]) -> list[Account]:
    """Return every account by login."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(ALL).fetchall()


def add(
    connection: Connection[Any],
    login: str,
    now: datetime,
    *,
    name: str = "",
    organisation: str = "",
    roles: Sequence[str] = (),
    password: str = "",
    password_until: datetime | None = None,
    subject: bytes | None = None,
    provider: str = "",
) -> UUID:
    """Add an account; raise ConflictError when its login or its person has one.

    password: PHC string; one that was made by us has an end and must be changed.
    """
    made = uuid7()
    row = connection.execute(
        ADD,
        (
            made, login, name, organisation, list(roles), password, password_until is not None,
            password_until, subject, provider, now,
        ),
    ).fetchone()  # fmt: skip
    if row is None:
        known = by_subject(connection, (subject,)) if subject else None
        name = known.login if known else login
        message = (
            f"этот человек уже есть, логин {name} · this person has an account, {name}"
            if known
            else "такая учётная запись уже есть · there is such an account"
        )
        todo = f"`gateway access list`; `gateway access role {name}` changes what it may do"
        raise ConflictError(message, todo=todo)
    return made


def parents(connection: Connection[Any]) -> dict[str, str]:
    """Return body → the body it belongs to, of the whole directory."""
    return dict(connection.execute(PARENTS).fetchall())


def bindings(connection: Connection[Any]) -> list[Binding]:
    """Return who is let in by a provider's word."""
    return [Binding(*row) for row in connection.execute(BINDINGS)]


def members(connection: Connection[Any], provider: str, organisation: str) -> list[Account]:
    """Return the accounts that a provider's word made for people of an organisation of ours."""
    with connection.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(MEMBERS, (provider, organisation)).fetchall()


def tell(connection: Connection[Any], event: SecurityEvent) -> None:
    """Write a security event."""
    connection.execute(
        TELL,
        (
            uuid7(), event.at, event.kind, _text(event.who), _text(event.address),
            _text(event.what), _text(event.reason),
        ),
    )  # fmt: skip


def told(connection: Connection[Any], since: datetime, who: str, limit: int) -> list[Told]:
    """Return security events, the newest first. who: by whom or about whom, empty for all."""
    return [Told(*row) for row in connection.execute(TOLD, (since, who, limit))]


def _text(given: str) -> str:
    return given.replace("\0", "\N{REPLACEMENT CHARACTER}")[:300]
