"""The question: the unit that has a state, a topic, an outcome and a term (design decision 8)."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Final

import msgspec

from gateway.model.answer import Outcome
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
from gateway.model.organisation import Organisation

RECEIVED: Final = "received"


class AssignedBy(StrEnum):
    """Who named the topic."""

    PERSON = "person"
    RULE = "rule"
    PEER = "peer"


class Stage(StrEnum):
    """How far a peer's node got with what we reported (ССТУ §1.6)."""

    RECEIVED = "received"
    FORWARDED = "forwarded"
    UPLOADED = "uploaded"


class Topic(Entity, frozen=True, kw_only=True):
    """A node of one classifier; a question may stand in several classifiers at once.

    code: for ССТУ four or five blocks as text, with the classifier's version.
    name_as_given: the peer's title of it, which may differ from the directory's.
    """

    code: Code
    assigned_by: AssignedBy = AssignedBy.PEER
    name_as_given: str = ""


class PeerState(Entity, frozen=True, kw_only=True):
    """The state of a question in a peer's own words; code keeps the peer's spelling."""

    peer: str
    code: str
    label: str = ""
    at: Moment | None = None
    on: Day | None = None
    exception_message: str = ""
    stage: Stage | None = None

    def __post_init__(self) -> None:
        """Refuse a naive instant and a datetime for a day."""
        only_moments(self.at)
        only_days(self.on)


class Question(Entity, frozen=True, kw_only=True):
    """One question of an appeal; `ordinal` from 1, in the peer's order.

    state: one of `gateway.model.events.State`; flags extended, overdue, on_control never are
    states. competence: предмет ведения (РФ, СУБ, МСТ, Надзор). The three dates are the peer's
    calendar dates of this question (ССТУ).
    """

    id: uuid.UUID = NIL
    ordinal: int = 1
    text: str = ""
    annotation: str = ""
    topics: tuple[Topic, ...] = ()
    name_as_given: str = ""
    kind: Code | None = None
    state: str = RECEIVED
    extended: bool = False
    overdue: bool = False
    on_control: bool = False
    owner_org: Organisation | None = None
    competence: Code | None = None
    incoming_date: Day | None = None
    registration_date: Day | None = None
    response_date: Day | None = None
    peer_states: tuple[PeerState, ...] = ()
    outcome: Outcome | None = None
    refs: tuple[ExternalRef, ...] = ()
    extras: tuple[Extra, ...] = ()

    def __post_init__(self) -> None:
        """Refuse datetimes for days; share the default state so that encoding omits it."""
        only_days(self.incoming_date, self.registration_date, self.response_date)
        if self.state == RECEIVED and self.state is not RECEIVED:
            msgspec.structs.force_setattr(self, "state", RECEIVED)
