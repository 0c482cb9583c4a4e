"""Everything there is to prove what was received, what was sent, when, and what the peer answered.

Read from message, event, delivery and attempt, in the order of time. Bytes are given as they stood;
whoever shows them masks them (`gateway.masking`) or records the reading (`gateway.audit`).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
from psycopg.rows import namedtuple_row

from gateway import masking
from gateway.errors import GatewayError
from gateway.store import messages

if TYPE_CHECKING:
    from psycopg import Connection

    from gateway.store.blobs import BlobDirectory
    from gateway.store.lookup import Found

MESSAGES = """
SELECT m.id, m.recorded_at, m.peer, m.wire, m.operation, m.key, m.revision, m.correlation,
       m.media_type, m.body_sha256, m.stage, m.note, w.attempts, w.due, w.error
FROM message m LEFT JOIN work w ON w.message_id = m.id
WHERE m.appeal_id = $1 ORDER BY m.id
"""

EVENTS = """
SELECT seq, type, recorded_at, message_id, hash, convert_from(body, 'UTF8')::jsonb AS body
FROM event WHERE appeal_id = $1 ORDER BY seq
"""

DELIVERIES = """
SELECT id, destination, kind, event_seq, event_type, state, attempts, created_at, changed_at,
       ack_due, reference, error_code, error, payload_sha256
FROM delivery WHERE appeal_id = $1 ORDER BY id
"""

ATTEMPTS = """
SELECT t.id, t.delivery_id, d.destination, t.n, t.started_at, t.ended_at, t.outcome, t.status,
       t.request_sha256, t.request, t.head, t.response, t.error
FROM attempt t JOIN delivery d ON d.id = t.delivery_id
WHERE d.appeal_id = $1 ORDER BY t.id
"""

Kind = Literal["received", "event", "owed", "sent", "answered"]


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. id: of its row. sha256: of the bytes as they stood, in hex.

    received: a message came; event: a fact was recorded; owed: a delivery was written down; sent:
    the first byte of an attempt left; answered: that attempt ended. data: the bytes, None for none.
    """

    at: datetime
    kind: Kind
    who: str
    what: str
    id: str
    details: dict[str, Any] = {}
    media_type: str = ""
    sha256: str = ""
    data: bytes | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One appeal and everything that is known of it, in order of time."""

    appeal_id: UUID
    receipt_number: str
    external_id: str
    peer: str
    state: str
    pieces: tuple[Piece, ...]


def gather(connection: Connection[Any], blobs: BlobDirectory, found: Found) -> Evidence:
    """Read all evidence of one appeal in one snapshot."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        pieces = [
            *(_received(connection, blobs, row) for row in _rows(connection, MESSAGES, found.id)),
            *(_event(row) for row in _rows(connection, EVENTS, found.id)),
            *(_owed(row) for row in _rows(connection, DELIVERIES, found.id)),
        ]
        for row in _rows(connection, ATTEMPTS, found.id):
            pieces.append(_sent(row))
            if row.ended_at is not None:
                pieces.append(_answered(row))
    return Evidence(
        appeal_id=found.id,
        receipt_number=found.receipt_number,
        external_id=found.external_id,
        peer=found.peer,
        state=found.state,
        pieces=tuple(sorted(pieces, key=lambda piece: piece.at)),
    )


def shown(piece: Piece, *, full: bool) -> str:
    """Return the bytes of a piece as a person may read them; empty for none.

    Masked, a peer's reply keeps its own words but for what looks personal, because the words are
    the evidence; of what came in and went out only codes, numbers and dates are left.
    """
    if piece.data is None:
        return ""
    if full:
        return piece.data.decode("utf-8", "backslashreplace")
    return masking.document(piece.data, piece.media_type, strict=piece.kind != "answered")


def _rows(connection: Connection[Any], query: str, appeal_id: UUID) -> list[Any]:
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(query.encode(), (appeal_id,)).fetchall()


def _received(connection: Connection[Any], blobs: BlobDirectory, row: Any) -> Piece:
    data: bytes | None = None
    note = dict(row.note or {})
    try:
        data = messages.body(connection, blobs, row.id)
    except GatewayError as error:
        note["body"] = str(error)
    if row.attempts and row.stage == "accepted":
        note |= {"attempts": row.attempts, "next": row.due, "error": row.error}
    return Piece(
        at=row.recorded_at,
        kind="received",
        who=row.peer,
        what=f"{row.operation} {row.key} ({row.wire})",
        id=str(row.id),
        details={
            "stage": row.stage,
            "revision": row.revision,
            "correlation": row.correlation,
            "note": masking.value(note),
        },
        media_type=row.media_type,
        sha256=bytes(row.body_sha256).hex(),
        data=data,
    )


def _event(row: Any) -> Piece:
    actor = row.body.get("actor", {})
    details = {
        key: row.body[key]
        for key in ("question", "occurred_at", "late", "inferred", "payload", "content")
        if row.body.get(key)
    }
    if row.message_id is not None:
        details["message"] = str(row.message_id)
    return Piece(
        at=row.recorded_at,
        kind="event",
        who=f"{actor.get('kind', '')}:{actor.get('id', '')}",
        what=row.type,
        id=str(row.seq),
        details=details,
        sha256=bytes(row.hash).hex(),
    )


def _owed(row: Any) -> Piece:
    return Piece(
        at=row.created_at,
        kind="owed",
        who=row.destination,
        what=row.event_type,
        id=str(row.id),
        details={
            "kind": row.kind,
            "event": row.event_seq,
            "state": row.state,
            "since": row.changed_at,
            "attempts": row.attempts,
            "reference": row.reference,
            "ack_due": row.ack_due,
            "error": f"{row.error_code} {masking.text(row.error)}".strip(),
        },
        sha256=_hex(row.payload_sha256),
    )


def _sent(row: Any) -> Piece:
    head = row.head or {}
    return Piece(
        at=row.started_at,
        kind="sent",
        who=row.destination,
        what=f"attempt {row.n}",
        id=str(row.id),
        details={"delivery": str(row.delivery_id), "head": masking.value(head)},
        media_type=str(head.get("media_type") or ""),
        sha256=_hex(row.request_sha256),
        data=None if row.request is None else bytes(row.request),
    )


def _answered(row: Any) -> Piece:
    details: dict[str, Any] = {"delivery": str(row.delivery_id), "outcome": row.outcome}
    if row.status:
        details["status"] = row.status
    if row.error:
        details["error"] = masking.text(row.error)
    return Piece(
        at=row.ended_at,
        kind="answered",
        who=row.destination,
        what=f"attempt {row.n}: {row.outcome}",
        id=str(row.id),
        details=details,
        data=None if row.response is None else bytes(row.response),
    )


def _hex(digest: Any) -> str:
    return "" if digest is None else bytes(digest).hex()
