"""The event: the truth from which every other row is projected (design §2.9, docs/adr/0009).

The bytes that are stored and hashed are `canonical_body(event)`: JSON with sorted keys, UTF-8, no
spaces, no personal data. They are stored as they are and never made again from a decoded event, so
a later version of this code cannot break an old chain. The chain of one appeal:

    hash(0)   = SHA-256("gateway/event/1" ‖ appeal_id as 16 bytes)                 `first_prev`
    hash(seq) = SHA-256(prev as 32 bytes ‖ seq as 8 bytes, big-endian ‖
                        length of type as 1 byte ‖ type as ASCII ‖ body)           `event_hash`

seq runs from 1 without holes. The body holds `v` and everything of the event except `appeal_id`,
`seq` and `type`, which the hash covers itself.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from gateway.errors import MalformedError
from gateway.model import facts as f
from gateway.model.base import Extra

if TYPE_CHECKING:
    from collections.abc import Iterable


class State(StrEnum):
    """The 12 states of a question (model.md §3), in order of advancement."""

    RECEIVED = "received"
    MODERATION = "moderation"
    REGISTERED = "registered"
    ASSIGNED = "assigned"
    WITH_CONTRACTOR = "with_contractor"
    IN_WORK = "in_work"
    INSPECTION = "inspection"
    ANSWER_PREPARED = "answer_prepared"
    ANSWERED = "answered"
    TRANSFERRED = "transferred"
    DECLINED = "declined"
    CLOSED = "closed"

    @property
    def rank(self) -> int:
        """Place in the order of advancement, from 0."""
        return _RANK[self]

    @property
    def is_open(self) -> bool:
        """Whether the body still owes the applicant something on this question."""
        return _RANK[self] < _RANK[State.ANSWERED]


_RANK: Final = {state: rank for rank, state in enumerate(State)}


class EventType(StrEnum):
    """Everything that can happen to an appeal: the rows of model.md §3, then facts of our own."""

    RECEIVED = "Received"
    SENT_TO_MODERATION = "SentToModeration"
    MODERATION_PASSED = "ModerationPassed"
    NOT_AN_APPEAL = "NotAnAppeal"
    REGISTERED = "Registered"
    REGISTRATION_REFUSED = "RegistrationRefused"
    SPLIT = "Split"
    TOPIC_ASSIGNED = "TopicAssigned"
    TOPIC_CHANGED = "TopicChanged"
    TRANSFERRED = "Transferred"
    REFUSED_BY_RECEIVER = "RefusedByReceiver"
    RETURNED_TO_US = "ReturnedToUs"
    RECEIVER_REGISTERED = "ReceiverRegistered"
    RECEIVER_ANSWERED = "ReceiverAnswered"
    ASSIGNED = "Assigned"
    REASSIGNED = "Reassigned"
    TAKEN_TO_WORK = "TakenToWork"
    NOTICE_SENT_TO_CONTRACTOR = "NoticeSentToContractor"
    EVIDENCE_SUBMITTED = "EvidenceSubmitted"
    EVIDENCE_ACCEPTED = "EvidenceAccepted"
    EVIDENCE_REJECTED = "EvidenceRejected"
    NOT_OUR_HOUSE = "NotOurHouse"
    TERM_EXPIRED = "TermExpired"
    INSPECTION_OPENED = "InspectionOpened"
    INSPECTION_RESULT = "InspectionResult"
    EXTENDED = "Extended"
    DOCUMENTS_REQUESTED = "DocumentsRequested"
    DOCUMENTS_RECEIVED = "DocumentsReceived"
    CLARIFICATION_ASKED = "ClarificationAsked"
    CLARIFICATION_ANSWERED = "ClarificationAnswered"
    ANSWER_PREPARED = "AnswerPrepared"
    ANSWER_REJECTED = "AnswerRejected"
    ANSWERED = "Answered"
    DELIVERED = "Delivered"
    DELIVERY_FAILED = "DeliveryFailed"
    DECLINED = "Declined"
    CAUSE_REMOVED = "CauseRemoved"
    REOPENED_BY_SUPERVISOR = "ReopenedBySupervisor"
    CONFIRMED = "Confirmed"
    RATED = "Rated"
    RETURNED_FOR_REWORK = "ReturnedForRework"
    CONFIRM_TERM_EXPIRED = "ConfirmTermExpired"
    WITHDRAWN = "Withdrawn"
    FILED = "Filed"
    REOPENED = "Reopened"
    AMENDED = "Amended"
    MERGED_AS_DUPLICATE = "MergedAsDuplicate"
    UNMERGED = "Unmerged"
    LINK_ADDED = "LinkAdded"
    PEER_STATE_REPORTED = "PeerStateReported"
    FILE_ATTACHED = "FileAttached"
    LETTER_SENT = "LetterSent"
    """A letter that does not end the consideration: first reaction, interim answer, notice."""
    REGISTRATION_ANNULLED = "RegistrationAnnulled"
    """A body's registration is void; the number stays taken for ever."""
    ADDRESS_RESOLVED = "AddressResolved"
    ROUTED = "Routed"
    DEADLINE_OPENED = "DeadlineOpened"
    DEADLINE_MOVED = "DeadlineMoved"
    DEADLINE_CLOSED = "DeadlineClosed"
    CONFLICT_RECORDED = "ConflictRecorded"
    CONFLICT_RESOLVED = "ConflictResolved"
    REPORT_REFUSED = "ReportRefused"


