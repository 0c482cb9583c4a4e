"""What is known about an appeal after its events: a pure fold, a projection that can be rebuilt.

`evolve` applies one recorded event, without judging it: judging happened before it was written
(`gateway.lifecycle.judge`). `fold` is `evolve` over all of them.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import msgspec

from gateway.errors import InternalError
from gateway.lifecycle import ties
from gateway.lifecycle.table import BY_EVENT
from gateway.model import facts as f
from gateway.model.events import Event, EventType, State
from gateway.model.fold import number_key

if TYPE_CHECKING:
    from collections.abc import Iterable

When = dt.datetime | dt.date
"""A moment as a peer told it: an instant, or only a day."""

MOSCOW: Final = dt.timezone(dt.timedelta(hours=3))
"""Where days are compared when the caller names no zone; a body's own zone is a setting."""


AFTER_THE_END: Final = frozenset({EventType.FILED, EventType.CONFIRMED})
"""What closes a case without being its end: it had come to one before."""


def day_of(moment: When, zone: dt.tzinfo = MOSCOW) -> dt.date:
    """Return the calendar day of a moment; a bare day is the same in every zone."""
    return moment.astimezone(zone).date() if isinstance(moment, dt.datetime) else moment


def older(a: When, b: When, zone: dt.tzinfo = MOSCOW) -> bool:
    """Whether a happened before b; when either is only a day, the same day is not before."""
    if isinstance(a, dt.datetime) and isinstance(b, dt.datetime):
        return a < b
    return day_of(a, zone) < day_of(b, zone)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A transition the question has made; inferred until the real event comes."""

    type: EventType
    at: When
    inferred: bool


class Executor(msgspec.Struct, frozen=True, kw_only=True):
    """Who works on the question, and since when."""

    facts: f.ExecutorFacts
    at: When


class QuestionState(msgspec.Struct, frozen=True, kw_only=True):
    """One question as the events left it.

    end: which end it came to; stays when the case is filed. floor: when it was last taken back
    (returned, reassigned, reopened): older words belong to the round before. rating: the
    applicant's last word on the answer that stands. withdrawn: a written statement came.
    deadlines: those that still run.
    """

    ordinal: int
    state: State = State.RECEIVED
    end: State | None = None
    ended_by: EventType | None = None
    steps: tuple[Step, ...] = ()
    floor: When | None = None
    flags: frozenset[str] = frozenset()
    topics: tuple[f.TopicFacts, ...] = ()
    registrations: tuple[f.RegistrationFacts, ...] = ()
    executor: Executor | None = None
    transfer: f.TransferFacts | None = None
    copies: tuple[f.TransferFacts, ...] = ()
    receiver: f.ReceiverFacts | None = None
    receiver_answer: f.ReceiverFacts | None = None
    extensions: tuple[f.ExtensionFacts, ...] = ()
    answer: f.AnswerFacts | None = None
    decline: f.DeclineFacts | None = None
    delivery: f.DeliveryFacts | None = None
    rating: f.RatingFacts | None = None
    withdrawn: bool = False
    deadlines: tuple[f.DeadlineFacts, ...] = ()
    peer_states: tuple[f.PeerStateFacts, ...] = ()

    @property
    def registered_on(self) -> dt.date | None:
        """The day of the earliest registration told so far; inferred ones have no number or day."""
        return min((r.date for r in self.registrations if r.date), default=None)

    @property
    def last(self) -> When | None:
        """When it came to its present state, by the peers' dates."""
        moments = [s.at for s in self.steps if BY_EVENT[s.type].to is self.state]
        if self.floor is not None:
            moments.append(self.floor)
        newest: When | None = None
        for moment in moments:
            if newest is None or older(newest, moment):
                newest = moment
        return newest

    def step(self, type_: EventType) -> Step | None:
        """Return the step of a type in the present round, if it was made."""
        return next((s for s in self.steps if s.type is type_), None)


