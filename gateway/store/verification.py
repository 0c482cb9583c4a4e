"""Proves that what is stored is what happened: chains, heads, contents, projections.

An appeal is sound when its events chain to its head, every content has the digest its event names
or was erased, and its projections are what its events amount to. A batch is read in one snapshot,
so that workers may go on meanwhile.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from psycopg.rows import namedtuple_row

from gateway.errors import GatewayError
from gateway.lifecycle import fold
from gateway.model import upcast
from gateway.model.base import NIL
from gateway.model.events import verify_chain
from gateway.store import history, letters, numbers, partitions, places, projected, projections
from gateway.store.arrays import UuidArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from psycopg import Connection

    from gateway.model.events import Event, StoredEvent

BATCH: Final = 200

IDS = "SELECT id FROM appeal WHERE id > $1 ORDER BY id LIMIT $2"

HEADS = """
SELECT id, receipt_number, state, revision, head_seq, head_hash, executor, route_rule, route_reason,
       merged_into, content_id
FROM appeal WHERE id = ANY($1::uuid[])
"""

QUESTIONS = """
SELECT appeal_id, ordinal, id, state, topic, executor, flags, facts
FROM question WHERE appeal_id = ANY($1::uuid[])
"""

REGISTRATIONS = """
SELECT appeal_id, organisation, number, number_key, register, date, is_ours
FROM registration WHERE appeal_id = ANY($1::uuid[]) AND annulled_at IS NULL
"""

DEADLINES = """
SELECT appeal_id, question, rule, article, start, due_internal, due_legal, ground,
       unconfirmed_calendar
FROM deadline WHERE appeal_id = ANY($1::uuid[]) AND closed_at IS NULL
"""

CONFLICTS = """
SELECT appeal_id, message_id, peer, reason, recorded_at, settled_at, settled_by
FROM conflict WHERE appeal_id = ANY($1::uuid[])
"""

TWINS = "SELECT appeal_id, other, number, date FROM twin WHERE appeal_id = ANY($1::uuid[])"

REFERENCES = """
SELECT appeal_id, peer, kind, value, value_key FROM external_ref WHERE appeal_id = ANY($1::uuid[])
"""

LETTERS = """
SELECT appeal_id, number_key, date, senders FROM letter WHERE appeal_id = ANY($1::uuid[])
"""

PLACES = """
SELECT appeal_id, role, seq, outcome, confidence, guid, house_guid, level, region, oktmo,
       gar_version, by, decided_by, at, doubt
