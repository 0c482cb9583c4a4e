"""The appeal: everything the gateway knows of what somebody turned to a body with."""

from __future__ import annotations

import uuid
from enum import StrEnum

from gateway.model.address import Address
from gateway.model.answer import Answer
from gateway.model.assignment import Assignment, Extension, TransferOut
from gateway.model.attachment import Attachment
from gateway.model.base import (
    NIL,
    Code,
    Day,
    Entity,
    ExternalRef,
    Extra,
    Moment,
    only_days,
    only_moments,
)
from gateway.model.deadline import Deadline
from gateway.model.later import (
    Clarification,
    ContractorNotice,
    DocumentRequest,
    Feedback,
    Moderation,
    SocialSource,
)
from gateway.model.organisation import Officer, Organisation
from gateway.model.person import Applicant
from gateway.model.question import Question
from gateway.model.registration import Link, ReferralIn, Registration


class Regime(StrEnum):
    """Under which order it is considered (порядок рассмотрения)."""

    FZ59 = "fz59"
    MESSAGE = "message"
    INCIDENT = "incident"
    INFORMATION_REQUEST = "information_request"
    DEPUTY_REQUEST = "deputy_request"
    OTHER_LAW = "other_law"
    NOT_AN_APPEAL = "not_an_appeal"


class AppealType(StrEnum):
    """What kind of appeal it is (вид, 59-ФЗ art. 4)."""

    PROPOSAL = "proposal"
    APPLICATION = "application"
    COMPLAINT = "complaint"
    REQUEST = "request"
    THANKS = "thanks"
    UNKNOWN = "unknown"


class Form(StrEnum):
    """In what form it was made (форма)."""

    WRITTEN = "written"
    ELECTRONIC = "electronic"
    ORAL = "oral"


class RepeatKind(StrEnum):
    """How it relates to earlier ones of the same author (повторность)."""

    NONE = "none"
    REPEAT = "repeat"
    MULTIPLE = "multiple"
    DUPLICATE = "duplicate"


class Visibility(StrEnum):
    """Whether a redacted version may be shown to the public."""

    PRIVATE = "private"
    PUBLIC_REDACTED = "public_redacted"


class ControlMark(Entity, frozen=True, kw_only=True):
    """A mark that somebody controls the answer: who, since when, until when."""

    by: Organisation | None = None
    label: str = ""
    date: Day | None = None
    due: Day | None = None

    def __post_init__(self) -> None:
        """Refuse datetimes for days."""
        only_days(self.date, self.due)


class Appeal(Entity, frozen=True, kw_only=True):
    """An appeal with its relations; every field may be missing but a source (see `intake`).

    None means "not told"; a decoder never invents. received_at is when the source took it from the
    applicant, sent_at when it sent it to us; a source that knows only dates puts them on the
    question, the referral or the registration. addresses: the place of the problem and others; an
    applicant's own lie on the applicant. revision: version of the content, from 1. historical:
    imported history, no clock runs and nothing is sent.
    """

    id: uuid.UUID = NIL
    receipt_number: str = ""
    regime: Regime | None = None
    basis: str = ""
    type: AppealType = AppealType.UNKNOWN
    form: Form | None = None
    delivery_method: Code | None = None
    source_peer: str = ""
    source_system: Code | None = None
    received_at: Moment | None = None
    sent_at: Moment | None = None
    direct: bool | None = None
    subject: str = ""
    text: str = ""
    language: str = ""
    text_truncated: bool = False
    sheet_count: int | None = None
    copy_count: int | None = None
    enclosure_pages: int | None = None
    collective: bool | None = None
    concerned_count: int | None = None
    signatories_count: int | None = None
    repeat: bool | None = None
    repeat_kind: RepeatKind | None = None
    previous_count: int | None = None
    under_control: bool | None = None
    control_body: Organisation | None = None
    control_marks: tuple[ControlMark, ...] = ()
    awaiting_documents: bool | None = None
    urgency: Code | None = None
    priority: Code | None = None
    special_mark: Code | None = None
    classification: Code | None = None
    document_kind: Code | None = None
    consent_publish: bool | None = None
    visibility: Visibility | None = None
    test_message: bool = False
    revision: int = 1
    historical: bool = False
    addressees: tuple[Officer, ...] = ()
    registrations: tuple[Registration, ...] = ()
    referrals: tuple[ReferralIn, ...] = ()
    refs: tuple[ExternalRef, ...] = ()
    links: tuple[Link, ...] = ()
    applicants: tuple[Applicant, ...] = ()
    addresses: tuple[Address, ...] = ()
    questions: tuple[Question, ...] = ()
    answers: tuple[Answer, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    transfers: tuple[TransferOut, ...] = ()
    extensions: tuple[Extension, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    contractor_notices: tuple[ContractorNotice, ...] = ()
    moderations: tuple[Moderation, ...] = ()
    clarifications: tuple[Clarification, ...] = ()
    document_requests: tuple[DocumentRequest, ...] = ()
    social_source: SocialSource | None = None
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse naive instants."""
        only_moments(self.received_at, self.sent_at)