class AppealState(msgspec.Struct, frozen=True, kw_only=True):
    """One appeal as its events left it; `seq` is the head, the next event takes seq + 1."""

    appeal_id: UUID | None = None
    seq: int = 0
    regime: str = ""
    marks: frozenset[str] = frozenset()
    """How urgent its source said it is, in the source's codes: terms may ask for them."""
    revision: int = 0
    received_at: When | None = None
    questions: tuple[QuestionState, ...] = ()
    seen: frozenset[str] = frozenset()
    """Message keys whose report is already applied, as `seen_key` spells them."""
    links: tuple[f.LinkFacts, ...] = ()
    merged_into: UUID | None = None
    """The appeal that goes on for this one; what is told of this one is told of that one."""
    apart: frozenset[UUID] = frozenset()
    """Appeals of which a person has said that they are not this one."""
    deadlines: tuple[f.DeadlineFacts, ...] = ()
    peer_states: tuple[f.PeerStateFacts, ...] = ()
    routed: f.RoutedFacts | None = None
    disputes: tuple[ties.Dispute, ...] = ()

    @property
    def conflicts(self) -> tuple[int, ...]:
        """Seqs of recorded conflicts that no person has resolved yet."""
        return tuple(d.seq for d in self.disputes if d.settled_at is None)

    @property
    def state(self) -> State:
        """The appeal's state: that of its least advanced open question."""
        return appeal_state(self.questions)

    def question(self, ordinal: int) -> QuestionState:
        """Return a question by its ordinal; KeyError when the appeal has none such."""
        for question in self.questions:
            if question.ordinal == ordinal:
                return question
        raise KeyError(ordinal)


EMPTY: Final = AppealState()


def appeal_state(questions: Iterable[QuestionState]) -> State:
    """Return the least advanced open question's state, or of the ended when none is open."""
    states = [q.state for q in questions]
    chosen = [s for s in states if s.is_open] or states
    return min(chosen, key=lambda s: s.rank, default=State.RECEIVED)


def seen_key(peer: str, key: str, cause: UUID | None) -> str:
    """Return the form in which a peer's message key stands in `AppealState.seen`.

    cause: the message that told it. A key belongs to one operation, of which the ledger keeps one
    message: two messages under one key are two calls, a status and an answer perhaps (design §6).
    What no message brought is known by its key alone.
    """
    return f"{peer}\0{key}\0{cause}" if cause else f"{peer}\0{key}"


def fold(events: Iterable[Event]) -> AppealState:
    """Return the state after all events of one appeal, given in order of seq from 1."""
    state = EMPTY
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: AppealState, event: Event) -> AppealState:
    """Apply one recorded event; raise InternalError for a hole or another appeal's event."""
    if event.seq != state.seq + 1 or state.appeal_id not in {None, event.appeal_id}:
        raise InternalError(
            "events of one appeal come in order and without holes",
            found=f"{event.appeal_id} {event.seq}",
            expected=f"{state.appeal_id} {state.seq + 1}",
        )
    seen = state.seen
    if event.key and not ties.is_aside(event):
        seen |= {seen_key(event.actor.id, event.key, cause) for cause in (None, event.cause)}
    state = _with(state, appeal_id=event.appeal_id, seq=event.seq, seen=seen)
    state = _appeal_facts(state, event)
    if event.question is None or event.type is EventType.CONFLICT_RECORDED:
        return state
    if event.type is EventType.SPLIT and isinstance(event.payload, f.SplitFacts):
        return _split(state, event.question, event.payload.ordinal)
    return _with(
        state,
        questions=tuple(
            _question(q, event) if q.ordinal == event.question else q for q in state.questions
        ),
    )


T = TypeVar("T", bound=msgspec.Struct)


def _with(value: T, **changes: Any) -> T:
    return msgspec.structs.replace(value, **changes)


def fill(known: T | None, told: T) -> T:
    """Return the known facts with the empty ones filled from what was told (rule b)."""
    if known is None:
        return told
    changes: dict[str, Any] = {}
    for name in known.__struct_fields__:
        ours, theirs = getattr(known, name), getattr(told, name)
        if isinstance(ours, msgspec.Struct) and isinstance(theirs, msgspec.Struct):
            changes[name] = fill(ours, theirs)
        elif ours in _EMPTY:
            changes[name] = theirs
    return _with(known, **changes)


_EMPTY: Final = ("", None, (), False, 0)


def _appeal_facts(state: AppealState, event: Event) -> AppealState:
    changes: dict[str, Any] = {}
    match event.type, event.payload:
        case EventType.RECEIVED, f.ReceivedFacts() as p:
            changes = {
                "regime": p.regime,
                "marks": frozenset(filter(None, (p.urgency, p.priority))),
                "revision": p.revision,
                "received_at": event.occurred_at,
                "questions": _more_questions((), p.questions),
            }
        case EventType.AMENDED, f.AmendmentFacts() as p if not event.late:
            changes = {
                "revision": max(p.revision, state.revision),
                "questions": _more_questions(state.questions, p.questions),
            }
        case EventType.NOT_AN_APPEAL, f.ReasonFacts() as p if p.regime and not event.late:
            changes = {"regime": p.regime}
        case _, f.LinkFacts():
            changes = ties.linked(state.links, state.merged_into, state.apart, event)
        case EventType.ROUTED, f.RoutedFacts() as p:
            changes = {"routed": p}
        case EventType.PEER_STATE_REPORTED, f.PeerStateFacts() as p if event.question is None:
            changes = {"peer_states": _peer_states(state.peer_states, p)}
        case ((EventType.CONFLICT_RECORDED | EventType.CONFLICT_RESOLVED), _):
            changes = {"disputes": ties.disputed(state.disputes, event)}
        case kind, f.DeadlineFacts() as p if event.question is None:
            changes = {"deadlines": _deadlines(state.deadlines, kind, p)}
    return _with(state, **changes)


