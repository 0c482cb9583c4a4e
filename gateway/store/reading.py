"""What peers read: one statement a question, and never a row the caller may not see.

A caller sees an appeal that it sent, or that was given to it (a delivery in one of its lanes).
Absent and forbidden look alike. Lists are windows over time for reconciliation; what happened
since is read from the caller's lane instead (docs/adr/0011).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.rows import namedtuple_row

from gateway.store import accept_sql
from gateway.store.arrays import Int4Array, TextArray

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from psycopg import Connection

    from gateway.store.entries import AppealName
    from gateway.store.horizon import Place

APPEALS = """
SELECT id, peer, external_id, receipt_number, revision, regime, state, recorded_at, changed_at,
       content_id, content_sha256, executor, test
FROM appeal WHERE id = ANY($1::uuid[])
"""

QUESTIONS = """
SELECT appeal_id, ordinal, id, state, topic, executor, flags, facts
FROM question WHERE appeal_id = ANY($1::uuid[]) ORDER BY appeal_id, ordinal
"""

DUE = """
SELECT appeal_id, question, min(due_legal) AS due
FROM deadline WHERE appeal_id = ANY($1::uuid[]) AND closed_at IS NULL
                AND rule ~ '(^|-)answer(-|$)'
GROUP BY appeal_id, question
"""
"""The day until which the answer is due by law, where one is owed. A portal tells it to a citizen,
who has no use for a body's inner day, a right that lapses or a notice. A rule is of the answer when
the word stands in its id (`fz59-answer-migration`), in a body's own table of terms too."""

REGISTRATIONS = """
SELECT organisation, register, number, date FROM registration
WHERE appeal_id = $1 AND annulled_at IS NULL ORDER BY date, number
"""

CONTENT = "SELECT bytes FROM content WHERE appeal_id = $1 AND id = $2"

ATTACHMENTS = """
SELECT max(r.name) AS name, b.media_type, b.size, b.sha256
FROM blob_ref r JOIN blob b USING (sha256)
WHERE r.owner = $1 OR r.owner IN (SELECT m.id FROM message m WHERE m.appeal_id = $1)
GROUP BY b.sha256 ORDER BY name
"""
"""Files of an appeal: those it came with, and those of amendments, answers and AttachFile."""

ATTACHMENT = """
SELECT r.name, b.media_type, b.size, b.sha256, r.peer, a.id AS appeal_id, a.peer AS sender, s.given
FROM blob_ref r JOIN blob b USING (sha256)
LEFT JOIN message m ON m.id = r.owner
JOIN appeal a ON a.id = coalesce(m.appeal_id, r.owner)
CROSS JOIN LATERAL (
  SELECT EXISTS (SELECT FROM delivery d WHERE d.appeal_id = a.id AND d.destination = $2
                                        AND d.state <> 'skipped' AND d.through IS NULL) AS given,
         EXISTS (SELECT FROM appeal own WHERE own.merged_into = a.id AND own.peer = $2) AS merged
) AS s
WHERE b.sha256 = $1 AND (r.peer = $2 OR a.peer = $2 OR s.given OR s.merged)
ORDER BY r.peer = $2 OR a.peer = $2 DESC, s.given DESC LIMIT 20
"""
"""Where a file stands that a caller may know of; what it may see of it the level says. given: it
was given the appeal; else perhaps a letter of its own is merged into it."""

SEES = """
SELECT EXISTS (SELECT FROM appeal WHERE id = $2 AND peer = $1) OR EXISTS (
    SELECT FROM delivery d WHERE d.appeal_id = $2 AND d.destination = $1
                          AND d.state <> 'skipped' AND d.through IS NULL)
"""

REGISTER_LINES = """
SELECT a.id, a.changed_at AS at, a.external_id, a.receipt_number, a.state, a.content_sha256,
       (SELECT g.number FROM registration g
        WHERE g.appeal_id = a.id AND g.annulled_at IS NULL ORDER BY g.date, g.number LIMIT 1)
       AS registration_number
FROM appeal a
WHERE a.peer = $1 AND (a.changed_at, a.id) > ($2::timestamptz, $3::uuid)
  AND a.changed_at < coalesce($4::timestamptz, 'infinity')
  AND ($5::date IS NULL OR EXISTS (SELECT FROM registration g WHERE g.appeal_id = a.id
        AND g.annulled_at IS NULL AND g.date BETWEEN $5 AND coalesce($6::date, g.date)))
  AND ($7 = '' OR a.state = $7)
  AND ($8 = '' OR EXISTS (SELECT FROM question q WHERE q.appeal_id = a.id
        AND starts_with(q.topic, $8)))
  AND ($9 = '' OR a.executor = $9)
ORDER BY a.changed_at, a.id LIMIT $10
"""
"""By `appeal_changed`. An appeal that changes while its list is read moves to the list's end, where
it is read again; it is never passed over."""

