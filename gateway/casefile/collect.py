"""Reads what proves the story of one appeal out of the store, at the level that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from psycopg.rows import namedtuple_row

from gateway.casefile.package import canonical
from gateway.disclosure import Level
from gateway.errors import GatewayError
from gateway.store import blobs as blob_store
from gateway.store import messages, sealed, seals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from gateway.store.blobs import BlobDirectory

HEAD: Final = """
SELECT id, receipt_number, head_seq, head_hash, state, peer, external_id FROM appeal WHERE id = $1
"""
EVENTS: Final = """
SELECT appeal_id, seq, type, recorded_at, message_id, body, prev, hash FROM event
WHERE appeal_id = $1 ORDER BY seq
"""
CONTENTS: Final = """
SELECT id, digest, salt, bytes, retention, erased_at FROM content WHERE appeal_id = $1 ORDER BY id
"""
MESSAGES: Final = """
SELECT id, peer, wire, operation, key, revision, recorded_at, media_type, body_sha256, stage,
       correlation, body IS NULL AND blob IS NULL AS erased
FROM message WHERE appeal_id = $1 ORDER BY id
"""
DELIVERIES: Final = """
SELECT id, destination, kind, event_seq, event_type, state, attempts, created_at, changed_at,
       reference, error_code, payload_sha256
FROM delivery WHERE appeal_id = $1 ORDER BY id
"""
ATTEMPTS: Final = """
SELECT t.id, t.delivery_id, t.n, t.started_at, t.ended_at, t.outcome, t.status, t.request_sha256,
       t.request, t.response
FROM attempt t JOIN delivery d ON d.id = t.delivery_id WHERE d.appeal_id = $1 ORDER BY t.id
"""
FILES: Final = """
SELECT DISTINCT b.sha256, b.size, b.media_type FROM blob_ref r JOIN blob b USING (sha256)
WHERE r.owner = $1 OR r.owner IN (SELECT m.id FROM message m WHERE m.appeal_id = $1)
ORDER BY b.sha256
"""
SEALS: Final = "SELECT day, body, cms, sealed_at FROM seal ORDER BY day"
Members = dict[str, bytes]


def collect(
    connection: Connection[Any], blobs: BlobDirectory, appeal_id: UUID, level: Level
) -> tuple[Members, dict[str, Any]]:
    """Return the members of a case file and what its manifest says, read in one snapshot.

    level: below `full` no personal content, message, file or reply goes into it, and their digests
    stay, so that the chain still verifies; `reference_only` tells no deliveries either.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (head,) = _rows(connection, HEAD, appeal_id)
        members: Members = {}
        full = level is Level.FULL
        events = _rows(connection, EVENTS, appeal_id)
        _put_events(members, events)
        _put_contents(members, _rows(connection, CONTENTS, appeal_id), full=full)
        received = _rows(connection, MESSAGES, appeal_id)
        _put_messages(members, connection, blobs, received, full=full)
        if level is not Level.REFERENCE_ONLY:
            members["deliveries.json"] = _told(_rows(connection, DELIVERIES, appeal_id))
        if full:
            _put_attempts(members, _rows(connection, ATTEMPTS, appeal_id))
            _put_files(members, connection, blobs, _rows(connection, FILES, appeal_id))
        _put_seals(members, connection, events, received)
    about = {
        "appeal_id": str(head.id),
        "receipt_number": head.receipt_number,
        "level": level.value,
        "head_seq": head.head_seq,
        "head_hash": bytes(head.head_hash).hex(),
    }
    return members, about


def _put_events(members: Members, events: Sequence[Any]) -> None:
    members["events.json"] = _told(events, without=("body", "appeal_id"))
    for row in events:
        members[f"events/{row.seq}.json"] = bytes(row.body)


def _put_contents(members: Members, rows: Sequence[Any], *, full: bool) -> None:
    listed = []
    for row in rows:
        erased = row.erased_at is not None
        shown = full and not erased
        listed.append(
            {
                "id": str(row.id),
                "digest": bytes(row.digest).hex(),
                "salt": bytes(row.salt).hex() if shown else None,
                "state": "erased" if erased else "whole" if full else "withheld",
                "erased_at": row.erased_at,
                "retention": row.retention,
            }
        )
        if shown:
            members[f"contents/{row.id}.bin"] = bytes(row.bytes)
    members["contents.json"] = canonical(listed)


def _put_messages(
    members: Members,
    connection: Connection[Any],
    blobs: BlobDirectory,
    rows: Sequence[Any],
    *,
    full: bool,
) -> None:
    listed = []
    for row in rows:
        state = "erased" if row.erased else "whole" if full else "withheld"
        if state == "whole":
            try:
                members[f"messages/{row.id}.bin"] = messages.body(connection, blobs, row.id)
            except GatewayError:
                state = "missing"
        told = {name: _plain(value) for name, value in row._asdict().items() if name != "erased"}
        told["recorded_micros"] = sealed.micros(row.recorded_at)
        listed.append({**told, "state": state})
    members["messages.json"] = canonical(listed)


def _put_attempts(members: Members, rows: Sequence[Any]) -> None:
    members["attempts.json"] = _told(rows, without=("request", "response"))
    for row in rows:
        for name in ("request", "response"):
            data = getattr(row, name)
            if data is not None:
                members[f"attempts/{row.id}.{name}"] = bytes(data)


def _put_files(
    members: Members, connection: Connection[Any], blobs: BlobDirectory, rows: Sequence[Any]
) -> None:
    members["files.json"] = _told(rows)
    for row in rows:
        digest = bytes(row.sha256)
        try:
            members[f"files/{digest.hex()}"] = blob_store.read(connection, blobs, digest)
        except GatewayError:
            continue


def _put_seals(
    members: Members, connection: Connection[Any], events: Sequence[Any], received: Sequence[Any]
) -> None:
    """Put in the seals that cover rows of the appeal, with the path of each row to its seal."""
    keys = {row.appeal_id.bytes + row.seq.to_bytes(4, "big"): row.recorded_at for row in events} | {
        row.id.bytes + bytes(4): row.recorded_at for row in received
    }
    proofs = []
    for day, body, cms, sealed_at in connection.execute(SEALS).fetchall():
        told = sealed.decode(bytes(body))
        wanted = {key for key, at in keys.items() if told.since <= at < told.until}
        found = seals.proofs(connection, day, wanted) if wanted else []
        if found:
            proofs += [{**one._asdict(), "sealed_at": sealed_at} for one in found]
            members[f"seals/{day}.json"] = bytes(body)
            members[f"seals/{day}.p7s"] = bytes(cms)
    members["proofs.json"] = canonical(proofs)


def _rows(connection: Connection[Any], query: str, appeal_id: UUID) -> list[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query.encode(), (appeal_id,)).fetchall()


def _told(rows: Sequence[Any], without: Sequence[str] = ()) -> bytes:
    return canonical(
        [
            {name: _plain(value) for name, value in row._asdict().items() if name not in without}
            for row in rows
        ]
    )


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: bytes as hex, ids as text."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value) if isinstance(value, UUID) else value
