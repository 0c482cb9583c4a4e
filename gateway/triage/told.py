"""What a new appeal already says of its own history, as claims; pure.

A ССТУ document or a list of a body tells not only what the citizen wrote but how far the body got:
its questions come with states, dates, outcomes. They become claims of the peer that sent them, so
the life cycle judges them like any report and writes the steps between as inferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.lifecycle import Claim
from gateway.model import facts as f
from gateway.model.events import Actor, EventType, State

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from gateway.model.appeal import Appeal
    from gateway.model.question import Question

EVENTS = {
    State.REGISTERED: EventType.REGISTERED,
    State.ASSIGNED: EventType.ASSIGNED,
    State.IN_WORK: EventType.TAKEN_TO_WORK,
    State.ANSWERED: EventType.ANSWERED,
    State.TRANSFERRED: EventType.TRANSFERRED,
    State.DECLINED: EventType.DECLINED,
}
"""The event that leads to a state a document may report; other states are nobody's to report so."""


def tells_states(appeal: Appeal) -> bool:
    """Whether the appeal comes with states of its own: then its registrar is not us."""
    return any(question.state in EVENTS for question in appeal.questions)


def claims(appeal: Appeal, peer: str, message: UUID, at: datetime) -> list[Claim]:
    """Return what the document says has happened to each question, in order of the questions."""
    return [
        Claim(
            type=EVENTS[State(question.state)],
            occurred_at=_day(question) or at.date(),
            actor=Actor(kind="peer", id=peer),
            questions=(question.ordinal,),
            reported_at=at,
            cause=message,
            payload=_payload(appeal, question),
        )
        for question in appeal.questions
        if question.state in EVENTS
    ] + [
        Claim(
            type=EventType.EXTENDED,
            occurred_at=_day(question) or at.date(),
            actor=Actor(kind="peer", id=peer),
            questions=(question.ordinal,),
            reported_at=at,
            cause=message,
            payload=f.ExtensionFacts(),
        )
        for question in appeal.questions
        if question.extended and question.state in EVENTS
    ]


def _day(question: Question) -> date | None:
    return question.response_date or question.registration_date or question.incoming_date


def _payload(appeal: Appeal, question: Question) -> f.Facts:
    if question.state == State.REGISTERED:
        return f.RegistrationFacts(date=question.registration_date)
    if question.state == State.ANSWERED:
        outcome = question.outcome
        return f.AnswerFacts(
            kind="final",
            date=question.response_date,
            outcome=f.OutcomeFacts(
                result=outcome.result.value if outcome.result else "",
                actions_taken=outcome.actions_taken,
            )
            if outcome
            else None,
            attachments=tuple(
                file.sha256
                for letter in appeal.answers
                if not letter.questions or question.ordinal in letter.questions
                for file in letter.attachments
                if file.sha256
            ),
        )
    if question.state == State.TRANSFERRED:
        return _transfer(appeal, question)
    if question.state == State.DECLINED:
        return f.DeclineFacts(article="11", part="")
    if question.state == State.ASSIGNED:
        return f.ExecutorFacts()
    return f.NoFacts()


def _transfer(appeal: Appeal, question: Question) -> f.TransferFacts:
    for transfer in appeal.transfers:
        if not transfer.questions or question.ordinal in transfer.questions:
            body = transfer.to_org
            name = (body.ids[0].value if body.ids else body.full_name) if body else ""
            return f.TransferFacts(
                organisation=name, date=transfer.date, number=transfer.number, copy=transfer.copy
            )
    return f.TransferFacts()
