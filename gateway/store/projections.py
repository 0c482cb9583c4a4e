"""Projections: how the rows that a state amounts to are written (`gateway.store.projected`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gateway.store.arrays import (
    BoolArray,
    ByteaArray,
    DateArray,
    InstantArray,
    Int2Array,
    Int4Array,
    TextArray,
    UuidArray,
)
from gateway.store.projected import rows_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from gateway.lifecycle.state import AppealState
    from gateway.store.history import Appended
    from gateway.store.projected import IsOurs, Rows

    Made = Sequence[tuple[UUID, Rows, Appended]]

APPEAL = """
UPDATE appeal a SET state = k.state, revision = k.revision, head_seq = k.seq, head_hash = k.hash,
       changed_at = clock_timestamp(), executor = k.executor, route_rule = k.rule,
       route_reason = k.reason, merged_into = k.merged_into
FROM unnest($1::uuid[], $2::text[], $3::int4[], $4::int4[], $5::bytea[], $6::text[], $7::text[],
            $8::text[], $9::uuid[])
  AS k (id, state, revision, seq, hash, executor, rule, reason, merged_into)
WHERE a.id = k.id
"""

QUESTION = """
INSERT INTO question (appeal_id, ordinal, id, state, topic, executor, flags, facts)
SELECT a, b, c, d, e, f, string_to_array(g, ' '), h::jsonb
FROM unnest($1::uuid[], $2::int2[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[]) AS u (a, b, c, d, e, f, g, h)
ON CONFLICT (appeal_id, ordinal) DO UPDATE
SET id = excluded.id, state = excluded.state, executor = excluded.executor, flags = excluded.flags,
    facts = excluded.facts,
    topic = CASE WHEN excluded.topic = '' THEN question.topic ELSE excluded.topic END
"""

REGISTRATION = """
INSERT INTO registration (appeal_id, organisation, number, number_key, register, date, is_ours,
                          registered_by)
SELECT a, b, c, d, e, f, g, ''
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::bool[])
  AS u (a, b, c, d, e, f, g)
ON CONFLICT (appeal_id, organisation, number) DO UPDATE
SET number_key = excluded.number_key, register = excluded.register, date = excluded.date
"""
"""Whether a number is ours is decided once: who we are may change later, what was given may not."""

ANNULLED = """
UPDATE registration r SET annulled_at = $2
WHERE r.appeal_id = ANY($1::uuid[]) AND r.annulled_at IS NULL AND NOT EXISTS (
    SELECT FROM unnest($3::uuid[], $4::text[], $5::text[]) AS k (appeal_id, organisation, number)
    WHERE k.appeal_id = r.appeal_id AND k.organisation = r.organisation AND k.number = r.number)
"""
"""The row stays: a number that was given is never given again."""

DEADLINES_CLOSED = """
UPDATE deadline d SET closed_at = $2
WHERE d.appeal_id = ANY($1::uuid[]) AND d.closed_at IS NULL AND NOT EXISTS (
    SELECT FROM unnest($3::uuid[], $4::int2[], $5::text[]) AS k (appeal_id, question, rule)
    WHERE k.appeal_id = d.appeal_id AND k.question = d.question AND k.rule = d.rule)
"""

DEADLINE = """
INSERT INTO deadline (appeal_id, question, rule, opened_seq, article, start, due_internal,
                      due_legal, ground, unconfirmed_calendar)
SELECT a, b, c, 0, d, e, f, g, h, i
FROM unnest($1::uuid[], $2::int2[], $3::text[], $4::text[], $5::date[], $6::date[], $7::date[],
            $8::text[], $9::bool[]) AS u (a, b, c, d, e, f, g, h, i)
ON CONFLICT (appeal_id, question, rule, opened_seq) DO UPDATE
SET article = excluded.article, start = excluded.start, due_internal = excluded.due_internal,
    due_legal = excluded.due_legal, closed_at = NULL, ground = excluded.ground,
    unconfirmed_calendar = excluded.unconfirmed_calendar
"""

CONFLICT = """
INSERT INTO conflict (appeal_id, message_id, peer, reason, recorded_at, settled_at, settled_by)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[],
                     $6::timestamptz[], $7::text[])
ON CONFLICT (appeal_id, message_id) DO UPDATE
SET peer = excluded.peer, reason = excluded.reason, recorded_at = excluded.recorded_at,
    settled_at = excluded.settled_at, settled_by = excluded.settled_by
"""

TWINS_SETTLED = """
DELETE FROM twin t WHERE t.appeal_id = ANY($1::uuid[]) AND NOT EXISTS (
    SELECT FROM unnest($2::uuid[], $3::uuid[]) AS k (appeal_id, other)
    WHERE k.appeal_id = t.appeal_id AND k.other = t.other)