FROM place WHERE appeal_id = ANY($1::uuid[])
"""

WAITING = "SELECT message_id FROM work WHERE appeal_id = ANY($1::uuid[])"

CONTENTS = """
SELECT appeal_id, id, digest, salt, bytes, erased_at FROM content WHERE appeal_id = ANY($1::uuid[])
"""

LOST = """
SELECT l.appeal_id, l.receipt_number FROM ledger l LEFT JOIN appeal a ON a.id = l.appeal_id
WHERE l.kind = 'appeal' AND a.id IS NULL AND l.appeal_id >= $1
"""
"""Appeals whose receipt was given and that are not there."""

OLDEST_MONTH = r"""
SELECT min(substring(c.relname FROM '_(\d{4}_\d{2})$'))
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'appeal'::regclass
"""

DROP_QUESTIONS = "DELETE FROM question WHERE appeal_id = $1 AND ordinal > $2"

DROP_DEADLINES = "DELETE FROM deadline WHERE appeal_id = $1 AND closed_at IS NULL"

DROP_REGISTRATIONS = "DELETE FROM registration WHERE appeal_id = $1 AND annulled_at IS NULL"

DROP = tuple(
    f"DELETE FROM {table} WHERE appeal_id = $1"  # noqa: S608 - our own tables
    for table in ("conflict", "twin", "place")
)

DROP_NUMBERS = tuple(
    f"DELETE FROM {table} WHERE appeal_id = $1"  # noqa: S608 - our own tables
    for table in ("external_ref", "letter")
)


class Fault(NamedTuple):
    """What is wrong with one appeal. kind: chain, head, content, unreadable, projection or lost."""

    appeal_id: UUID
    receipt_number: str
    kind: str
    detail: str


class Verified(NamedTuple):
    """What was looked at, and every fault. events, contents: counts; erased: of the contents."""

    appeals: int
    events: int
    contents: int
    erased: int
    faults: tuple[Fault, ...]


class Stored(NamedTuple):
    """Everything stored of a batch, by appeal."""

    heads: dict[UUID, Any]
    events: dict[UUID, list[StoredEvent]]
    contents: dict[UUID, list[Any]]
    questions: dict[UUID, list[Any]]
    registrations: dict[UUID, list[Any]]
    deadlines: dict[UUID, list[Any]]
    conflicts: dict[UUID, list[Any]]
    twins: dict[UUID, list[Any]]
    references: dict[UUID, list[Any]]
    letters: dict[UUID, list[Any]]
    places: dict[UUID, list[Any]]
    waiting: frozenset[UUID]


def batches(connection: Connection[Any], size: int = BATCH) -> Iterator[list[UUID]]:
    """Yield the ids of all appeals, oldest first."""
    after = NIL
    while ids := [row[0] for row in connection.execute(IDS, (after, size))]:
        yield ids
        after = ids[-1]


def verify(connection: Connection[Any], ids: Sequence[UUID]) -> Verified:
    """Look at a batch of appeals in one snapshot; no setting of today decides what is found."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        stored = _read(connection, ids)
    faults: list[Fault] = []
    for appeal_id in ids:
        if appeal_id in stored.heads:
            faults += _faults(stored, appeal_id)
    contents = [row for rows in stored.contents.values() for row in rows]
    return Verified(
        appeals=len(stored.heads),
        events=sum(map(len, stored.events.values())),
        contents=len(contents),
        erased=sum(row.erased_at is not None for row in contents),
        faults=tuple(faults),
    )


def lost(connection: Connection[Any]) -> list[Fault]:
    """Return appeals whose receipt was given and that are not there any more.

    The ledger outlives months that retention has dropped as a whole: they are not looked for.
    """
    label = connection.execute(OLDEST_MONTH).fetchone()
    since = NIL
    if label is not None and label[0]:
        year, month = map(int, label[0].split("_"))
        since = partitions.lower_bound(partitions.Month(year, month).start)
    return [
        Fault(appeal_id, receipt, "lost", "a receipt was given, and there is no appeal")
        for appeal_id, receipt in connection.execute(LOST, (since,))
    ]


def rebuild(connection: Connection[Any], appeal_id: UUID) -> None:
    """Write the projections of one appeal anew from its events, in one transaction.

    Raises GatewayError when its events cannot be read. The caller has seen that the chain is whole.
    """
    with connection.transaction():
        head = history.lock(connection, [appeal_id])[appeal_id]
        events = history.load(connection, [appeal_id])[appeal_id]
        state = fold(events)
        stored = _read(connection, [appeal_id])
        for statement in (DROP_REGISTRATIONS, DROP_DEADLINES, *DROP):
            connection.execute(statement.encode(), (appeal_id,))
        last = max((q.ordinal for q in state.questions), default=0)
        connection.execute(DROP_QUESTIONS, (appeal_id, last))
        projections.write(
            connection,
            appeal_id,
            state,
            history.Appended(head.head_seq, head.head_hash),
            events[-1].recorded_at,
            projected.as_written(events, stored.registrations.get(appeal_id, [])),
        )
        _rebuild_numbers(connection, appeal_id, events, stored)
        sound = _sound(stored.contents.get(appeal_id, []))
        places.write(connection, [(appeal_id, places.rows_of(events, sound))])


def _rebuild_numbers(
    connection: Connection[Any], appeal_id: UUID, events: list[Event], stored: Stored
) -> None:
    """Write the numbers anew from the contents; what an erased one brought is left alone."""
    contents = _sound(stored.contents.get(appeal_id, []))
    told = numbers.told(events, contents, stored.waiting)
    if told.whole:
        for statement in DROP_NUMBERS:
            connection.execute(statement.encode(), (appeal_id,))
    numbers.refer(connection, appeal_id, sorted(told.references))
    letters.write(connection, {appeal_id: told.letter} if told.letter else {})