def _more_questions(known: tuple[QuestionState, ...], count: int) -> tuple[QuestionState, ...]:
    return known + tuple(QuestionState(ordinal=n) for n in range(len(known) + 1, count + 1))


def _split(state: AppealState, parent: int, ordinal: int) -> AppealState:
    if any(q.ordinal == ordinal for q in state.questions):
        return state
    born = _with(state.question(parent), ordinal=ordinal, topics=())
    return _with(state, questions=(*state.questions, born))


def _deadlines(
    known: tuple[f.DeadlineFacts, ...], kind: EventType, told: f.DeadlineFacts
) -> tuple[f.DeadlineFacts, ...]:
    rest = tuple(d for d in known if d.rule != told.rule)
    return rest if kind is EventType.DEADLINE_CLOSED else (*rest, told)


def _peer_states(
    known: tuple[f.PeerStateFacts, ...], told: f.PeerStateFacts
) -> tuple[f.PeerStateFacts, ...]:
    return (*(s for s in known if s.peer != told.peer), told)


def _question(q: QuestionState, event: Event) -> QuestionState:
    if isinstance(event.payload, f.RatingFacts):
        q = _rated(q, event, event.payload)
    if event.late:
        return _confirm_step(_facts(q, event), event)
    return _facts(_date_inferred(_move(q, event), event), event)


def _rated(q: QuestionState, event: Event, told: f.RatingFacts) -> QuestionState:
    """Take what the applicant thinks of the answer that stands; of an earlier one it is history."""
    return q if told.score is None or _before_floor(q, event) else _with(q, rating=told)


def _move(q: QuestionState, event: Event) -> QuestionState:
    row = BY_EVENT[event.type]
    if row.to is None or (isinstance(event.payload, f.TransferFacts) and event.payload.copy):
        return q
    # A moderator who lets a message through takes nothing back.
    back = (
        row.to.rank < q.state.rank and event.type is not EventType.MODERATION_PASSED
    ) or event.type is EventType.REASSIGNED
    steps = q.steps
    if back:
        steps = tuple(s for s in steps if _leads_to(s.type).rank <= row.to.rank)
    changes: dict[str, Any] = {
        "state": row.to,
        "steps": _put(steps, Step(type=event.type, at=event.occurred_at, inferred=event.inferred)),
    }
    if back:
        changes["floor"] = event.occurred_at
        changes |= dict.fromkeys(
            ("end", "ended_by", "transfer", "receiver", "receiver_answer", "answer", "decline")
        )
        changes |= {"delivery": None, "rating": None}
    if not row.to.is_open and event.type not in AFTER_THE_END:
        changes |= {"end": row.to, "ended_by": event.type}
    return _with(q, **changes)


def _leads_to(type_: EventType) -> State:
    return BY_EVENT[type_].to or State.RECEIVED


def _put(steps: tuple[Step, ...], step: Step) -> tuple[Step, ...]:
    rest = [s for s in steps if s.type is not step.type]
    return tuple(sorted([*rest, step], key=lambda s: (_leads_to(s.type).rank, s.type)))


def _confirm_step(q: QuestionState, event: Event) -> QuestionState:
    """Let a late event take the place of its inferred step, unless it is of an earlier round."""
    to = BY_EVENT[event.type].to
    ahead = to is not None and to.rank > q.state.rank
    # It was in moderation and is back among the received, which is the lower state.
    if (ahead and event.type is not EventType.SENT_TO_MODERATION) or _before_floor(q, event):
        return q
    known = q.step(event.type)
    q = _date_inferred(q, event)
    if to is None or (known is not None and (event.inferred or not known.inferred)):
        return q
    step = Step(type=event.type, at=event.occurred_at, inferred=event.inferred)
    return _with(q, steps=_put(q.steps, step))


