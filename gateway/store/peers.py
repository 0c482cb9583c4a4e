"""Peers: the systems and organisations that talk with us, and what proves them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from psycopg.errors import UniqueViolation
from psycopg.rows import dict_row

from gateway.access import certificates, keys
from gateway.errors import ConflictError, NotFoundError
from gateway.model.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection

    from gateway.access.certificates import Certificate
    from gateway.access.seals import Seals

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
DISABLE_ALL = "UPDATE credential SET disabled_at = $2 WHERE peer = $1 AND disabled_at IS NULL"
DISABLE_ONE = """
UPDATE credential SET disabled_at = $2
WHERE peer = $1 AND kind = $3 AND id = $4 AND disabled_at IS NULL
"""
ADD_SEALED = """
INSERT INTO credential (id, peer, kind, sealed, created_at) VALUES ($1, $2, 'digest', $3, $4)
"""
ADD_CERTIFICATE = """
INSERT INTO credential (id, peer, kind, der, subject, not_after, created_at)
VALUES ($1, $2, 'certificate', $3, $4, to_timestamp($5), $6)
"""
CERTIFICATES = "SELECT peer, id, der FROM credential WHERE der IS NOT NULL AND disabled_at IS NULL"
SEALED = """
SELECT peer, id, sealed FROM credential WHERE sealed IS NOT NULL AND disabled_at IS NULL
ORDER BY id
"""
SEAL = "UPDATE credential SET sealed = $2 WHERE id = $1"
HELD = """
SELECT peer, id, kind, created_at, disabled_at, subject, not_after,
       coalesce(encode(sha256(der), 'hex'), '')