def total(parts: Iterable[Verified]) -> Verified:
    """Add up what batches found."""
    appeals = events = contents = erased = 0
    faults: list[Fault] = []
    for part in parts:
        appeals += part.appeals
        events += part.events
        contents += part.contents
        erased += part.erased
        faults += part.faults
    return Verified(appeals, events, contents, erased, tuple(faults))


def _read(connection: Connection[Any], ids: Sequence[UUID]) -> Stored:
    wanted = UuidArray.of(list(ids))
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        heads: dict[UUID, Any] = {row[0]: row for row in cursor.execute(HEADS, (wanted,))}
        found = [
            _by_appeal(cursor.execute(query, (wanted,)))
            for query in (
                CONTENTS, QUESTIONS, REGISTRATIONS, DEADLINES, CONFLICTS, TWINS, REFERENCES,
                LETTERS, PLACES,
            )
        ]  # fmt: skip
        waiting = frozenset(row[0] for row in cursor.execute(WAITING, (wanted,)))
    events = history.stored(connection, list(ids))
    contents, questions, registrations, deadlines, conflicts, twins, references, held, known = found
    return Stored(
        heads, events, contents, questions, registrations, deadlines, conflicts, twins, references,
        held, known, waiting,
    )  # fmt: skip


def _by_appeal(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.appeal_id, []).append(row)
    return grouped


def _faults(stored: Stored, appeal_id: UUID) -> Iterator[Fault]:
    head = stored.heads[appeal_id]
    receipt = head.receipt_number
    rows = stored.events[appeal_id]
    found = verify_chain(appeal_id, rows)
    if isinstance(found, str):
        yield Fault(appeal_id, receipt, "chain", found)
        return
    if found != (head.head_seq, bytes(head.head_hash)):
        yield Fault(
            appeal_id, receipt, "head", f"head names event {head.head_seq}, the last is {found[0]}"
        )
        return
    try:
        events = [upcast.load(appeal_id, row.seq, row.type, row.body) for row in rows]
        state = fold(events)
    except GatewayError as error:
        yield Fault(appeal_id, receipt, "unreadable", str(error))
        return
    contents = stored.contents.get(appeal_id, [])
    sound = _sound(contents)
    for detail in _content_faults(events, contents, sound, head.content_id):
        yield Fault(appeal_id, receipt, "content", detail)
    whose = projected.as_written(events, stored.registrations.get(appeal_id, []))
    for detail in _projection_faults(stored, appeal_id, projected.rows_of(state, whose)):
        yield Fault(appeal_id, receipt, "projection", detail)
    told = numbers.told(events, sound, stored.waiting)
    for detail in _number_faults(stored, appeal_id, told):
        yield Fault(appeal_id, receipt, "projection", detail)
    for detail in _place_faults(stored.places.get(appeal_id, []), events, sound):
        yield Fault(appeal_id, receipt, "projection", detail)


def _place_faults(
    rows: Sequence[Any], events: Sequence[Event], sound: Mapping[bytes, bytes]
) -> Iterator[str]:
    """Hold the places against events and contents; of an erased content only the outcome counts."""
    erased = {e.seq for e in events if e.content and bytes.fromhex(e.content) not in sound}
    wanted = [row for row in places.rows_of(events, sound).values() if row is not None]
    stored = [
        row._replace(guid=None, house_guid=None, region="", oktmo="") if row.seq in erased else row
        for row in (places.Row(*row[1:]) for row in rows)
    ]
    yield from _same("place", stored, wanted)


def _sound(rows: Iterable[Any]) -> dict[bytes, bytes]:
    """Return the contents that are what their digests say, by digest."""
    return {
        bytes(row.digest): bytes(row.bytes)
        for row in rows
        if row.bytes is not None
        and row.salt is not None
        and sha256(bytes(row.salt) + bytes(row.bytes)).digest() == bytes(row.digest)
    }