RECEIPT_LINES = """
SELECT m.id, coalesce(m.stored_at, m.recorded_at) AS at, m.operation, m.key, m.revision,
       m.content_sha256, m.recorded_at, m.stage, m.note, a.receipt_number, a.state,
       CASE WHEN a.peer = $1 THEN a.external_id END AS external_id
FROM message m LEFT JOIN appeal a ON a.id = m.appeal_id
WHERE m.peer = $1
  AND (coalesce(m.stored_at, m.recorded_at), m.id) > ($2::timestamptz, $3::uuid)
  AND coalesce(m.stored_at, m.recorded_at) < coalesce($4::timestamptz, 'infinity')
  AND m.stage <> 'undecodable' AND (m.stage <> 'refused' OR m.note ? 'applied')
  AND m.content_sha256 IS NOT NULL
ORDER BY coalesce(m.stored_at, m.recorded_at), m.id LIMIT $5
"""
"""By `message_stored`. Calls that have a receipt only: what was refused when it came has none, and
the message that holds a dropped file has no content of its own, its rows have."""

ORGANISATIONS = """
SELECT id, full_name, parent, valid_from, valid_to FROM organisation
WHERE id > $1 ORDER BY id LIMIT $2
"""


def find(
    connection: Connection[Any], peer: str, names: Sequence[AppealName]
) -> dict[int, list[tuple[UUID, str, str]]]:
    """Return place in `names` → appeals of that name the peer may see (id, receipt, external)."""
    found: dict[int, list[tuple[UUID, str, str]]] = {}
    plain = [(n, name) for n, name in enumerate(names) if not name.registration_key]
    numbered = [(n, name) for n, name in enumerate(names) if name.registration_key]
    for statement, wanted, first, second in (
        (accept_sql.TARGETS, plain, "external_id", "receipt_number"),
        (accept_sql.TARGETS_BY_REGISTRATION, numbered, "registration_key", "organisation"),
    ):
        if not wanted:
            continue
        rows = connection.execute(
            statement,
            (
                Int4Array.of([n for n, _ in wanted]),
                TextArray.of([peer] * len(wanted)),
                TextArray.of([getattr(name, first) for _, name in wanted]),
                TextArray.of([getattr(name, second) for _, name in wanted]),
            ),
            binary=True,
        )
        for n, appeal_id, receipt, external_id in rows:
            if appeal_id is not None:
                found.setdefault(n, []).append((appeal_id, receipt, external_id))
    return found


def sees(connection: Connection[Any], peer: str, appeal_id: UUID) -> bool:
    """Whether a peer sent an appeal or was given it, whatever was merged into it."""
    row = connection.execute(SEES, (peer, appeal_id)).fetchone()
    return bool(row and row[0])


def rows(connection: Connection[Any], statement: str, *values: Any) -> list[Any]:
    """Run one of the statements above; rows are named tuples."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(statement, values).fetchall()


def by_appeal(found: Sequence[Any]) -> dict[UUID, list[Any]]:
    """Group rows by their appeal_id."""
    grouped: dict[UUID, list[Any]] = {}
    for row in found:
        grouped.setdefault(row.appeal_id, []).append(row)
    return grouped


class Wanted(NamedTuple):
    """Which of its appeals a caller asks for; what is empty filters nothing."""

    registered_from: date | None = None
    registered_to: date | None = None
    state: str = ""
    topic_prefix: str = ""
    organisation: str = ""


def register_lines(
    connection: Connection[Any],
    peer: str,
    after: Place,
    end: datetime | None,
    wanted: Wanted,
    count: int,
) -> list[Any]:
    """Return the caller's own appeals after a place, changed before `end`, oldest change first."""
    return rows(connection, REGISTER_LINES, peer, *after, end, *wanted, count)


def receipt_lines(
    connection: Connection[Any], peer: str, after: Place, end: datetime | None, count: int
) -> list[Any]:
    """Return the caller's calls that we hold after a place, stored before `end`."""
    return rows(connection, RECEIPT_LINES, peer, *after, end, count)