"""

TWIN = """
INSERT INTO twin (appeal_id, other, number, date, noted_at)
SELECT a, b, c, d, $5::timestamptz
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[]) AS u (a, b, c, d)
ON CONFLICT (appeal_id, other) DO UPDATE SET number = excluded.number, date = excluded.date
"""


def write(
    connection: Connection[Any],
    appeal_id: UUID,
    state: AppealState,
    head: Appended,
    now: dt.datetime,
    is_ours: IsOurs,
) -> None:
    """Write the projection of one appeal whose head is locked."""
    write_all(connection, [(appeal_id, state, head)], now, is_ours)


def write_all(
    connection: Connection[Any],
    items: Sequence[tuple[UUID, AppealState, Appended]],
    now: dt.datetime,
    is_ours: IsOurs,
) -> None:
    """Write the projections of appeals whose heads are locked, each once, in few statements.

    is_ours: asked of every registration, and heard only where its row is new.
    """
    if not items:
        return
    ids = UuidArray.of([appeal_id for appeal_id, _, _ in items])
    made = [(appeal_id, rows_of(state, is_ours), head) for appeal_id, state, head in items]
    connection.execute(
        APPEAL,
        (
            ids,
            TextArray.of([rows.state for _, rows, _ in made]),
            Int4Array.of([rows.revision for _, rows, _ in made]),
            Int4Array.of([head.seq for _, _, head in made]),
            ByteaArray.of([head.hash for _, _, head in made]),
            TextArray.of([rows.executor for _, rows, _ in made]),
            TextArray.of([rows.route_rule for _, rows, _ in made]),
            TextArray.of([rows.route_reason for _, rows, _ in made]),
            UuidArray.of([rows.merged_into for _, rows, _ in made]),
        ),
    )
    questions = [(a, q) for a, rows, _ in made for q in rows.questions]
    connection.execute(
        QUESTION,
        (
            UuidArray.of([a for a, _ in questions]),
            Int2Array.of([q.ordinal for _, q in questions]),
            UuidArray.of([q.id for _, q in questions]),
            TextArray.of([q.state for _, q in questions]),
            TextArray.of([q.topic for _, q in questions]),
            TextArray.of([q.executor for _, q in questions]),
            TextArray.of([" ".join(q.flags) for _, q in questions]),
            TextArray.of([msgspec.json.encode(q.facts).decode() for _, q in questions]),
        ),
    )
    _write_registrations(connection, ids, made, now)
    _write_deadlines(connection, ids, made, now)
    _write_conflicts(connection, made)
    tied = [a for a, state, _ in items if state.links or state.apart]
    if tied:
        _write_twins(connection, tied, made, now)


def _write_registrations(
    connection: Connection[Any], ids: UuidArray, made: Made, now: dt.datetime
) -> None:
    found = [(a, r) for a, rows, _ in made for r in rows.registrations]
    owners = UuidArray.of([a for a, _ in found])
    bodies = TextArray.of([r.organisation for _, r in found])
    numbers = TextArray.of([r.number for _, r in found])
    if found:
        connection.execute(
            REGISTRATION,
            (
                owners,
                bodies,
                numbers,
                TextArray.of([r.number_key for _, r in found]),
                TextArray.of([r.register for _, r in found]),
                DateArray.of([r.date for _, r in found]),
                BoolArray.of([r.is_ours for _, r in found]),
            ),
        )
    connection.execute(ANNULLED, (ids, now, owners, bodies, numbers))


def _write_deadlines(
    connection: Connection[Any], ids: UuidArray, made: Made, now: dt.datetime
) -> None:
    found = [(a, d) for a, rows, _ in made for d in rows.deadlines]
    owners = UuidArray.of([a for a, _ in found])
    questions = Int2Array.of([d.question for _, d in found])
    rules = TextArray.of([d.rule for _, d in found])
    connection.execute(DEADLINES_CLOSED, (ids, now, owners, questions, rules))
    if found:
        connection.execute(
            DEADLINE,
            (
                owners,
                questions,
                rules,
                TextArray.of([d.article for _, d in found]),
                DateArray.of([d.start for _, d in found]),
                DateArray.of([d.due_internal for _, d in found]),
                DateArray.of([d.due_legal for _, d in found]),
                TextArray.of([d.ground for _, d in found]),
                BoolArray.of([d.unconfirmed for _, d in found]),
            ),
        )


def _write_conflicts(connection: Connection[Any], made: Made) -> None:
    found = [(a, c) for a, rows, _ in made for c in rows.conflicts]
    if found:
        connection.execute(
            CONFLICT,
            (
                UuidArray.of([a for a, _ in found]),
                UuidArray.of([c.message_id for _, c in found]),
                TextArray.of([c.peer for _, c in found]),
                TextArray.of([c.reason for _, c in found]),
                InstantArray.of([c.recorded_at for _, c in found]),
                InstantArray.of([c.settled_at for _, c in found]),
                TextArray.of([c.settled_by for _, c in found]),
            ),
        )


def _write_twins(
    connection: Connection[Any], tied: Sequence[UUID], made: Made, now: dt.datetime
) -> None:
    found = [(a, t) for a, rows, _ in made for t in rows.twins]
    owners = UuidArray.of([a for a, _ in found])
    others = UuidArray.of([t.other for _, t in found])
    connection.execute(TWINS_SETTLED, (UuidArray.of(tied), owners, others))
    if found:
        numbers = TextArray.of([t.number for _, t in found])
        days = DateArray.of([t.date for _, t in found])
        connection.execute(TWIN, (owners, others, numbers, days, now))
