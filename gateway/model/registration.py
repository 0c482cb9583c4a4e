"""Numbers and letters that tie an appeal to bodies: registrations, referrals, links."""

from __future__ import annotations

import uuid
from enum import StrEnum

from gateway.model.base import Code, Day, Entity, Extra, Fact, only_days
from gateway.model.organisation import Officer, Organisation


class LinkKind(StrEnum):
    """How two documents are tied."""

    ANSWER_TO = "answer_to"
    IN_PURSUANCE = "in_pursuance"
    GROUND = "ground"
    REPEAT_OF = "repeat_of"
    DUPLICATE_OF = "duplicate_of"
    SAME_DOCUMENT_OTHER_CHANNEL = "same_document_other_channel"
    CLUSTER_HEAD = "cluster_head"
    ATTACHED_CASE = "attached_case"


class Registration(Fact, frozen=True, kw_only=True):
    """A number one organisation gave the appeal in one of its registers (a relation, not a state).

    number: as spelt; number_key: folded; is_ours: given by this gateway. Attached fields: which
    register (`Входящие`, `ОГ`), and who put it there.
    """

    organisation: Organisation | None = None
    register: str = ""
    number: str = ""
    number_key: str = ""
    date: Day | None = None
    registered_by: Officer | None = None
    is_ours: bool = False
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the date of registration."""
        only_days(self.date)


class ReferralIn(Fact, frozen=True, kw_only=True):
    """The covering letter with which another body sent the appeal to us.

    number, date: of the letter; received_date: when it came in. purpose: one of the 12 «Цель
    напр.» of УРОГ. control_term: by when the sender wants a report. executor: whom to
    call about it.
    """

    from_org: Organisation | None = None
    number: str = ""
    number_key: str = ""
    date: Day | None = None
    received_date: Day | None = None
    purpose: Code | None = None
    return_report_to: str = ""
    control_term: Day | None = None
    signed_by: tuple[Officer, ...] = ()
    executor: Officer | None = None
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse datetimes for days."""
        only_days(self.date, self.received_date, self.control_term)


class Link(Entity, frozen=True, kw_only=True):
    """A tie to another appeal or document: by our id, or by a bare number and date."""

    kind: LinkKind
    to: uuid.UUID | None = None
    number: str = ""
    date: Day | None = None
    organisation: Organisation | None = None
    peer_kind: Code | None = None
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a datetime for the date of the other document."""
        only_days(self.date)
