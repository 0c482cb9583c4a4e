"""Appeals' histories: lock heads, load states, append events and contents (design §2.9, §2.10).

Any change to an existing appeal locks its head row first, heads in order of id, and appends at
head.seq + 1. The state is folded from the events each time: they are read for a whole batch in one
statement, and a history is short.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.model import upcast
from gateway.model.events import Event, StoredEvent, canonical_body, event_hash
from gateway.model.ids import uuid7
from gateway.store.arrays import (
    ByteaArray,
    InstantArray,
    Int2Array,
    Int4Array,
    TextArray,
    UuidArray,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from psycopg import Connection

LOCK = """
SELECT id, peer, external_id, receipt_number, revision, regime, state, recorded_at, head_seq,
       head_hash, content_id, content_sha256, executor, route_rule, route_reason, test, historical,
       merged_into
FROM appeal WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""

EVENTS = """
SELECT appeal_id, seq, type, body, prev, hash FROM event
WHERE appeal_id = ANY($1::uuid[]) ORDER BY appeal_id, seq
"""

APPEND = """
INSERT INTO event (appeal_id, seq, type, v, recorded_at, message_id, body, prev, hash)
SELECT * FROM unnest($1::uuid[], $2::int4[], $3::text[], $4::int2[], $5::timestamptz[],
                     $6::uuid[], $7::bytea[], $8::bytea[], $9::bytea[])
"""

CONTENTS = """
INSERT INTO content (appeal_id, id, digest, salt, bytes)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[])
"""

SALT_BYTES = 16


class Head(NamedTuple):
    """The locked head row of an appeal."""

    id: UUID
    peer: str
    external_id: str
    receipt_number: str
    revision: int
    regime: str
    state: str
    recorded_at: Any
    head_seq: int
    head_hash: bytes
    content_id: UUID
    content_sha256: bytes
    executor: str
    route_rule: str
    route_reason: str
    test: bool
    historical: bool
    merged_into: UUID | None = None


class Content(NamedTuple):
    """Personal data apart from its event: the row, and the digest that the event names."""

    appeal_id: UUID
    id: UUID
    digest: bytes
    salt: bytes
    data: bytes

    @classmethod
    def of(cls, appeal_id: UUID, data: bytes) -> Content:
        """Salt and digest bytes that are to be stored apart."""
        salt = os.urandom(SALT_BYTES)
        return cls(appeal_id, uuid7(), sha256(salt + data).digest(), salt, data)


def lock(connection: Connection[Any], ids: Iterable[UUID]) -> dict[UUID, Head]:
    """Lock the heads of appeals in order of id and return them."""
    rows = connection.execute(LOCK, (UuidArray.of(sorted(set(ids))),), binary=True)
    return {row[0]: Head(*row) for row in rows}


def stored(connection: Connection[Any], ids: Sequence[UUID]) -> dict[UUID, list[StoredEvent]]:
    """Return the rows of the histories as they lie there, for verification."""
    found: dict[UUID, list[StoredEvent]] = {appeal_id: [] for appeal_id in ids}
    rows = connection.execute(EVENTS, (UuidArray.of(list(ids)),), binary=True).fetchall()
    for appeal_id, *row in rows:
        found[appeal_id].append(StoredEvent(*row))
    return found


def load(connection: Connection[Any], ids: Sequence[UUID]) -> dict[UUID, list[Event]]:
    """Return the histories as events of the newest versions."""
    return {
        appeal_id: [upcast.load(appeal_id, row.seq, row.type, row.body) for row in rows]
        for appeal_id, rows in stored(connection, ids).items()
    }


class Appended(NamedTuple):
    """The head of an appeal after its new events."""

    seq: int
    hash: bytes


def append(
    connection: Connection[Any],
    heads: dict[UUID, Head],
    events: Sequence[Event],
    contents: Sequence[Content],
) -> dict[UUID, Appended]:
    """Append events, in order, to the histories of locked appeals; return their new heads."""
    chain = {
        appeal_id: Appended(head.head_seq, head.head_hash) for appeal_id, head in heads.items()
    }
    rows: list[tuple[Any, ...]] = []
    for event in events:
        seq, prev = chain[event.appeal_id]
        if event.seq != seq + 1:
            message = f"event {event.seq} of {event.appeal_id} does not follow {seq}"
            raise AssertionError(message)
        body = canonical_body(event)
        digest = event_hash(prev, event.seq, event.type, body)
        rows.append(
            (
                event.appeal_id, event.seq, event.type.value, event.v, event.recorded_at,
                event.cause, body, prev, digest,
            )
        )  # fmt: skip
        chain[event.appeal_id] = Appended(event.seq, digest)
    if rows:
        connection.execute(
            APPEND,
            _columns(
                (
                    UuidArray, Int4Array, TextArray, Int2Array, InstantArray, UuidArray,
                    ByteaArray, ByteaArray, ByteaArray,
                ),
                rows,
            ),
        )  # fmt: skip
    if contents:
        connection.execute(
            CONTENTS,
            _columns((UuidArray, UuidArray, ByteaArray, ByteaArray, ByteaArray), contents),
        )
    return chain


def _columns(kinds: Sequence[Any], rows: Sequence[Sequence[Any]]) -> list[Any]:
    return [kind.of(column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]
