"""Terms that run on an appeal; the rules themselves are data, no number of law stands here."""

from __future__ import annotations

import uuid
from enum import StrEnum

from gateway.model.base import NIL, Day, Entity, Extra, Moment, only_days, only_moments


class DeadlineSubject(StrEnum):
    """What a term runs on."""

    APPEAL = "appeal"
    QUESTION = "question"
    ASSIGNMENT = "assignment"
    NOTICE = "notice"


class Deadline(Entity, frozen=True, kw_only=True):
    """One term: rule and article, from when, until when for us and by law, and how it ended.

    subject_id: id of the appeal, question, assignment or notice. A start and a due date are either
    a calendar date (`start`, `due_…`) or an instant where the unit is the hour (`…_at`).
    changed_by: ground of the last change (12 ч. 2), empty when it stands as first computed.
    """

    id: uuid.UUID = NIL
    subject: DeadlineSubject = DeadlineSubject.APPEAL
    subject_id: uuid.UUID = NIL
    rule: str = ""
    article: str = ""
    start: Day | None = None
    start_at: Moment | None = None
    due_internal: Day | None = None
    due_legal: Day | None = None
    due_at: Moment | None = None
    closed_at: Moment | None = None
    changed_by: str = ""
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse datetimes for days and naive instants."""
        only_days(self.start, self.due_internal, self.due_legal)
        only_moments(self.start_at, self.due_at, self.closed_at)
