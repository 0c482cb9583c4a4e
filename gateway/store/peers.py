"""Peers: the systems and organisations that talk with us, and their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from psycopg.rows import dict_row

from gateway.access import keys
from gateway.errors import ConflictError, NotFoundError
from gateway.model.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection

COLUMNS = """code, name, adapter, role, require, enabled, disabled_at, test, disclosure,
             disclosure_ground, callback_hosts, options"""

ALL = f"SELECT {COLUMNS} FROM peer ORDER BY code"  # noqa: S608 - our own column list
ADD = """
INSERT INTO peer (code, name, adapter, role, require, enabled, test, disclosure, disclosure_ground,
                  callback_hosts, options, created_at)
VALUES ($1, $2, $3, $4, $5, true, $6, $7, $8, $9, $10::jsonb, $11)
ON CONFLICT (code) DO NOTHING RETURNING code
"""
ADD_KEY = """
INSERT INTO credential (id, peer, kind, secret_sha256, created_at) VALUES ($1, $2, 'key', $3, $4)
"""
DISABLE = """
UPDATE peer SET enabled = false, disabled_at = coalesce(disabled_at, $2) WHERE code = $1
RETURNING code
"""
ENABLE = "UPDATE peer SET enabled = true, disabled_at = NULL WHERE code = $1 RETURNING code"
DISABLE_KEYS = """
UPDATE credential SET disabled_at = $2
WHERE peer = $1 AND disabled_at IS NULL AND ($3 = '' OR id = $3)
"""
KEYS = """
SELECT peer, id, created_at, disabled_at FROM credential
WHERE kind = 'key' ORDER BY peer, created_at
"""
OPTIONS = "UPDATE peer SET options = options || $2::jsonb WHERE code = $1 RETURNING code"
HEARD_OF = """
SELECT EXISTS (SELECT FROM peer WHERE code = $1)
    OR EXISTS (SELECT FROM message WHERE peer = $1)
    OR EXISTS (SELECT FROM delivery WHERE destination = $1)
"""
UNSET = "UPDATE peer SET options = options - $2::text[] WHERE code = $1 RETURNING code"


class Key(NamedTuple):
    """A key of a peer without its secret, which nobody has."""

    id: str
    created_at: datetime
    disabled_at: datetime | None


def read_all(connection: Connection[Any]) -> dict[str, Peer]:
    """Return every peer by its code."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return {row["code"]: Peer(**row) for row in cursor.execute(ALL)}


def require(connection: Connection[Any], code: str) -> None:
    """Raise NotFoundError for a code that is no peer's, sent nothing and is owed nothing."""
    row = connection.execute(HEARD_OF, (code,)).fetchone()
    if row is None or not row[0]:
        raise NotFoundError(
            "нет такой системы · no such peer",
            found=code,
            expected=", ".join(read_all(connection)),
            todo="`gateway peer list`",
        )


def add(connection: Connection[Any], peer: Peer, now: datetime) -> None:
    """Add a peer; raise ConflictError when the code is taken."""
    row = connection.execute(
        ADD,
        (
            peer.code, peer.name or peer.code, peer.adapter, peer.role, peer.require, peer.test,
            peer.disclosure, peer.disclosure_ground, list(peer.callback_hosts),
            msgspec.json.encode(peer.options).decode(), now,
        ),
    ).fetchone()  # fmt: skip
    if row is None:
        raise ConflictError(f"there is a peer of this code: {peer.code}")


def new_key(connection: Connection[Any], code: str, now: datetime) -> str:
    """Mint a key for a peer and return its text, which is shown once."""
    if code not in read_all(connection):
        raise NotFoundError("no such peer", found=code, todo="`gateway peer list`")
    minted = keys.mint()
    connection.execute(ADD_KEY, (minted.id, code, minted.secret_sha256, now))
    return minted.text


def keys_of(connection: Connection[Any]) -> dict[str, list[Key]]:
    """Return peer → its keys, oldest first, disabled ones included."""
    found: dict[str, list[Key]] = {}
    for peer, *rest in connection.execute(KEYS):
        found.setdefault(peer, []).append(Key(*rest))
    return found


def disable_key(connection: Connection[Any], code: str, key_id: str, now: datetime) -> None:
    """Disable one key of a peer; raise NotFoundError when it has no such live key."""
    if not key_id or connection.execute(DISABLE_KEYS, (code, now, key_id)).rowcount == 0:
        raise NotFoundError("no such live key", found=key_id, todo="`gateway peer list --json`")


def disable(connection: Connection[Any], code: str, now: datetime) -> None:
    """Disable a peer and all its keys; what it sent stays, and what it is owed (peers.md)."""
    if connection.execute(DISABLE, (code, now)).fetchone() is None:
        raise NotFoundError("no such peer", found=code, todo="`gateway peer list`")
    connection.execute(DISABLE_KEYS, (code, now, ""))


def enable(connection: Connection[Any], code: str) -> None:
    """Enable a peer again: what it is owed goes out. Its keys stay disabled."""
    if connection.execute(ENABLE, (code,)).fetchone() is None:
        raise NotFoundError("no such peer", found=code, todo="`gateway peer list`")


def set_options(connection: Connection[Any], code: str, options: dict[str, Any]) -> None:
    """Merge options into a peer's row."""
    text = msgspec.json.encode(options).decode()
    if connection.execute(OPTIONS, (code, text)).fetchone() is None:
        raise NotFoundError("no such peer", found=code, todo="`gateway peer list`")


def unset_options(connection: Connection[Any], code: str, names: Sequence[str]) -> None:
    """Remove options from a peer's row."""
    if connection.execute(UNSET, (code, list(names))).fetchone() is None:
        raise NotFoundError("no such peer", found=code, todo="`gateway peer list`")