def _date_inferred(q: QuestionState, event: Event) -> QuestionState:
    """Bring inferred steps on the way to an event forward to its date: they cannot be after it."""
    row, at = BY_EVENT[event.type], event.occurred_at
    by_then = row.to.rank - 1 if row.to else min(s.rank for s in row.sources)
    return _with(
        q,
        steps=tuple(
            _with(s, at=at)
            if s.inferred and _leads_to(s.type).rank <= by_then and older(at, s.at)
            else s
            for s in q.steps
        ),
    )


def _before_floor(q: QuestionState, event: Event) -> bool:
    return q.floor is not None and older(event.occurred_at, q.floor)


def _facts(q: QuestionState, event: Event) -> QuestionState:
    kind = event.type
    match kind, event.payload:
        case _, (f.RegistrationFacts() | f.AnnulmentFacts()) as p if p.number:
            return _with(q, registrations=_registrations(q.registrations, p))
        case ((EventType.ASSIGNED | EventType.REASSIGNED), f.ExecutorFacts() as p) if (
            p.organisation
        ):
            return _with(q, executor=_executor(q.executor, Executor(facts=p, at=event.occurred_at)))
        case EventType.EXTENDED, f.ExtensionFacts() as p:
            known = q.extensions if p in q.extensions else (*q.extensions, p)
            return _with(
                q,
                extensions=tuple(sorted(known, key=lambda e: (str(e.decided_on), e.ground))),
                flags=q.flags | {"extended"},
            )
        case ((EventType.TOPIC_ASSIGNED | EventType.TOPIC_CHANGED), f.TopicFacts() as p):
            rest = (t for t in q.topics if t.system != p.system)
            return _with(q, topics=tuple(sorted((*rest, p), key=lambda t: t.system)))
        case EventType.PEER_STATE_REPORTED, f.PeerStateFacts() as p:
            return _with(q, peer_states=_peer_states(q.peer_states, p))
        case EventType.WITHDRAWN, _:
            return _with(q, withdrawn=True)
        case _, f.DeadlineFacts() as p:
            return _with(q, deadlines=_deadlines(q.deadlines, kind, p))
    return q if _before_floor(q, event) and event.late else _round_facts(q, event)


def _round_facts(q: QuestionState, event: Event) -> QuestionState:
    """Take facts that belong to one round only: how it ended, and what the receiver said."""
    match event.type, event.payload:
        case EventType.TRANSFERRED, f.TransferFacts() as p if p.copy:
            return q if p in q.copies else _with(q, copies=(*q.copies, p))
        case EventType.TRANSFERRED, f.TransferFacts() as p:
            return _with(q, transfer=fill(q.transfer, p))
        case EventType.RECEIVER_REGISTERED, f.ReceiverFacts() as p:
            return _with(q, receiver=fill(q.receiver, p))
        case EventType.RECEIVER_ANSWERED, f.ReceiverFacts() as p:
            return _with(q, receiver_answer=fill(q.receiver_answer, p))
        case EventType.ANSWERED, f.AnswerFacts() as p:
            return _with(q, answer=fill(q.answer, p))
        case EventType.DECLINED, f.DeclineFacts() as p:
            return _with(q, decline=fill(q.decline, p))
        case ((EventType.DELIVERED | EventType.DELIVERY_FAILED), f.DeliveryFacts() as p):
            return _with(q, delivery=p)
    return q


def _registrations(
    known: tuple[f.RegistrationFacts, ...], told: f.RegistrationFacts | f.AnnulmentFacts
) -> tuple[f.RegistrationFacts, ...]:
    """Keep one registration per body and number, in an order that does not depend on arrival."""
    if isinstance(told, f.AnnulmentFacts):
        void = f.RegistrationFacts(organisation=told.organisation, number=told.number)
        return tuple(r for r in known if not same_registration(r, void))
    same = next((r for r in known if same_registration(r, told)), None)
    rest = [r for r in known if r is not same]
    return tuple(
        sorted([*rest, fill(same, told)], key=lambda r: (str(r.date), r.organisation, r.number))
    )


def same_registration(a: f.RegistrationFacts, b: f.RegistrationFacts) -> bool:
    """Whether two registrations are one: same body, same number but for look-alike letters."""
    if a.organisation != b.organisation:
        return False
    return (a.number_key or number_key(a.number)) == (b.number_key or number_key(b.number))


def _executor(known: Executor | None, told: Executor) -> Executor:
    """Keep whoever was charged last by the peers' own dates, whatever order the words came in."""
    if known is None:
        return told
    if older(known.at, told.at):
        return told
    if older(told.at, known.at) or known.facts == told.facts:
        return known
    return max(known, told, key=lambda e: (e.facts.organisation, e.facts.officer))
