"""What the sender of a letter is shown of another's appeal that its own was merged into. Pure.

One letter that came twice is one appeal (docs/adr/0019), and both senders want to know what
becomes of it. But a merger may be wrong, and each sender wrote its own: whoever's letter was merged
sees its own whole, and of the other no more than

| | full | problem_only | reference_only |
|---|---|---|---|
| where its questions stand, its registrations and terms | yes | yes | yes |
| outcomes, transfers, executors: codes, numbers and dates | yes | yes | no |
| the answers, with text and files | yes | no | no |
| what the other sender wrote, called it, or sent with it; how it rates answers | no | no | no |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.disclosure import Level, disclose, disclose_event
from gateway.model.answer import Answer
from gateway.model.appeal import Appeal
from gateway.model.facts import AnswerFacts, RatingFacts
from gateway.model.question import Question

if TYPE_CHECKING:
    from gateway.model.events import Event


def shared(appeal: Appeal, level: Level) -> Appeal:
    """Return what may be seen of an appeal by whose letter was merged into it."""
    lower = Level.PROBLEM_ONLY if level is Level.FULL else level
    cut = disclose(appeal, lower)
    return Appeal(
        id=cut.id,
        receipt_number=cut.receipt_number,
        test_message=cut.test_message,
        registrations=cut.registrations,
        deadlines=cut.deadlines,
        questions=tuple(map(_question, cut.questions)),
        transfers=cut.transfers,
        answers=tuple(map(_answer, appeal.answers)) if level is Level.FULL else (),
    )


def share(own: Appeal, other: Appeal, level: Level) -> Appeal:
    """Return a sender's own appeal as it stands with the other that it was merged into.

    own: whole, as its sender sees it. Questions of the same place are the same; the other may have
    more, of which nothing is told.
    """
    seen = shared(other, level)
    there = {q.ordinal: q for q in seen.questions}
    known = {r.number for r in own.registrations}
    new = tuple(r for r in seen.registrations if r.number not in known)
    return replace(
        own,
        questions=tuple(_stands(q, there.get(q.ordinal)) for q in own.questions),
        registrations=(*own.registrations, *new),
        transfers=(*own.transfers, *seen.transfers),
        answers=(*own.answers, *seen.answers),
        deadlines=seen.deadlines,
    )


def share_event(event: Event, level: Level) -> Event:
    """Return what of an event of the other is told to whose letter was merged into it."""
    if isinstance(event.payload, RatingFacts):  # said to the other, who asked for it
        event = replace(event, payload=RatingFacts())
    if level is not Level.FULL:
        return disclose_event(event, level)
    shown = disclose_event(event, Level.PROBLEM_ONLY)
    if isinstance(event.payload, AnswerFacts):
        return replace(shown, payload=event.payload)
    return shown


def _question(question: Question) -> Question:
    return Question(
        id=question.id,
        ordinal=question.ordinal,
        state=question.state,
        extended=question.extended,
        overdue=question.overdue,
        on_control=question.on_control,
        registration_date=question.registration_date,
        response_date=question.response_date,
        owner_org=question.owner_org,
        outcome=question.outcome,
    )


def _stands(own: Question, other: Question | None) -> Question:
    if other is None:
        return own
    return replace(
        own,
        id=other.id,
        state=other.state,
        extended=other.extended,
        overdue=other.overdue,
        on_control=other.on_control,
        registration_date=own.registration_date or other.registration_date,
        response_date=own.response_date or other.response_date,
        owner_org=other.owner_org or own.owner_org,
        outcome=other.outcome or own.outcome,
    )


def _answer(answer: Answer) -> Answer:
    """A letter to the applicant, without to which address it went."""
    return Answer(
        id=answer.id,
        questions=answer.questions,
        kind=answer.kind,
        number=answer.number,
        date=answer.date,
        signed_by=answer.signed_by,
        text=answer.text,
        attachments=answer.attachments,
    )