PAYLOADS: Final[dict[EventType, type[f.Facts]]] = dict.fromkeys(EventType, f.NoFacts) | {
    EventType.RECEIVED: f.ReceivedFacts,
    EventType.SENT_TO_MODERATION: f.ModerationFacts,
    EventType.MODERATION_PASSED: f.ModerationFacts,
    EventType.NOT_AN_APPEAL: f.ReasonFacts,
    EventType.REGISTERED: f.RegistrationFacts,
    EventType.REGISTRATION_REFUSED: f.ReasonFacts,
    EventType.SPLIT: f.SplitFacts,
    EventType.TOPIC_ASSIGNED: f.TopicFacts,
    EventType.TOPIC_CHANGED: f.TopicFacts,
    EventType.TRANSFERRED: f.TransferFacts,
    EventType.REFUSED_BY_RECEIVER: f.ReasonFacts,
    EventType.RETURNED_TO_US: f.ReasonFacts,
    EventType.RECEIVER_REGISTERED: f.ReceiverFacts,
    EventType.RECEIVER_ANSWERED: f.ReceiverFacts,
    EventType.ASSIGNED: f.ExecutorFacts,
    EventType.REASSIGNED: f.ExecutorFacts,
    EventType.EXTENDED: f.ExtensionFacts,
    EventType.CLARIFICATION_ASKED: f.ClarificationFacts,
    EventType.CLARIFICATION_ANSWERED: f.ClarificationFacts,
    EventType.ANSWER_PREPARED: f.AnswerFacts,
    EventType.ANSWER_REJECTED: f.ReasonFacts,
    EventType.ANSWERED: f.AnswerFacts,
    EventType.DELIVERED: f.DeliveryFacts,
    EventType.DELIVERY_FAILED: f.DeliveryFacts,
    EventType.DECLINED: f.DeclineFacts,
    EventType.CONFIRMED: f.RatingFacts,
    EventType.RATED: f.RatingFacts,
    EventType.RETURNED_FOR_REWORK: f.ReasonFacts,
    EventType.WITHDRAWN: f.ReasonFacts,
    EventType.FILED: f.ReasonFacts,
    EventType.REOPENED: f.ReasonFacts,
    EventType.AMENDED: f.AmendmentFacts,
    EventType.MERGED_AS_DUPLICATE: f.LinkFacts,
    EventType.UNMERGED: f.LinkFacts,
    EventType.LINK_ADDED: f.LinkFacts,
    EventType.PEER_STATE_REPORTED: f.PeerStateFacts,
    EventType.FILE_ATTACHED: f.FileFacts,
    EventType.LETTER_SENT: f.AnswerFacts,
    EventType.REGISTRATION_ANNULLED: f.AnnulmentFacts,
    EventType.ADDRESS_RESOLVED: f.AddressFacts,
    EventType.ROUTED: f.RoutedFacts,
    EventType.DEADLINE_OPENED: f.DeadlineFacts,
    EventType.DEADLINE_MOVED: f.DeadlineFacts,
    EventType.DEADLINE_CLOSED: f.DeadlineFacts,
    EventType.CONFLICT_RECORDED: f.ConflictFacts,
    EventType.CONFLICT_RESOLVED: f.ReasonFacts,
    EventType.REPORT_REFUSED: f.RefusalFacts,
}
"""The payload class of each type; types whose logic comes later carry `NoFacts` until then."""


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who raised the event.

    id: code of the peer, id of the person or rule; never a name. on_behalf: the role or body acted
    for (a portal for the applicant, a deputy for the head).
    """

    kind: Literal["peer", "person", "rule", "timer", "system"]
    id: str = ""
    on_behalf: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an appeal, as it is stored.

    question: ordinal from 1, None when it concerns the whole appeal. occurred_at: when it happened
    by the word of whoever told us; a bare day stays a `date`, never a midnight. reported_at: when
    the peer said so. recorded_at: when we wrote it. cause: the message it came in. key: the peer's
    MessageKey, by which a repeat is known. inferred: written by rule (a) because a later step
    implies it. late: written by rule (b), it moves nothing. content: hex SHA-256(salt ‖ bytes) of
    the personal part, which lies apart. All instants are aware.
    """

    appeal_id: UUID
    seq: int
    type: EventType
    v: int = 1
    question: int | None = None
    occurred_at: dt.datetime | dt.date
    reported_at: dt.datetime | None = None
    recorded_at: dt.datetime
    actor: Actor
    cause: UUID | None = None
    key: str = ""
    inferred: bool = False
    late: bool = False
    payload: f.Facts = f.NoFacts()
    content: str | None = None