FROM credential ORDER BY peer, created_at
"""
ASKED = "SELECT code, answers FROM peer"
ASK = """
UPDATE peer SET require = $2, answers = coalesce($3::text, answers) WHERE code = $1 RETURNING code
"""
KEYS = """
SELECT peer, id, created_at, disabled_at FROM credential
WHERE kind = 'key' ORDER BY peer, created_at
"""
OPTIONS = "UPDATE peer SET options = options || $2::jsonb WHERE code = $1 RETURNING code"
HOSTS = "UPDATE peer SET callback_hosts = $2::text[] WHERE code = $1 RETURNING code"
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


class Held(NamedTuple):
    """What a peer can prove itself by, whatever the kind, without anything secret.

    subject, not_after, sha256: of a certificate.
    """

    id: str
    kind: str
    created_at: datetime
    disabled_at: datetime | None
    subject: str
    not_after: datetime | None
    sha256: str


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
    require_there(connection, code)
    minted = keys.mint()
    connection.execute(ADD_KEY, (minted.id, code, minted.secret_sha256, now))
    return minted.text


def keys_of(connection: Connection[Any]) -> dict[str, list[Key]]:
    """Return peer → its keys, oldest first, disabled ones included."""
    found: dict[str, list[Key]] = {}
    for peer, *rest in connection.execute(KEYS):
        found.setdefault(peer, []).append(Key(*rest))
    return found


def new_secret(connection: Connection[Any], code: str, seals: Seals, now: datetime) -> str:
    """Mint a secret for password digests and return its text, which is shown once.

    Raises ConfigurationError without a key to seal it with.
    """
    require_there(connection, code)
    id_, text = secrets.token_hex(5), secrets.token_urlsafe(32)
    values = (id_, code, seals.seal(text.encode(), code, id_), now)
    connection.execute(ADD_SEALED, values)
    return text


def sealed(connection: Connection[Any]) -> list[tuple[str, str, bytes]]:
    """Return peer, id and sealed secret of every live credential for digests."""
    return connection.execute(SEALED).fetchall()


def seal_anew(connection: Connection[Any], seals: Seals) -> tuple[int, list[str]]:
    """Seal every live secret with the key of now; return their number, and peers it failed for."""
    done, failed = 0, []
    for peer, id_, closed in sealed(connection):
        secret = seals.open(closed, peer, id_)
        if secret is None:
            failed.append(peer)
        else:
            connection.execute(SEAL, (id_, seals.seal(secret, peer, id_)))
            done += 1
    return done, failed


def add_certificate(
    connection: Connection[Any], code: str, certificate: Certificate, now: datetime
) -> str:
    """Register a certificate for a peer and return the id of the credential.

    Raises ConflictError for one that is registered, and for one that a signature could name as
    that of another peer.
    """
    require_there(connection, code)
    for peer, id_, der in connection.execute(CERTIFICATES).fetchall():
        other = certificates.read(der)
        if other.der == certificate.der or (peer != code and other.alike(certificate)):
            raise ConflictError(
                f"this certificate, or one of the same key or name, is registered: {peer}, {id_}",
                todo=f"`gateway peer certificate {peer} --disable {id_}`, if it is no more theirs",
            )
    id_ = secrets.token_hex(5)
    values = (id_, code, certificate.der, certificate.subject, certificate.not_after, now)
    try:
        connection.execute(ADD_CERTIFICATE, values)
    except UniqueViolation as error:
        raise ConflictError("this certificate was registered a moment ago") from error
    return id_


def held(connection: Connection[Any]) -> dict[str, list[Held]]:
    """Return peer → what it can prove itself by, oldest first, disabled ones included."""
    found: dict[str, list[Held]] = {}
    for peer, *rest in connection.execute(HELD):
        found.setdefault(peer, []).append(Held(*rest))
    return found


def answers(connection: Connection[Any]) -> dict[str, str]:
    """Return peer → what the answers to it must carry."""
    return dict(connection.execute(ASKED).fetchall())


def ask(connection: Connection[Any], code: str, require: str, answers: str | None = None) -> None:
    """Say what a peer must prove, and what answers to it carry; None leaves that as it is."""
    if connection.execute(ASK, (code, require, answers)).fetchone() is None:
        raise _no_peer(code)


def require_there(connection: Connection[Any], code: str) -> Peer:
    """Return a peer; raise NotFoundError when there is none of this code."""
    found = read_all(connection).get(code)
    if found is None:
        raise _no_peer(code)
    return found


def disable_credential(
    connection: Connection[Any], code: str, kind: str, id_: str, now: datetime
) -> None:
    """Disable one credential of a peer; raise NotFoundError when it has no such live one."""
    if connection.execute(DISABLE_ONE, (code, now, kind, id_)).rowcount == 0:
        raise NotFoundError(f"no such live {kind}", found=id_, todo="`gateway peer list --json`")


def disable_key(connection: Connection[Any], code: str, key_id: str, now: datetime) -> None:
    """Disable one key of a peer; raise NotFoundError when it has no such live key."""
    disable_credential(connection, code, "key", key_id, now)


def disable(connection: Connection[Any], code: str, now: datetime) -> None:
    """Disable a peer and all that proves it; what it sent stays, and what it is owed (peers.md)."""
    if connection.execute(DISABLE, (code, now)).fetchone() is None:
        raise _no_peer(code)
    connection.execute(DISABLE_ALL, (code, now))


def enable(connection: Connection[Any], code: str) -> None:
    """Enable a peer again: what it is owed goes out. What proved it stays disabled."""
    if connection.execute(ENABLE, (code,)).fetchone() is None:
        raise _no_peer(code)


def set_options(connection: Connection[Any], code: str, options: dict[str, Any]) -> None:
    """Merge options into a peer's row."""
    text = msgspec.json.encode(options).decode()
    if connection.execute(OPTIONS, (code, text)).fetchone() is None:
        raise _no_peer(code)


def unset_options(connection: Connection[Any], code: str, names: Sequence[str]) -> None:
    """Remove options from a peer's row."""
    if connection.execute(UNSET, (code, list(names))).fetchone() is None:
        raise _no_peer(code)


def set_callback_hosts(connection: Connection[Any], code: str, hosts: Sequence[str]) -> None:
    """Set the hosts where a peer's answers may go, instead of those that its row names."""
    if connection.execute(HOSTS, (code, list(hosts))).fetchone() is None:
        raise _no_peer(code)


def _no_peer(code: str) -> NotFoundError:
    return NotFoundError("no such peer", found=code, todo="`gateway peer list`")
