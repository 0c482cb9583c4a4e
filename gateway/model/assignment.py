"""Work on an appeal inside and between bodies: assignments, reports, transfers, extensions."""

from __future__ import annotations

import uuid
from enum import StrEnum

from gateway.model.answer import Outcome
from gateway.model.attachment import Attachment
from gateway.model.base import NIL, Code, Day, ExternalRef, Extra, Fact, Moment, only_days
from gateway.model.organisation import Officer, Organisation
from gateway.model.registration import Registration


class ReportKind(StrEnum):
    """Whether a report ends the assignment."""

    INTERIM = "interim"
    FINAL = "final"


class Report(Fact, frozen=True, kw_only=True):
    """A report (доклад) of an executor; accepted is None until somebody judged it."""

    id: uuid.UUID = NIL
    kind: ReportKind = ReportKind.INTERIM
    text: str = ""
    date: Day | None = None
    author: Officer | None = None
    attachments: tuple[Attachment, ...] = ()
    accepted: bool | None = None
    reason: str = ""
    refs: tuple[ExternalRef, ...] = ()
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the date of the report."""
        only_days(self.date)


class Assignment(Fact, frozen=True, kw_only=True):
    """A поручение: a node of a tree; `questions` are ordinals, empty means the whole appeal.

    parent: id of the parent assignment here; a peer's own parent lies in refs (`parentId`).
    responsible: only the responsible executor makes the final report. due: calendar date.
    """

    id: uuid.UUID = NIL
    parent: uuid.UUID | None = None
    questions: tuple[int, ...] = ()
    author: Officer | None = None
    executors: tuple[Officer, ...] = ()
    co_executors: tuple[Officer, ...] = ()
    controller: Officer | None = None
    responsible: bool | None = None
    text: str = ""
    issued_at: Moment | None = None
    issued_on: Day | None = None
    due: Day | None = None
    report_required: bool | None = None
    state: str = ""
    decision: Code | None = None
    outcome: Outcome | None = None
    reports: tuple[Report, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    refs: tuple[ExternalRef, ...] = ()
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse datetimes for days."""
        only_days(self.issued_on, self.due)


class TransferGround(StrEnum):
    """Article of 59-ФЗ under which an appeal is passed on."""

    ART_8_3 = "8.3"
    ART_8_3_1 = "8.3.1"
    ART_8_4 = "8.4"
    ART_11_1 = "11.1"


class TransferOut(Fact, frozen=True, kw_only=True):
    """Passing questions on to the competent body; `questions` are ordinals, empty means all.

    copy: a copy under art. 8 ч. 4, ours stays open. accepted: None until the receiver spoke;
    reason: why it refused. receiver_registration: number and date the receiver gave.
    """

    id: uuid.UUID = NIL
    questions: tuple[int, ...] = ()
    to_org: Organisation | None = None
    date: Day | None = None
    number: str = ""
    ground: TransferGround | None = None
    copy: bool = False
    applicant_notified_at: Moment | None = None
    keeps_control: bool | None = None
    accepted: bool | None = None
    reason: str = ""
    receiver_registration: Registration | None = None
    refs: tuple[ExternalRef, ...] = ()
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the date of the covering letter."""
        only_days(self.date)


class Extension(Fact, frozen=True, kw_only=True):
    """A lengthening of the term under art. 12 ч. 2; `questions` are ordinals, empty means all."""

    questions: tuple[int, ...] = ()
    decided_by: Officer | None = None
    decided_on: Day | None = None
    ground: str = ""
    new_due: Day | None = None
    applicant_notified_at: Moment | None = None
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse datetimes for days."""
        only_days(self.decided_on, self.new_due)