def _content_faults(
    events: Sequence[Event], rows: Sequence[Any], sound: Mapping[bytes, bytes], current: UUID
) -> Iterator[str]:
    """Hold each content against the digest its event names; an erased one is no fault."""
    known = {bytes(row.digest): row for row in rows}
    for event in events:
        if event.content is None:
            continue
        digest = bytes.fromhex(event.content)
        row = known.get(digest)
        if row is None:
            yield f"content of event {event.seq} is missing"
        elif row.erased_at is None and digest not in sound:
            yield f"content of event {event.seq} was changed or removed without a record"
    if all(row.id != current for row in rows):
        yield "the appeal names a content that is not there"


def _projection_faults(stored: Stored, appeal_id: UUID, wanted: projected.Rows) -> Iterator[str]:
    head = stored.heads[appeal_id]
    for name in ("state", "revision", "executor", "route_rule", "route_reason", "merged_into"):
        was, is_ = getattr(head, name), getattr(wanted, name)
        if was != is_:
            yield f"appeal.{name} is {was!r}, the events say {is_!r}"
    yield from _questions(stored.questions.get(appeal_id, []), wanted.questions)
    yield from _same(
        "registration",
        [tuple(row[1:]) for row in stored.registrations.get(appeal_id, [])],
        [tuple(row) for row in wanted.registrations],
    )
    yield from _same(
        "deadline",
        [tuple(row[1:]) for row in stored.deadlines.get(appeal_id, [])],
        [tuple(row) for row in wanted.deadlines],
    )
    for what, rows, rebuilt in (
        ("conflict", stored.conflicts, wanted.conflicts),
        ("twin", stored.twins, wanted.twins),
    ):
        found = [tuple(row[1:]) for row in rows.get(appeal_id, [])]
        yield from _same(what, found, [tuple(row) for row in rebuilt])


def _number_faults(stored: Stored, appeal_id: UUID, told: numbers.Told) -> Iterator[str]:
    """Hold the numbers against the contents; what an erased one brought cannot be missed."""
    references = [tuple(row[1:]) for row in stored.references.get(appeal_id, [])]
    letter = [(row[1], row[2], tuple(row[3])) for row in stored.letters.get(appeal_id, [])]
    wanted = [(*told.letter.key, told.letter.senders)] if told.letter else []
    if not told.whole:
        references = [row for row in references if row in told.references]
        letter = letter if wanted else []
    yield from _same("external_ref", references, [tuple(r) for r in told.references])
    yield from _same("letter", letter, wanted)


def _questions(rows: Sequence[Any], wanted: Sequence[projected.QuestionRow]) -> Iterator[str]:
    stored = {row.ordinal: row for row in rows}
    for question in wanted:
        row = stored.pop(question.ordinal, None)
        if row is None:
            yield f"question {question.ordinal} is missing"
            continue
        # A topic that came with the content stands until an event names another.
        for name in ("id", "state", "executor", *(["topic"] if question.topic else [])):
            if getattr(row, name) != getattr(question, name):
                yield (
                    f"question {question.ordinal}: {name} is {getattr(row, name)!r}, the events "
                    f"say {getattr(question, name)!r}"
                )
        if sorted(row.flags) != question.flags or _told(row.facts) != _told(question.facts):
            yield f"question {question.ordinal}: flags or facts differ from the events"
    for ordinal in stored:
        yield f"question {ordinal} is in no event"


def _told(facts: dict[str, Any]) -> Any:
    """Return facts as the database gives them back: in JSON a list is the only sequence."""
    told = {key: value for key, value in facts.items() if value is not None}
    return msgspec.json.decode(msgspec.json.encode(told))


def _same(what: str, stored: Sequence[Any], wanted: Sequence[Any]) -> Iterator[str]:
    missing, stray = Counter(wanted) - Counter(stored), Counter(stored) - Counter(wanted)
    for row in missing:
        yield f"{what} {row[:2]} is missing or differs"
    for row in stray:
        yield f"{what} {row[:2]} is not what the events say"
