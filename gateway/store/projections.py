"""Projections: the rows that a state amounts to, and how they are written.

`rows_of` is pure, so that `gateway verify --rebuild` can compute the same rows from the events and
hold them against the stored ones.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.lifecycle import ties
from gateway.model.base import NIL
from gateway.model.fold import number_key
from gateway.model.ids import question_id
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

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from psycopg import Connection

    from gateway.lifecycle.state import AppealState, QuestionState
    from gateway.lifecycle.ties import Dispute
    from gateway.store.history import Appended

    Made = Sequence[tuple[UUID, "Rows", Appended]]

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
SET number_key = excluded.number_key, register = excluded.register, date = excluded.date,
    is_ours = excluded.is_ours
"""

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
SET due_internal = excluded.due_internal, due_legal = excluded.due_legal, closed_at = NULL,
    ground = excluded.ground, unconfirmed_calendar = excluded.unconfirmed_calendar
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


class QuestionRow(NamedTuple):
    """One row of `question` as a state amounts to it."""

    ordinal: int
    id: UUID
    state: str
    topic: str
    executor: str
    flags: list[str]
    facts: dict[str, Any]


class RegistrationRow(NamedTuple):
    """One row of `registration`; organisation is empty when nobody said who registered."""

    organisation: str
    number: str
    number_key: str
    register: str
    date: dt.date
    is_ours: bool


class DeadlineRow(NamedTuple):
    """One running term; question 0 is the appeal as a whole."""

    question: int
    rule: str
    article: str
    start: dt.date
    due_internal: dt.date
    due_legal: dt.date
    ground: str
    unconfirmed: bool


class ConflictRow(NamedTuple):
    """What one message contradicted; settled when a person has settled all of it."""

    message_id: UUID
    peer: str
    reason: str
    recorded_at: dt.datetime
    settled_at: dt.datetime | None
    settled_by: str


class TwinRow(NamedTuple):
    """An appeal that may be the same letter; number: as this appeal spells it."""

    other: UUID
    number: str
    date: dt.date


class Rows(NamedTuple):
    """Everything a state projects, without what the events do not decide (instants of rows)."""

    state: str
    revision: int
    executor: str
    route_rule: str
    route_reason: str
    merged_into: UUID | None
    questions: tuple[QuestionRow, ...]
    registrations: tuple[RegistrationRow, ...]
    deadlines: tuple[DeadlineRow, ...]
    conflicts: tuple[ConflictRow, ...]
    twins: tuple[TwinRow, ...]


def rows_of(state: AppealState, our_organisation: str) -> Rows:
    """Return the rows that a state amounts to; pure."""
    routed = state.routed
    executor = next((q.executor.facts.organisation for q in state.questions if q.executor), "") or (
        routed.organisation if routed else ""
    )
    registrations = {
        (r.organisation, r.number): RegistrationRow(
            r.organisation, r.number, r.number_key or number_key(r.number), r.register, r.date,
            bool(our_organisation) and r.organisation == our_organisation,
        )
        for q in state.questions
        for r in q.registrations
        if r.number and r.date
    }  # fmt: skip
    deadlines = [
        _deadline(ordinal, facts)
        for ordinal, running in (
            (0, state.deadlines),
            *((q.ordinal, q.deadlines) for q in state.questions),
        )
        for facts in running
    ]
    return Rows(
        state=state.state.value,
        revision=state.revision,
        executor=executor,
        route_rule=routed.rule if routed else "",
        route_reason=routed.reason if routed else "",
        merged_into=state.merged_into,
        questions=tuple(_question(state.appeal_id or NIL, q) for q in state.questions),
        registrations=tuple(registrations.values()),
        deadlines=tuple(deadlines),
        conflicts=_conflicts(state.disputes),
        twins=tuple(
            TwinRow(other, link.number, link.date)
            for other, link in ties.twins(state.links, state.merged_into)
            if link.date is not None
        ),
    )


def write(
    connection: Connection[Any],
    appeal_id: UUID,
    state: AppealState,
    head: Appended,
    now: dt.datetime,
    our_organisation: str,
) -> None:
    """Write the projection of one appeal whose head is locked."""
    write_all(connection, [(appeal_id, state, head)], now, our_organisation)


def write_all(
    connection: Connection[Any],
    items: Sequence[tuple[UUID, AppealState, Appended]],
    now: dt.datetime,
    our_organisation: str,
) -> None:
    """Write the projections of appeals whose heads are locked, each once, in few statements."""
    if not items:
        return
    ids = UuidArray.of([appeal_id for appeal_id, _, _ in items])
    made = [(appeal_id, rows_of(state, our_organisation), head) for appeal_id, state, head in items]
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


def _conflicts(disputes: Sequence[Dispute]) -> tuple[ConflictRow, ...]:
    """One row a message, however many questions it contradicted; our own acts are refused."""
    by_message: dict[UUID, list[Dispute]] = {}
    for dispute in disputes:
        if dispute.message is not None:
            by_message.setdefault(dispute.message, []).append(dispute)
    return tuple(_conflict(message, found) for message, found in by_message.items())


def _conflict(message: UUID, found: Sequence[Dispute]) -> ConflictRow:
    settled = [d for d in found if d.settled_at is not None]
    last = max(settled, key=lambda d: d.settled_at or d.at, default=None)
    over = last if len(settled) == len(found) else None
    return ConflictRow(
        message_id=message,
        peer=found[0].peer,
        reason="; ".join(dict.fromkeys(d.reason for d in found if d.reason)),
        recorded_at=found[0].at,
        settled_at=over.settled_at if over else None,
        settled_by=over.settled_by if over else "",
    )


def _question(appeal_id: UUID, q: QuestionState) -> QuestionRow:
    return QuestionRow(
        ordinal=q.ordinal,
        id=question_id(appeal_id, q.ordinal),
        state=q.state.value,
        topic=q.topics[-1].code if q.topics else "",
        executor=q.executor.facts.organisation if q.executor else "",
        flags=sorted(q.flags),
        facts=msgspec.to_builtins(
            {
                "answer": q.answer,
                "transfer": q.transfer,
                "decline": q.decline,
                "delivery": q.delivery,
                "registered_on": q.registered_on,
                "end": q.end,
            }
        ),
    )


def _deadline(question: int, facts: Any) -> DeadlineRow:
    return DeadlineRow(
        question=question,
        rule=facts.rule,
        article=facts.article,
        start=_day(facts.start),
        due_internal=_day(facts.due_internal),
        due_legal=_day(facts.due_legal),
        ground=facts.ground,
        unconfirmed=not facts.confirmed,
    )


def _day(text: str) -> dt.date:
    """The calendar day of a day, or of an instant in its own offset (terms in hours)."""
    return dt.date.fromisoformat(text[:10])
