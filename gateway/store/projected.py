"""The rows that a state amounts to; pure.

`gateway verify --rebuild` computes them from the events and holds them against the stored ones.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.lifecycle import ties
from gateway.model.base import NIL
from gateway.model.facts import RegistrationFacts
from gateway.model.fold import number_key
from gateway.model.ids import question_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from uuid import UUID

    from gateway.lifecycle.state import AppealState, QuestionState
    from gateway.lifecycle.ties import Dispute
    from gateway.model.events import Event

    IsOurs = Callable[[RegistrationFacts], bool]


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
    """One row of `registration`; organisation is empty when nobody said who registered.

    is_ours: the number is of the body that we were when the row was first written.
    """

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


def of_body(organisation: str) -> IsOurs:
    """Return what says of a new registration whether it is ours: that of our body, by its id."""
    return lambda told: bool(organisation) and told.organisation == organisation


def as_written(events: Iterable[Event], rows: Iterable[Any]) -> IsOurs:
    """Return what says whether a registration was ours when it was first written.

    rows: those that stand in `registration`. No setting is asked, because it may have changed. A
    number that our rule drew is ours. Of any other the events do not tell which body we were: its
    row stands, and where there is none it is ours unless a peer told it.
    """
    kept = {(row.organisation, row.number): bool(row.is_ours) for row in rows}
    told_by = _first_told(events)

    def is_ours(told: RegistrationFacts) -> bool:
        by = told_by.get(_key(told), "peer")
        return by == "rule" or kept.get((told.organisation, told.number), by != "peer")

    return is_ours


def _first_told(events: Iterable[Event]) -> dict[tuple[str, str], str]:
    """The kind of the actor that was the first to tell each number."""
    found: dict[tuple[str, str], str] = {}
    for event in events:
        if isinstance(event.payload, RegistrationFacts) and event.payload.number:
            found.setdefault(_key(event.payload), event.actor.kind)
    return found


def _key(told: RegistrationFacts) -> tuple[str, str]:
    return (told.organisation, told.number_key or number_key(told.number))


def rows_of(state: AppealState, is_ours: IsOurs) -> Rows:
    """Return the rows that a state amounts to; pure."""
    routed = state.routed
    executor = next((q.executor.facts.organisation for q in state.questions if q.executor), "") or (
        routed.organisation if routed else ""
    )
    registrations = {
        (r.organisation, r.number): RegistrationRow(
            r.organisation, r.number, r.number_key or number_key(r.number), r.register, r.date,
            is_ours(r),
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
