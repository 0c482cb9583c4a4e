"""What one event does to the terms of an appeal: opens, moves and closes them.

A last day that is not worked goes by two conventions at once: `due_internal` to the preceding
working day, by which the body plans, `due_legal` to the next one, by which it is judged.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from gateway.lifecycle.state import MOSCOW, When, day_of
from gateway.model import facts as f
from gateway.model.events import Event, EventType, parse_moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.deadlines.calendar import Calendar
    from gateway.deadlines.terms import End, Term


class Due(NamedTuple):
    """When a term runs out: days, or instants for terms in hours.

    confirmed: False when a year that had to be looked at has no confirmed calendar.
    """

    internal: When
    legal: When
    confirmed: bool


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What opening a term needs to know about the appeal, after the event is applied.

    received: when the gateway received it. registered_on: day of the question's registration, None
    while no number is known. marks: conditions the table names (`migration`, `several_bodies`,
    `only_complained_body`, `emergency`, `important`). zone: of the body.
    """

    regime: str
    received: When
    registered_on: dt.date | None = None
    marks: frozenset[str] = frozenset()
    zone: dt.tzinfo = MOSCOW
    day_starts: dt.time = dt.time(9)
    day_ends: dt.time = dt.time(18)


class DeadlineSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A deadline as it is to be written; question None when it runs on the whole appeal."""

    question: int | None
    facts: f.DeadlineFacts


class Change(NamedTuple):
    """One thing an event does to the terms: DeadlineOpened, DeadlineMoved or DeadlineClosed.

    overdue: closed after its legal day; always False for a window, which only lapses.
    """

    type: EventType
    spec: DeadlineSpec
    overdue: bool = False


def due(
    term: Term,
    start: When,
    calendar: Calendar,
    zone: dt.tzinfo = MOSCOW,
    hours: tuple[dt.time, dt.time] = (dt.time(9), dt.time(18)),
) -> Due:
    """Return when a term that starts at a moment runs out.

    A day that starts a count does not count itself (`day_after_start`). A bare day as the start of
    a term in hours counts from its first minute, which is the stricter reading.
    """
    if term.unit in {"hour", "working_hour"}:
        return _due_hours(term, start, calendar, zone, hours)
    day = day_of(start, zone)
    if term.unit == "working_day":
        last, known = _add_working_days(term, day, calendar)
        return Due(last, last, known)
    last = day + dt.timedelta(days=term.count - (0 if term.day_after_start else 1))
    internal, sure = _settle(last, term.internal_end, calendar)
    legal, known = _settle(last, term.legal_end, calendar)
    if internal < day:
        # Received on a long holiday: no working day lies between, so the next one it is.
        internal = legal
    return Due(internal, legal, sure and known)


def _settle(day: dt.date, end: End, calendar: Calendar) -> tuple[dt.date, bool]:
    step = {"preceding": -1, "next": 1, "same": 0}[end]
    known = calendar.is_confirmed(day) or not step
    while step and not calendar.is_working(day):
        day += dt.timedelta(days=step)
        known = known and calendar.is_confirmed(day)
    return day, known


def _add_working_days(term: Term, day: dt.date, calendar: Calendar) -> tuple[dt.date, bool]:
    left = term.count
    known = calendar.is_confirmed(day)
    if not term.day_after_start and calendar.is_working(day):
        left -= 1
    while left > 0:
        day += dt.timedelta(days=1)
        known = known and calendar.is_confirmed(day)
        left -= calendar.is_working(day)
    return day, known


def _due_hours(
    term: Term,
    start: When,
    calendar: Calendar,
    zone: dt.tzinfo,
    hours: tuple[dt.time, dt.time],
) -> Due:
    at = (
        start.astimezone(zone)
        if isinstance(start, dt.datetime)
        else dt.datetime.combine(start, dt.time(), zone)
    )
    left = dt.timedelta(hours=term.count)
    if term.unit == "hour":
        end = (at.astimezone(dt.UTC) + left).astimezone(zone)
        return Due(end, end, confirmed=True)
    known = True
    while True:
        known = known and calendar.is_confirmed(at.date())
        opens = max(at, dt.datetime.combine(at.date(), hours[0], zone))
        closes = dt.datetime.combine(at.date(), hours[1], zone)
        room = max(closes - opens, dt.timedelta())
        if calendar.is_working(at.date()):
            if left <= room:
                return Due(opens + left, opens + left, known)
            left -= room
        at = dt.datetime.combine(at.date() + dt.timedelta(days=1), dt.time(), zone)


def changes(
    event: Event,
    subject: Subject,
    running: Iterable[DeadlineSpec],
    terms: tuple[Term, ...],
    calendar: Calendar,
) -> tuple[Change, ...]:
    """Return everything an event does to the terms, in the order it is to be written.

    running: the deadlines now open on this appeal.
    """
    running = tuple(running)
    closed = close_for(event, running, terms, subject.zone)
    gone = {(c.spec.question, c.spec.facts.rule) for c in closed}
    rest = [d for d in running if (d.question, d.facts.rule) not in gone]
    moved = move_for(event, subject, rest, terms, calendar)
    known = {(d.question, d.facts.rule) for d in rest}
    opened = tuple(
        Change(EventType.DEADLINE_OPENED, spec)
        for spec in open_for(event, subject, terms, calendar)
        if (spec.question, spec.facts.rule) not in known
    )
    return closed + moved + opened


def open_for(
    event: Event, subject: Subject, terms: tuple[Term, ...], calendar: Calendar
) -> tuple[DeadlineSpec, ...]:
    """Return the deadlines an event opens; a late event opens none."""
    if event.late or _is_copy(event):
        return ()
    return tuple(
        DeadlineSpec(
            question=None if term.subject == "appeal" else event.question,
            facts=_computed(term, event, subject, calendar),
        )
        for term in terms
        if event.type in term.opens_on and _meets(term, event, subject)
    )


def _meets(term: Term, event: Event, subject: Subject) -> bool:
    if subject.regime not in term.regimes:
        return False
    if not term.when <= subject.marks or term.unless & subject.marks:
        return False
    if term.subject == "notice" and getattr(event.payload, "applicant_notified_on", None):
        return False  # the applicant has been told already
    if isinstance(event.payload, f.DeclineFacts) and term.parts:
        return event.payload.part in term.parts
    if isinstance(event.payload, f.TransferFacts) and term.grounds:
        return event.payload.ground in term.grounds
    return True


def _is_copy(event: Event) -> bool:
    return isinstance(event.payload, f.TransferFacts) and event.payload.copy


_GUESSED: Final = "дата регистрации предположена"


def _computed(term: Term, event: Event, subject: Subject, calendar: Calendar) -> f.DeadlineFacts:
    start, ground = event.occurred_at, ""
    if term.start == "received":
        start = subject.received
    elif term.start == "registered" and subject.registered_on is not None:
        start = subject.registered_on
    elif term.start == "registered":
        ground = _GUESSED
    elif term.start == "decided" and isinstance(event.payload, f.ExtensionFacts):
        start = event.payload.decided_on or start
    if term.unit in {"calendar_day", "working_day"}:
        start = day_of(start, subject.zone)
    found = due(term, start, calendar, subject.zone, (subject.day_starts, subject.day_ends))
    if (named := _named(term, event)) is not None:
        internal, known = _settle(named, term.internal_end, calendar)
        found = Due(internal, named, known)
    return f.DeadlineFacts(
        rule=term.id,
        article=term.article,
        kind=term.kind,
        start=start.isoformat(),
        due_internal=found.internal.isoformat(),
        due_legal=found.legal.isoformat(),
        confirmed=found.confirmed,
        ground=ground,
    )


def _named(term: Term, event: Event) -> dt.date | None:
    """Return the day that whoever opened a term named for its end: of a rework, a clarification."""
    told = event.payload
    if term.start != "event" or not isinstance(told, f.ReasonFacts | f.ClarificationFacts):
        return None
    return told.due


def close_for(
    event: Event,
    running: Iterable[DeadlineSpec],
    terms: tuple[Term, ...],
    zone: dt.tzinfo = MOSCOW,
) -> tuple[Change, ...]:
    """Return the deadlines an event closes, each with whether it came too late.

    A late event closes nothing: what it tells of was passed before. A copy sent to another body
    (59-ФЗ art. 8 part 4) closes only the term for copies.
    """
    by_id = {term.id: term for term in terms}
    found = []
    for spec in running:
        term = by_id.get(spec.facts.rule)
        if term is None or not _closes(term, spec, event):
            continue
        facts = msgspec.structs.replace(spec.facts, ground=event.type.value)
        overdue = spec.facts.kind == "duty" and _after(
            event.occurred_at, parse_moment(spec.facts.due_legal), zone
        )
        found.append(
            Change(
                EventType.DEADLINE_CLOSED,
                DeadlineSpec(question=spec.question, facts=facts),
                overdue,
            )
        )
    return tuple(found)


def _closes(term: Term, spec: DeadlineSpec, event: Event) -> bool:
    if event.late or event.type not in term.closes_on:
        return False
    if spec.question is not None and event.question not in {None, spec.question}:
        return False
    if _is_copy(event) and not term.copies_close:
        return False
    if event.type is EventType.LETTER_SENT and isinstance(event.payload, f.AnswerFacts):
        letter = event.payload
        full = f"{letter.kind}:{letter.notice}" if letter.notice else letter.kind
        return full in term.letters
    return True


def _after(at: When, end: When, zone: dt.tzinfo) -> bool:
    if isinstance(at, dt.datetime) and isinstance(end, dt.datetime):
        return at > end
    return day_of(at, zone) > day_of(end, zone)


def move_for(
    event: Event,
    subject: Subject,
    running: Iterable[DeadlineSpec],
    terms: tuple[Term, ...],
    calendar: Calendar,
) -> tuple[Change, ...]:
    """Return the deadlines an event moves: an extension, or the true date of a registration.

    An extension reaches at most `extension_days` past the first legal day, whatever was decided
    (59-ФЗ art. 12 part 2). A registration that comes late moves the terms that were counted from a
    guessed or a later day.
    """
    by_id = {term.id: term for term in terms}
    found = []
    for spec in running:
        term = by_id.get(spec.facts.rule)
        if term is None or event.question not in {None, spec.question}:
            continue
        if event.type is EventType.EXTENDED and term.extension_days is not None:
            facts = _extended(term, spec.facts, event, subject, calendar)
        elif event.type is EventType.REGISTERED and term.start == "registered":
            facts = _restarted(term, spec.facts, event, subject, calendar)
        else:
            continue
        if facts != spec.facts:
            moved = DeadlineSpec(question=spec.question, facts=facts)
            found.append(Change(EventType.DEADLINE_MOVED, moved))
    return tuple(found)


def _extended(
    term: Term, known: f.DeadlineFacts, event: Event, subject: Subject, calendar: Calendar
) -> f.DeadlineFacts:
    told = event.payload
    if not isinstance(told, f.ExtensionFacts) or told.new_due is None:
        return known
    first = due(term, parse_moment(known.start), calendar, subject.zone)
    bound = day_of(first.legal, subject.zone) + dt.timedelta(days=term.extension_days or 0)
    last = min(told.new_due, bound)
    internal, sure = _settle(last, term.internal_end, calendar)
    legal, certain = _settle(last, term.legal_end, calendar)
    if legal <= day_of(parse_moment(known.due_legal), subject.zone):
        return known
    return msgspec.structs.replace(
        known,
        due_internal=internal.isoformat(),
        due_legal=legal.isoformat(),
        confirmed=sure and certain,
        ground=told.ground,
    )


def _restarted(
    term: Term, known: f.DeadlineFacts, event: Event, subject: Subject, calendar: Calendar
) -> f.DeadlineFacts:
    if subject.registered_on is None or subject.registered_on.isoformat() == known.start:
        return known
    extended = known.ground not in {"", _GUESSED}
    fresh = _computed(term, event, subject, calendar)
    if extended:
        # The decision named a day of its own; only the beginning is put right.
        return msgspec.structs.replace(known, start=fresh.start)
    return fresh
