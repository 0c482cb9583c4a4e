"""Entities beside the road of a letter: what is said of answers, of messages, to contractors.

Feedback, moderation and clarification are made of events. The logic of the others comes later;
their types stand now, so that no data is lost.
"""

from __future__ import annotations

import uuid
from enum import StrEnum

from gateway.model.attachment import Attachment
from gateway.model.base import NIL, Code, Day, Entity, Extra, Fact, Moment, only_days, only_moments
from gateway.model.organisation import Officer, Organisation


class FeedbackKind(StrEnum):
    """What an applicant says of an answer."""

    RATING = "rating"
    CONFIRMATION = "confirmation"
    REWORK = "rework"


class Feedback(Fact, frozen=True, kw_only=True):
    """The applicant's word on an answer; `questions` are ordinals, empty means all.

    peer_kind: the peer's own word for it. score: as the peer counts it, its scale in scale; due:
    when silence closes the matter.
    """

    questions: tuple[int, ...] = ()
    kind: FeedbackKind = FeedbackKind.RATING
    peer_kind: Code | None = None
    score: int | None = None
    scale: Code | None = None
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    due: Day | None = None
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the day of automatic closing."""
        only_days(self.due)


class Verdict(StrEnum):
    """What was decided about evidence or a message."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SILENT = "silent"


class ContractorNotice(Fact, frozen=True, kw_only=True):
    """A notice (уведомление) to a managing organisation: the problem, never the person (art. 6).

    house_guid: FIAS; due: three working days by the seed's rule, computed elsewhere. redaction:
    disclosure level it was sent with.
    """

    id: uuid.UUID = NIL
    questions: tuple[int, ...] = ()
    organisation: Organisation | None = None
    house_guid: str = ""
    sent_at: Moment | None = None
    opened_at: Moment | None = None
    due: Day | None = None
    redaction: str = ""
    evidence: tuple[Attachment, ...] = ()
    verdict: Verdict | None = None
    verdict_by: Officer | None = None
    verdict_at: Moment | None = None
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the due day and naive instants."""
        only_days(self.due)
        only_moments(self.sent_at, self.opened_at, self.verdict_at)


class ModerationStage(StrEnum):
    """Who moderates: the portal, or the body."""

    PORTAL = "portal"
    BODY = "body"


class Moderation(Fact, frozen=True, kw_only=True):
    """A moderator's verdict on a message or incident; an appeal under 59-ФЗ is not moderated."""

    stage: ModerationStage = ModerationStage.PORTAL
    verdict: Verdict | None = None
    reason: str = ""
    by: str = ""
    at: Moment | None = None
    extras: tuple[Extra, ...] = ()


class Clarification(Fact, frozen=True, kw_only=True):
    """A question back to the author; under 59-ФЗ it does not stop the clock."""

    asked_at: Moment | None = None
    text: str = ""
    due: Day | None = None
    answered_at: Moment | None = None
    answer: str = ""
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the due day."""
        only_days(self.due)


class SocialSource(Entity, frozen=True, kw_only=True):
    """Where in a social network a message was found («Инцидент»); audience: subscribers."""

    network: str = ""
    page: str = ""
    page_url: str = ""
    audience: int | None = None
    post_url: str = ""
    comment_id: str = ""
    author_handle: str = ""
    tags: tuple[str, ...] = ()
    extras: tuple[Extra, ...] = ()


class DocumentRequest(Fact, frozen=True, kw_only=True):
    """A request for documents to another body (art. 10 ч. 2); it never stops our own term."""

    to_org: Organisation | None = None
    sent_on: Day | None = None
    due: Day | None = None
    answered_on: Day | None = None
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse datetimes for days."""
        only_days(self.sent_on, self.due, self.answered_on)
