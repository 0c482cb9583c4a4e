"""Short ways to make claims and histories, shared by the tests of the life cycle."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from gateway.lifecycle import AppealState, Claim, Context, Outcome, apply, evolve
from gateway.lifecycle.state import EMPTY
from gateway.model import facts as f
from gateway.model.events import Actor, Event, EventType

APPEAL = UUID("01900000-0000-7000-8000-000000000001")
NOW = dt.datetime(2026, 6, 30, 12, tzinfo=dt.timezone(dt.timedelta(hours=3)))
SED = Actor(kind="peer", id="sed")
PORTAL = Actor(kind="peer", id="portal")
CTX = Context(now=NOW)
OWN = Context(now=NOW, source=True)
"""The same for a claim of the peer that sent the appeal."""


def day(number: int) -> dt.date:
    """Return the day of June 2026."""
    return dt.date(2026, 6, number)


def received(questions: int = 1, regime: str = "fz59") -> AppealState:
    """Return an appeal that has just come in, on 1 June."""
    return evolve(
        EMPTY,
        Event(
            appeal_id=APPEAL,
            seq=1,
            type=EventType.RECEIVED,
            occurred_at=day(1),
            recorded_at=NOW,
            actor=PORTAL,
            payload=f.ReceivedFacts(regime=regime, peer="portal", questions=questions),
        ),
    )


def number(value: str = "А-1", on: int = 2, body: str = "org-1") -> f.RegistrationFacts:
    return f.RegistrationFacts(organisation=body, number=value, date=day(on))


def answer(result: str = "explained", value: str = "О-1", on: int = 20) -> f.AnswerFacts:
    return f.AnswerFacts(
        kind="final",
        number=value,
        date=day(on),
        outcome=f.OutcomeFacts(result=result, actions_taken=result == "supported" or None),
        attachments=("a" * 64,),
    )


PAYLOADS = {
    EventType.REGISTERED: number(),
    EventType.ASSIGNED: f.ExecutorFacts(organisation="dept-1"),
    EventType.REASSIGNED: f.ExecutorFacts(organisation="dept-2"),
    EventType.NOT_AN_APPEAL: f.ReasonFacts(code="spam", regime="not_an_appeal"),
    EventType.REGISTRATION_REFUSED: f.ReasonFacts(code="07"),
    EventType.SPLIT: f.SplitFacts(ordinal=2),
    EventType.TOPIC_ASSIGNED: f.TopicFacts(system="sstu", code="0003.0009.0097.0689"),
    EventType.TOPIC_CHANGED: f.TopicFacts(system="sstu", code="0003.0009.0097.0690"),
    EventType.TRANSFERRED: f.TransferFacts(organisation="org-2", date=day(5), number="П-1"),
    EventType.REFUSED_BY_RECEIVER: f.ReasonFacts(code="not_ours"),
    EventType.RETURNED_TO_US: f.ReasonFacts(code="not_ours"),
    EventType.RECEIVER_REGISTERED: f.ReceiverFacts(number="Р-1", date=day(8)),
    EventType.RECEIVER_ANSWERED: f.ReceiverFacts(number="Р-2", date=day(20)),
    EventType.EXTENDED: f.ExtensionFacts(
        ground="10.2", decided_on=day(20), new_due=dt.date(2026, 7, 30)
    ),
    EventType.SENT_TO_MODERATION: f.ModerationFacts(stage="portal"),
    EventType.MODERATION_PASSED: f.ModerationFacts(stage="portal", verdict="accepted"),
    EventType.CLARIFICATION_ASKED: f.ClarificationFacts(due=day(9)),
    EventType.CLARIFICATION_ANSWERED: f.ClarificationFacts(),
    EventType.ANSWER_PREPARED: answer(),
    EventType.ANSWER_REJECTED: f.ReasonFacts(code="incomplete"),
    EventType.ANSWERED: answer(),
    EventType.DELIVERED: f.DeliveryFacts(channel="epgu"),
    EventType.DELIVERY_FAILED: f.DeliveryFacts(channel="email", failure="no such box"),
    EventType.DECLINED: f.DeclineFacts(article="11", part="5", notice=True),
    EventType.CONFIRMED: f.RatingFacts(score=5, scale="1-5"),
    EventType.RATED: f.RatingFacts(score=4, scale="1-5"),
    EventType.RETURNED_FOR_REWORK: f.ReasonFacts(code="not_solved", due=day(29)),
    EventType.WITHDRAWN: f.ReasonFacts(code="own_wish"),
    EventType.FILED: f.ReasonFacts(),
    EventType.REOPENED: f.ReasonFacts(code="new_facts"),
    EventType.AMENDED: f.AmendmentFacts(revision=2),
    EventType.MERGED_AS_DUPLICATE: f.LinkFacts(kind="duplicate_of", appeal="x"),
    EventType.UNMERGED: f.LinkFacts(kind="duplicate_of", appeal="x"),
    EventType.LINK_ADDED: f.LinkFacts(kind="repeat_of", number="А-0", date=day(1)),
    EventType.PEER_STATE_REPORTED: f.PeerStateFacts(peer="sstu", code="NotRecieved"),
    EventType.FILE_ATTACHED: f.FileFacts(sha256="b" * 64, role="appeal"),
    EventType.LETTER_SENT: f.AnswerFacts(kind="notice", notice="8.3"),
    EventType.REGISTRATION_ANNULLED: f.AnnulmentFacts(number="А-1", ground="по ошибке"),
    EventType.ROUTED: f.RoutedFacts(rule="r-1"),
    EventType.DEADLINE_OPENED: f.DeadlineFacts(rule="fz59-answer", kind="duty"),
    EventType.DEADLINE_MOVED: f.DeadlineFacts(rule="fz59-answer", kind="duty"),
    EventType.DEADLINE_CLOSED: f.DeadlineFacts(rule="fz59-answer", kind="duty"),
    EventType.CONFLICT_RESOLVED: f.ReasonFacts(code="5"),
}
"""A payload for each type with which nothing it needs is missing."""


def says(type_: str, on: int | dt.datetime, payload: f.Facts | None = None, **more) -> Claim:
    """Return the claim of a peer that an event happened on a day of June 2026."""
    kind = EventType(type_)
    return Claim(
        type=kind,
        occurred_at=day(on) if isinstance(on, int) else on,
        payload=payload or PAYLOADS.get(kind, f.NoFacts()),
        **({"actor": SED, "text": True} | more),
    )


def tell(state: AppealState, *claims: Claim, ctx: Context = CTX) -> AppealState:
    """Apply claims in turn and return the state; a conflict fails the test."""
    for claim in claims:
        outcome = apply(state, claim, ctx)
        assert outcome.kind != "conflict", outcome.reason
        state = outcome.state
    return state


def types(outcome: Outcome) -> list[tuple[str, str]]:
    """Name each new event and how it was written."""
    return [
        (e.type.value, "late" if e.late else "inferred" if e.inferred else "applied")
        for e in outcome.events
    ]