P = TypeVar("P")


class Body(msgspec.Struct, Generic[P], frozen=True, kw_only=True, omit_defaults=True):
    """The stored form of an event; occurred_at is an ISO date or an ISO instant with offset."""

    v: int
    question: int | None = None
    occurred_at: str
    reported_at: dt.datetime | None = None
    recorded_at: dt.datetime
    actor: Actor
    cause: UUID | None = None
    key: str = ""
    inferred: bool = False
    late: bool = False
    payload: P
    content: str | None = None


_encode = msgspec.json.Encoder(order="sorted").encode


def canonical_body(event: Event) -> bytes:
    """Return the bytes that are stored and hashed: sorted-key JSON without personal data."""
    return _encode(
        Body(
            v=event.v,
            question=event.question,
            occurred_at=event.occurred_at.isoformat(),
            reported_at=event.reported_at,
            recorded_at=event.recorded_at,
            actor=event.actor,
            cause=event.cause,
            key=event.key,
            inferred=event.inferred,
            late=event.late,
            payload=event.payload,
            content=event.content,
        )
    )


def event_of_body(appeal_id: UUID, seq: int, type_: EventType, body: dict[str, Any]) -> Event:
    """Build an event from a decoded body of the newest version; `upcast.load` brings it there."""
    try:
        shape: Any = Body[PAYLOADS[type_]]  # type: ignore[valid-type]
        read: Body[f.Facts] = msgspec.convert(body, shape)
        return Event(
            appeal_id=appeal_id,
            seq=seq,
            type=type_,
            v=read.v,
            question=read.question,
            occurred_at=parse_moment(read.occurred_at),
            reported_at=read.reported_at,
            recorded_at=read.recorded_at,
            actor=read.actor,
            cause=read.cause,
            key=read.key,
            inferred=read.inferred,
            late=read.late,
            payload=read.payload,
            content=read.content,
        )
    except (msgspec.ValidationError, ValueError) as error:
        raise MalformedError(
            f"the body of event {seq} ({type_}) does not fit its version",
            found=str(error),
            where=str(appeal_id),
        ) from error


