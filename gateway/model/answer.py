"""Answers, how they reached the applicant, and the outcome of a question."""

from __future__ import annotations

import uuid
from enum import StrEnum

from gateway.model.attachment import Attachment
from gateway.model.base import (
    NIL,
    Code,
    Day,
    Entity,
    ExternalRef,
    Extra,
    Fact,
    Moment,
    only_days,
    only_moments,
)
from gateway.model.organisation import Officer, Organisation


class AnswerKind(StrEnum):
    """What an answer is: only `final` answers the question (59-ФЗ art. 8 ч. 3, 11, 12 ч. 2)."""

    FIRST_REACTION = "first_reaction"
    INTERIM = "interim"
    FINAL = "final"
    NOTICE = "notice"
    PRIMARY_PUBLIC = "primary_public"


class Result(StrEnum):
    """What became of a question."""

    SUPPORTED = "supported"
    EXPLAINED = "explained"
    NOT_SUPPORTED = "not_supported"
    ANSWERED = "answered"
    LEFT_WITHOUT_ANSWER = "left_without_answer"
    TRANSFERRED = "transferred"
    REFUSED = "refused"


class Outcome(Fact, frozen=True, kw_only=True):
    """The outcome of one question: our word for it, and the peer's own beside it.

    actions_taken: меры приняты, known only when supported. ground: part of art. 11 when nothing
    was answered. peer_result: the peer's code, its spelling kept.
    """

    result: Result | None = None
    actions_taken: bool | None = None
    decision_label: str = ""
    ground: Code | None = None
    additional_control: Code | None = None
    inspection_type: Code | None = None
    measures: Code | None = None
    peer_result: Code | None = None
    on: Day | None = None
    decided_by: Officer | None = None
    comment: str = ""
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the day of the outcome."""
        only_days(self.on)


class AnswerDelivery(Entity, frozen=True, kw_only=True):
    """One sending of an answer to the applicant over one channel."""

    channel: Code
    address: str = ""
    sent_at: Moment | None = None
    delivered_at: Moment | None = None
    read_at: Moment | None = None
    sent_by: Officer | None = None
    failed_reason: str = ""
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse naive instants."""
        only_moments(self.sent_at, self.delivered_at, self.read_at)


class Answer(Fact, frozen=True, kw_only=True):
    """A letter to the applicant; it may answer several questions (`questions`: their ordinals).

    Empty `questions` means all of them. attachments: the main document first, then enclosures,
    each with its own signatures.
    """

    id: uuid.UUID = NIL
    questions: tuple[int, ...] = ()
    kind: AnswerKind = AnswerKind.FINAL
    number: str = ""
    date: Day | None = None
    signed_by: Officer | None = None
    organisation: Organisation | None = None
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    template: str = ""
    deliveries: tuple[AnswerDelivery, ...] = ()
    refs: tuple[ExternalRef, ...] = ()
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the date of the letter."""
        only_days(self.date)
