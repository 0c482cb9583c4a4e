"""The queue of triage: claimed with SKIP LOCKED, finished in the transaction that claimed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway import limits
from gateway.store.arrays import TextArray, UuidArray

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.adapter import RemoteState
    from gateway.store.history import Head

CLAIM = """
SELECT w.message_id, w.appeal_id, w.attempts, m.peer, m.wire, m.operation, m.key, m.revision,
       m.recorded_at, m.content_sha256, m.decoded, m.correlation
FROM work w JOIN message m ON m.id = w.message_id
WHERE (w.attempts = 0 OR w.due <= $1) AND NOT w.parked
ORDER BY w.message_id
LIMIT $2
FOR UPDATE OF w SKIP LOCKED
"""
"""Takes the oldest items; message ids ascend, so the calls of one peer keep their order. What was
never tried is due at once, whatever the clock of the node that accepted it said."""

NAMED = """
SELECT m.id, m.appeal_id, 0, m.peer, m.wire, m.operation, m.key, m.revision, m.recorded_at,
       m.content_sha256, m.decoded, m.correlation
FROM message m WHERE m.appeal_id = $1 AND m.id = ANY($2::uuid[]) ORDER BY m.id
"""

WAITS = "SELECT EXISTS (SELECT FROM work WHERE appeal_id = $1)"

FINISH = """
WITH gone AS (DELETE FROM work WHERE message_id = ANY($1::uuid[]))
UPDATE message m SET stage = u.stage, note = coalesce(m.note, '{}') || u.note::jsonb
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (id, stage, note)
WHERE m.id = u.id
"""

PUT_OFF = """
UPDATE work SET attempts = attempts + 1, error = $2, parked = attempts + 1 >= $3,
       due = $4::timestamptz + make_interval(secs => least(3600, power(4, attempts + 1)))
WHERE message_id = $1 RETURNING parked
"""

PARKED = """
UPDATE message SET stage = 'parked', note = jsonb_build_object('error', $2::text) WHERE id = $1
"""

CONTENTS = """
SELECT c.appeal_id, c.bytes FROM content c
JOIN unnest($1::uuid[], $2::uuid[]) AS k (appeal_id, id)
  ON c.appeal_id = k.appeal_id AND c.id = k.id
"""

SET_CONTENT = """
UPDATE appeal SET content_id = $2, content_sha256 = $3 WHERE id = $1
"""

EXPECTED = """
SELECT FROM expectation e JOIN (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS t (peer, organisation, number_key)
  UNION
  SELECT peer, organisation, number_key FROM expectation
  WHERE appeal_id IS NULL AND number_key = ANY($4::text[])
) k USING (peer, organisation, number_key)
ORDER BY peer, organisation, number_key FOR UPDATE OF e
"""
"""Locks, in order, the expectations that a batch will change: those it tells anew, and those that
an appeal's numbers meet."""

EXPECT = """
INSERT INTO expectation (peer, organisation, number_key, number, appeal_id, first_seen, last_seen,
                         remote)
VALUES ($1, $2, $3, $4,
        (SELECT appeal_id FROM external_ref WHERE value_key = $3 ORDER BY appeal_id LIMIT 1),
        $5, $5, $6::jsonb)
ON CONFLICT (peer, organisation, number_key) DO UPDATE
SET last_seen = excluded.last_seen, remote = excluded.remote,
    appeal_id = coalesce(expectation.appeal_id, excluded.appeal_id)
"""

FOUNDING = """
SELECT a.id, c.bytes FROM appeal a JOIN content c ON c.appeal_id = a.id AND c.id = a.content_id
WHERE a.id = ANY($1::uuid[]) AND NOT a.test AND NOT a.historical
"""
"""Contents that may name a covering letter (`gateway.duplicates.letter`)."""

MERGED_INTO = "SELECT id, merged_into FROM appeal WHERE id = ANY($1::uuid[])"

QUESTION_IDS = "SELECT appeal_id, id, ordinal FROM question WHERE appeal_id = ANY($1::uuid[])"

MERGED_SOURCES = """
SELECT merged_into, peer, id FROM appeal
WHERE merged_into = ANY($1::uuid[]) AND id IS DISTINCT FROM $2::uuid ORDER BY id
"""


class Item(NamedTuple):
    """One accepted message that waits to be applied."""

    message_id: UUID
    appeal_id: UUID | None
    attempts: int
    peer: str
    wire: str
    operation: str
    key: str
    revision: int
    recorded_at: datetime
    content_sha256: bytes | None
    decoded: bytes | None
    correlation: str


def claim(connection: Connection[Any], now: datetime, count: int) -> list[Item]:
    """Lock up to `count` due items until the end of the transaction."""
    return [Item(*row) for row in connection.execute(CLAIM, (now, count), binary=True)]