def parse_moment(text: str) -> dt.datetime | dt.date:
    """Read an ISO date, or an ISO instant with offset; raise ValueError for anything else."""
    if len(text) == len("2026-01-01"):
        return dt.date.fromisoformat(text)
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        message = f"an instant needs its offset: {text}"
        raise ValueError(message)
    return instant


_DOMAIN: Final = b"gateway/event/1"
HASH_BYTES: Final = 32
_TYPE_BYTES: Final = {str(t): bytes([len(t)]) + t.encode("ascii") for t in EventType}


def first_prev(appeal_id: UUID) -> bytes:
    """Return the `prev` of an appeal's first event, so that a chain cannot be moved elsewhere."""
    return sha256(_DOMAIN + appeal_id.bytes).digest()


def event_hash(prev: bytes, seq: int, type: str, body: bytes) -> bytes:  # noqa: A002 - the column's name
    """Return the SHA-256 that chains one event to the one before it (layout: module docstring)."""
    mark = _TYPE_BYTES.get(type)
    if mark is None:
        name = type.encode("ascii")
        mark = bytes([len(name)]) + name
    return sha256(prev + seq.to_bytes(8, "big") + mark + body).digest()


class StoredEvent(NamedTuple):
    """One row of the event table, as `verify_chain` reads it."""

    seq: int
    type: str
    body: bytes
    prev: bytes
    hash: bytes


def verify_chain(appeal_id: UUID, rows: Iterable[StoredEvent]) -> tuple[int, bytes] | str:
    """Check one appeal's chain, rows in order of seq: (last seq, head hash), or what is broken.

    The answer of a good chain is to be compared with the appeal's head row: a chain cut at its end
    is sound in itself.
    """
    last, prev = 0, first_prev(appeal_id)
    for row in rows:
        if row.seq != last + 1:
            return f"event {last + 1} is missing, found {row.seq}"
        if row.prev != prev:
            return f"event {row.seq} does not follow event {last}: prev differs"
        if row.hash != event_hash(prev, row.seq, row.type, row.body):
            return f"event {row.seq} was changed: hash differs"
        last, prev = row.seq, row.hash
    return last, prev


class AppealKey(msgspec.Struct, frozen=True, kw_only=True):
    """How a peer names an appeal: any one of the numbers is enough (model.md §2)."""

    receipt_number: str = ""
    external_id: str = ""
    registration_number: str = ""
    organisation: str = ""


class PeerAnswer(f.AnswerFacts, frozen=True, kw_only=True):
    """A letter as the peer told it (model.md §2, AnswerIn): the facts plus what is personal."""

    text: str = ""
    signed_by: str = ""


class PeerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a peer's status, answer or withdraw call says, in canonical form (model.md §2).

    message_key: idempotency of the call. questions: the peer's own ids or ours; ordinals: numbers
    from 1; both empty mean every question. occurred_at: when the peer told the instant too.
    executor_name, decline_text, comment: personal or free text, kept in the event's content only.
    extras: what the call said beside, kept and not applied.
    """

    message_key: str
    key: AppealKey
    event: EventType
    occurred_on: dt.date
    occurred_at: dt.datetime | None = None
    questions: tuple[str, ...] = ()
    ordinals: tuple[int, ...] = ()
    registration: f.RegistrationFacts | None = None
    executor: f.ExecutorFacts | None = None
    executor_name: str = ""
    extension: f.ExtensionFacts | None = None
    transfer: f.TransferFacts | None = None
    decline: f.DeclineFacts | None = None
    decline_text: str = ""
    outcome: f.OutcomeFacts | None = None
    answer: PeerAnswer | None = None
    receiver: f.ReceiverFacts | None = None
    delivery: f.DeliveryFacts | None = None
    reason: f.ReasonFacts | None = None
    topic: f.TopicFacts | None = None
    peer_state: f.PeerStateFacts | None = None
    rating: f.RatingFacts | None = None
    moderation: f.ModerationFacts | None = None
    clarification: f.ClarificationFacts | None = None
    comment: str = ""
    extras: tuple[Extra, ...] = ()
