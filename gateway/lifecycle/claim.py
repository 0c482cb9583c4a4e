"""What somebody says has happened, before it is judged.

A claim becomes events when `gateway.lifecycle.judge.apply` takes it. It holds facts only: names and
free text of a report go to the event's content (`content_of_report`).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from gateway.errors import NotFoundError
from gateway.lifecycle.state import When
from gateway.model import facts as f
from gateway.model.events import (
    PAYLOADS,
    Actor,
    EventType,
    PeerAnswer,
    PeerReport,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One statement about an appeal.

    questions: ordinals, empty for all. key: the peer's MessageKey, empty for our own people.
    registration, executor: facts told beside the event; they fill what is not known yet. text: the
    content holds a text (a notice, a reason, a letter). roles: of a person, by our access rules.
    """

    type: EventType
    occurred_at: When
    actor: Actor
    questions: tuple[int, ...] = ()
    reported_at: dt.datetime | None = None
    cause: UUID | None = None
    key: str = ""
    payload: f.Facts = f.NoFacts()
    content: str | None = None
    text: bool = False
    registration: f.RegistrationFacts | None = None
    executor: f.ExecutorFacts | None = None
    roles: frozenset[str] = frozenset()


def claim_of_report(
    report: PeerReport,
    *,
    actor: Actor,
    ordinals: Mapping[str, int],
    reported_at: dt.datetime | None = None,
    cause: UUID | None = None,
    content: str | None = None,
) -> Claim:
    """Turn a peer's report into a claim.

    ordinals: question ids that the report may name → ordinals. content: digest of the stored
    `content_of_report`. Facts that have a date of their own and were sent without it get the
    report's day: `OccurredOn` is mandatory and says when it happened. An answer that is not final
    becomes `LetterSent`. Raises NotFoundError for a question the appeal does not have.
    """
    asked = set(report.ordinals)
    for name in report.questions:
        if name not in ordinals:
            raise NotFoundError("the appeal has no such question", found=name, where="QuestionId")
        asked.add(ordinals[name])
    type_ = report.event
    if type_ is EventType.ANSWERED and report.answer and report.answer.kind != "final":
        type_ = EventType.LETTER_SENT
    registration = report.registration
    if registration is not None and type_ is EventType.REGISTERED and registration.date is None:
        registration = msgspec.structs.replace(registration, date=report.occurred_on)
    return Claim(
        type=type_,
        occurred_at=report.occurred_at or report.occurred_on,
        actor=actor,
        questions=tuple(sorted(asked)),
        reported_at=reported_at,
        cause=cause,
        key=report.message_key,
        payload=_owned(_payload(type_, report, registration), actor),
        content=content,
        text=bool(report.comment or report.decline_text or (report.answer and report.answer.text)),
        registration=registration,
        executor=report.executor,
    )


def _owned(told: f.Facts, actor: Actor) -> f.Facts:
    """A state in a peer's own word is that peer's, unless the report says whose it is."""
    if isinstance(told, f.PeerStateFacts) and not told.peer:
        return msgspec.structs.replace(told, peer=actor.id)
    return told


def _payload(
    type_: EventType, report: PeerReport, registration: f.RegistrationFacts | None
) -> f.Facts:
    on = report.occurred_on
    shape = PAYLOADS[type_]
    told: dict[type[f.Facts], f.Facts | None] = {
        f.RegistrationFacts: registration,
        f.ExecutorFacts: report.executor,
        f.ExtensionFacts: _dated(report.extension, "decided_on", on),
        f.TransferFacts: _dated(report.transfer, "date", on),
        f.DeclineFacts: _declined(report),
        f.AnswerFacts: _dated(_answer(report.answer, report.outcome), "date", on),
        f.ReceiverFacts: _dated(report.receiver, "date", on),
        f.DeliveryFacts: report.delivery,
        f.ReasonFacts: report.reason,
        f.TopicFacts: report.topic,
        f.PeerStateFacts: report.peer_state,
        f.RatingFacts: report.rating,
        f.ModerationFacts: report.moderation,
        f.ClarificationFacts: report.clarification,
    }
    return told.get(shape) or _BLANK.get(shape) or f.NoFacts()


_BLANK: Final[dict[type[f.Facts], f.Facts]] = {
    f.RegistrationFacts: f.RegistrationFacts(),
    f.ExecutorFacts: f.ExecutorFacts(),
    f.ExtensionFacts: f.ExtensionFacts(),
    f.TransferFacts: f.TransferFacts(),
    f.DeclineFacts: f.DeclineFacts(article="11", part=""),
    f.AnswerFacts: f.AnswerFacts(kind="final"),
    f.ReceiverFacts: f.ReceiverFacts(),
    f.DeliveryFacts: f.DeliveryFacts(),
    f.ReasonFacts: f.ReasonFacts(),
    f.TopicFacts: f.TopicFacts(),
    f.PeerStateFacts: f.PeerStateFacts(),
    f.RatingFacts: f.RatingFacts(),
    f.ModerationFacts: f.ModerationFacts(),
    f.ClarificationFacts: f.ClarificationFacts(),
}
"""The payload of a claim that came without its facts; an inferred step looks so, too."""


def blank(type_: EventType) -> f.Facts:
    """Return the payload of an event of the type about which nothing was told."""
    return _BLANK.get(PAYLOADS[type_]) or f.NoFacts()


def _dated(facts: f.Facts | None, name: str, day: dt.date) -> f.Facts | None:
    if facts is None or getattr(facts, name) is not None:
        return facts
    return msgspec.structs.replace(facts, **{name: day})


def _declined(report: PeerReport) -> f.DeclineFacts | None:
    if report.decline is None or not report.decline_text:
        return report.decline
    return msgspec.structs.replace(report.decline, notice=True)


def _answer(answer: PeerAnswer | None, outcome: f.OutcomeFacts | None) -> f.AnswerFacts | None:
    if answer is None:
        return f.AnswerFacts(kind="final", outcome=outcome) if outcome else None
    return f.AnswerFacts(
        kind=answer.kind,
        notice=answer.notice,
        number=answer.number,
        date=answer.date,
        outcome=answer.outcome or outcome,
        attachments=answer.attachments,
        roles=answer.roles,
        has_text=answer.has_text or bool(answer.text),
        oral=answer.oral,
        deliver_to_applicant=answer.deliver_to_applicant,
    )


def content_of_file(name: str, media_type: str) -> bytes:
    """Return what a peer calls a file as sorted-key JSON: its name may be somebody's.

    It is stored apart, as that of a report is.
    """
    return msgspec.json.encode({"file_name": name, "media_type": media_type}, order="sorted")


def content_of_report(report: PeerReport) -> bytes:
    """Return the personal and free-text part of a report as sorted-key JSON, or nothing.

    It is stored apart, salted and digested, and may be erased (design §2.9).
    """
    answer = report.answer
    parts = {
        "answer_signed_by": answer.signed_by if answer else "",
        "answer_text": answer.text if answer else "",
        "comment": report.comment,
        "decline_text": report.decline_text,
        "executor_name": report.executor_name,
    }
    told = {name: text for name, text in parts.items() if text}
    return msgspec.json.encode(told, order="sorted") if told else b""