def finish(connection: Connection[Any], done: Iterable[tuple[UUID, str, str]]) -> None:
    """Take items off the queue and say on their messages (stage, note as JSON) what they became."""
    rows = list(done)
    if rows:
        ids, stages, notes = zip(*rows, strict=True)
        connection.execute(FINISH, (UuidArray.of(ids), TextArray.of(stages), TextArray.of(notes)))


def put_off(connection: Connection[Any], item: Item, error: str, now: datetime) -> bool:
    """Count a failure; after five the item is parked for a person. Return whether it was."""
    text = error.replace("\0", "")
    row = connection.execute(
        PUT_OFF, (item.message_id, text, limits.TRIAGE_ATTEMPTS, now)
    ).fetchone()
    parked = bool(row and row[0])
    if parked:
        connection.execute(PARKED, (item.message_id, text))
    return parked


def contents(connection: Connection[Any], heads: Iterable[Head]) -> dict[UUID, bytes | None]:
    """Return the content bytes of appeals, None where they were erased."""
    pairs = [(head.id, head.content_id) for head in heads]
    if not pairs:
        return {}
    ids, content_ids = zip(*pairs, strict=True)
    rows = connection.execute(CONTENTS, (UuidArray.of(ids), UuidArray.of(content_ids)), binary=True)
    return dict(rows.fetchall())


def replace_content(
    connection: Connection[Any], appeal_id: UUID, content_id: UUID, digest: bytes
) -> None:
    """Make a new content the current one, after an amendment."""
    connection.execute(SET_CONTENT, (appeal_id, content_id, digest))


def founding_contents(connection: Connection[Any], ids: Iterable[UUID]) -> dict[UUID, bytes | None]:
    """Return the contents of new appeals that may claim a covering letter; nothing is locked."""
    return dict(connection.execute(FOUNDING, (UuidArray.of(list(ids)),), binary=True).fetchall())


def merged_into(connection: Connection[Any], ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return which of the appeals are merged, and into which; nothing is locked."""
    rows = connection.execute(MERGED_INTO, (UuidArray.of(list(ids)),), binary=True)
    return {row[0]: row[1] for row in rows if row[1] is not None}


def question_ids(connection: Connection[Any], ids: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """Return appeal → our id of a question as text → its ordinal."""
    found: dict[UUID, dict[str, int]] = {}
    for appeal_id, question_id, ordinal in connection.execute(
        QUESTION_IDS, (UuidArray.of(list(ids)),), binary=True
    ):
        found.setdefault(appeal_id, {})[str(question_id)] = ordinal
    return found


def merged_sources(
    connection: Connection[Any], ids: Iterable[UUID], *, without: UUID | None = None
) -> dict[UUID, dict[str, UUID]]:
    """Return appeal → peer that sent the same letter by another channel → its own appeal.

    without: not this one. Of several from one peer the oldest.
    """
    found: dict[UUID, dict[str, UUID]] = {}
    rows = connection.execute(MERGED_SOURCES, (UuidArray.of(list(ids)), without), binary=True)
    for head, peer, own in rows:
        found.setdefault(head, {}).setdefault(peer, own)
    return found


def named(connection: Connection[Any], appeal_id: UUID, ids: Iterable[UUID]) -> list[Item]:
    """Return those of some messages that are about an appeal, in their order."""
    rows = connection.execute(NAMED, (appeal_id, UuidArray.of(list(ids))), binary=True)
    return [Item(*row) for row in rows]


def waits(connection: Connection[Any], appeal_id: UUID) -> bool:
    """Whether a message about an appeal is still to be applied."""
    row = connection.execute(WAITS, (appeal_id,)).fetchone()
    return bool(row and row[0])


def expect(connection: Connection[Any], peer: str, state: RemoteState, now: datetime) -> None:
    """Store what a peer's own list says it holds, without the raw row, which names people."""
    expect_all(connection, [(peer, state)], (), now)


def expect_all(
    connection: Connection[Any],
    told: Iterable[tuple[str, RemoteState]],
    met: Iterable[str],
    now: datetime,
) -> None:
    """Store what peers' own lists say, and lock whatever numbers with the keys `met` will meet.

    Everything in one order, whatever order the lists and appeals of a batch came in.
    """
    rows = sorted(told, key=lambda t: (t[0], t[1].organisation, t[1].key_folded))
    keys = sorted(set(met))
    if not rows and not keys:
        return
    connection.execute(
        EXPECTED,
        (
            TextArray.of([peer for peer, _ in rows]),
            TextArray.of([state.organisation for _, state in rows]),
            TextArray.of([state.key_folded for _, state in rows]),
            TextArray.of(keys),
        ),
    )
    for peer, state in rows:
        remote = msgspec.json.encode(msgspec.structs.replace(state, raw=b"")).decode()
        connection.execute(
            EXPECT, (peer, state.organisation, state.key_folded, state.key, now, remote)
        )
