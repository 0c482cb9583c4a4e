"""What a plan is, and how it is built event by event; pure.

A plan holds the events to append, the state after them, the contents that lie apart, the
deliveries owed, and what else is to be written. A plan that needs a registration number is made
with the place of the number empty and `numbered` later, because counters are taken last.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway import rights
from gateway.errors import AccessError, StateError, ValidationError
from gateway.lifecycle import (
    AppealState,
    Claim,
    Context,
    Kind,
    apply,
    evolve,
    set_aside,
)
from gateway.model import facts as f
from gateway.model.events import Actor, Event, EventType, State
from gateway.model.fold import number_key
from gateway.topics.tables import EMPTY
from gateway.triage import telling
from gateway.triage.looked import NOTHING, Looked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from gateway.adapter import RemoteState
    from gateway.deadlines import Change
    from gateway.duplicates import Letter, Letters, Reference
    from gateway.errors import GatewayError, Violation
    from gateway.model.appeal import Appeal
    from gateway.model.peer import Peer
    from gateway.served import Served
    from gateway.store.files import Moved
    from gateway.store.history import Content, Head
    from gateway.store.organisations import Named
    from gateway.store.registers import RegisterKey
    from gateway.store.work import Item
    from gateway.subscriptions import Manner, Owed
    from gateway.topics.tables import Seen, Tables
    from gateway.triage.lookup import Lookup
    from gateway.triage.questions import Names

NEVER = (ValidationError, StateError, AccessError)
"""Refusals of a peer's word that no later state of the appeal would take back."""
PENDING_NUMBER = "№"
"""Stands for a registration number until the counter is taken; never reaches a row."""


class Facts(NamedTuple):
    """What triage read for a batch; `take` keeps it current while the batch is planned.

    letters: covering letters of new appeals, and who holds the same ones. merged: appeal → peer
    that sent its letter by another channel → that peer's own appeal. histories: of every appeal in
    `heads`. topics: classifiers, and what codes of one mean in another. places:
    what the addresses of new appeals were found to be.
    """

    heads: dict[UUID, Head]
    states: dict[UUID, AppealState]
    contents: Mapping[UUID, bytes | None]
    peers: Mapping[str, Peer]
    letters: Letters
    merged: dict[UUID, dict[str, UUID]]
    questions: Mapping[UUID, Names]
    now: datetime
    histories: dict[UUID, list[Event]]
    topics: Tables = EMPTY
    places: Looked = NOTHING

    def take(self, made: Plan) -> None:
        """Bring the facts to where a plan leaves them, so that the next one starts from there."""
        appeal_id = made.item.appeal_id
        if appeal_id is None or made.state is None:
            return
        self.states[appeal_id] = made.state
        self.histories.setdefault(appeal_id, []).extend(made.events)
        if made.merge_into is not None:
            senders = self.merged.setdefault(made.merge_into, {})
            senders.setdefault(self.heads[appeal_id].peer, appeal_id)
        if made.letter is not None:
            self.letters.settle(appeal_id, made.merge_into)


class Rules(NamedTuple):
    """The policy of the installation.

    route: from an appeal to the rule that took it, None when nothing is routed. terms: events that
    open, move or close terms because of an event. organisation: our own body's id. registers:
    wires or peers whose appeals we register at once. number: spells a number of a register.
    extension_days: from a regime to how far an answer's term may be moved, None for no bound.
    manners: how the adapters that are switched on tell. doubts: rules that lack nothing but a sure
    house. lookup: finds addresses, kept by all the workers of a process.
    """

    route: Callable[[Appeal, str, Served], f.RoutedFacts | None]
    terms: Callable[[AppealState, Event], tuple[Change, ...]]
    organisation: str
    register: str
    registers: frozenset[str]
    zone: ZoneInfo
    spell: Callable[[RegisterKey, int], str]
    extension_days: Callable[[str], int | None]
    manners: Mapping[str, Manner]
    doubts: Callable[[Appeal, str, Served], tuple[str, ...]]
    lookup: Lookup


class Plan(NamedTuple):
    """What is to be written for one message."""

    item: Item
    stage: str
    note: dict[str, Any]
    events: tuple[Event, ...] = ()
    state: AppealState | None = None
    contents: tuple[Content, ...] = ()
    deliveries: tuple[Owed, ...] = ()
    register: RegisterKey | None = None
    new_content: tuple[UUID, bytes] | None = None
    references: tuple[Reference, ...] = ()
    letter: Letter | None = None
    merge_into: UUID | None = None
    remote: RemoteState | None = None
    unmapped: tuple[Named, ...] = ()
    unknown: tuple[Seen, ...] = ()
    files: Moved | None = None
    synonyms: tuple[int, ...] = ()

    def numbered(self, number: str) -> Plan:
        """Return the plan with the registration number put in its place, in events and state."""
        if self.state is None:
            return self
        events = tuple(_numbered(event, number) for event in self.events)
        questions = tuple(
            msgspec.structs.replace(
                q, registrations=tuple(_filled(r, number) for r in q.registrations)
            )
            for q in self.state.questions
        )
        state = msgspec.structs.replace(self.state, questions=questions)
        return self._replace(events=events, state=state)


class Build:
    """Gathers the events of one plan, each judged against the state the ones before it left."""

    def __init__(self, item: Item, state: AppealState, facts: Facts, rules: Rules) -> None:
        self.item, self.state, self.facts, self.rules = item, state, facts, rules
        self.cause: UUID | None = item.message_id
        self.events: list[Event] = []
        self.contents: list[Content] = []
        self.reason = ""
        self.warnings: tuple[str, ...] = ()

    def add(
        self,
        type_: EventType,
        payload: f.Facts,
        actor: Actor,
        question: int | None = None,
        content: str | None = None,
    ) -> None:
        """Append a fact of our own, which no rule of the life cycle judges."""
        event = Event(
            appeal_id=self.item.appeal_id,  # type: ignore[arg-type]
            seq=self.state.seq + 1,
            type=type_,
            question=question,
            occurred_at=self.facts.now,
            recorded_at=self.facts.now,
            actor=actor,
            cause=self.cause,
            payload=payload,
            content=content,
        )
        self._take(event)

    def claim(self, claim: Claim, *, granted: frozenset[EventType] | None = None) -> Kind:
        """Append what a claim becomes by the four rules, and the terms that follow from it."""
        claim, left_out = rights.within(claim, granted)
        sender = self.facts.heads[self.item.appeal_id].peer  # type: ignore[index]
        context = Context(
            now=self.facts.now,
            zone=self.rules.zone,
            granted=granted,
            source=claim.actor.kind == "peer" and claim.actor.id == sender,
            due=_due(self.state),
            extension_days=self.rules.extension_days(self.state.regime),
        )
        outcome = apply(self.state, claim, context)
        self.reason, self.warnings = outcome.reason, (*outcome.warnings, *left_out)
        for event in outcome.events:
            self._take(event)
        for event in outcome.events:
            self._terms(event)
        return outcome.kind

    def set_aside(self, claim: Claim, code: str, reason: str) -> Kind:
        """Append a claim that a person must look at, without judging it."""
        context = Context(now=self.facts.now, zone=self.rules.zone)
        self._take(set_aside(self.state, claim, context, code, reason))
        self.reason = reason
        return Kind.CONFLICT

    def settle(self, message: UUID) -> None:
        """Settle what was set aside of a message that has been applied now."""
        for dispute in self.state.disputes:
            if dispute.message == message and dispute.settled_at is None:
                told = f.ReasonFacts(code=str(dispute.seq))
                self.add(EventType.CONFLICT_RESOLVED, told, rule("applied"))

    def refuse(self, claimed: EventType, key: str, error: GatewayError) -> Plan:
        """Close the plan of a peer's report that can never be applied: its sender is told why.

        What was built so far is dropped. The reason is in our own words, without what was said.
        """
        violations: tuple[Violation, ...] = getattr(error, "violations", ())
        reason = "; ".join(dict.fromkeys((error.message, *(v.message for v in violations))))
        self.state = self.facts.states[self.item.appeal_id]  # type: ignore[index]
        self.contents, self.events = [], []
        self._take(
            Event(
                appeal_id=self.item.appeal_id,  # type: ignore[arg-type]
                seq=self.state.seq + 1,
                type=EventType.REPORT_REFUSED,
                occurred_at=self.facts.now,
                reported_at=self.item.recorded_at,
                recorded_at=self.facts.now,
                actor=Actor(kind="peer", id=self.item.peer),
                cause=self.cause,
                key=key,
                payload=f.RefusalFacts(
                    claimed=claimed.value,
                    code=error.code,
                    reason=reason,
                    places=tuple(v.path for v in violations)
                    or ((error.where,) * bool(error.where)),
                ),
            )
        )
        self.reason = reason
        return self.plan("refused", applied="refused")

    def told(self, claim: Claim) -> None:
        """Append what a document tells of its own history; what lacks facts is kept as its word."""
        try:
            self.claim(claim)
        except (ValidationError, StateError):
            word = f.PeerStateFacts(peer=claim.actor.id, code=claim.type.value)
            self.add(EventType.PEER_STATE_REPORTED, word, claim.actor, claim.questions[0])

    def register(self, key: RegisterKey, routed: f.RoutedFacts | None) -> bool:
        """Register and assign by policy what is still open; return whether there was anything.

        A report may be applied before the appeal it is about (two workers, a submission put off):
        what it has ended or given to somebody is not ours to register or to assign any more.
        """
        questions = tuple(q.ordinal for q in self.state.questions if q.state.is_open)
        if not questions:
            return False
        day = self.facts.now.astimezone(self.rules.zone).date()
        number = f.RegistrationFacts(
            organisation=key.organisation, number=PENDING_NUMBER, date=day, register=key.code
        )
        self._registered(questions, number, routed)
        return True

    def join_registration(self, before: AppealState) -> None:
        """Put questions that an amendment added under the number that we gave the appeal.

        One registration is of the whole appeal (59-ФЗ art. 8 part 2), and so is its day.
        """
        known = {q.ordinal for q in before.questions}
        added = tuple(q.ordinal for q in self.state.questions if q.ordinal not in known)
        number = next(
            (
                r
                for q in before.questions
                for r in q.registrations
                if r.number and r.organisation == self.rules.organisation
            ),
            None,
        )
        if added and number is not None:
            self._registered(added, number, self.state.routed)

    def _registered(
        self,
        questions: tuple[int, ...],
        number: f.RegistrationFacts,
        routed: f.RoutedFacts | None,
    ) -> None:
        self.claim(
            Claim(
                type=EventType.REGISTERED,
                occurred_at=number.date or self.facts.now,
                actor=rule("auto-registration"),
                questions=questions,
                payload=number,
            )
        )
        free = tuple(q.ordinal for q in self.state.questions if q.state is State.REGISTERED)
        if routed is not None and routed.organisation and free:
            self.claim(
                Claim(
                    type=EventType.ASSIGNED,
                    occurred_at=self.facts.now,
                    actor=rule(routed.rule),
                    questions=free,
                    payload=f.ExecutorFacts(organisation=routed.organisation),
                )
            )

    def terms_of_received(self) -> None:
        """Open the terms that begin with the appeal itself (registration, 59-ФЗ art. 8 part 2)."""
        head = self.facts.heads[self.item.appeal_id]  # type: ignore[index]
        self._terms(telling.stub(self.item, head))

    def plan(
        self,
        stage: str,
        *,
        applied: str = "applied",
        received: bool = False,
        story: Sequence[Event] = (),
        **rest: Any,
    ) -> Plan:
        """Close the plan: note what became of the message and say who is to be told.

        story: what happened before to the appeal that this one is merged into; its sender hears it.
        """
        head = self.facts.heads[self.item.appeal_id]  # type: ignore[index]
        note: dict[str, Any] = {"applied": applied}
        if self.reason:
            note["reason"] = self.reason
        if self.warnings:
            note["warnings"] = list(self.warnings)
        return Plan(
            self.item,
            stage,
            note,
            events=tuple(self.events),
            state=self.state,
            contents=tuple(self.contents),
            deliveries=()
            if head.historical
            else telling.of_merger(self, head, story)
            if "merge_into" in rest
            else telling.owed_by(self, head, received=received),
            **rest,
        )

    def _terms(self, event: Event) -> None:
        if self.facts.heads[event.appeal_id].historical:
            return
        for change in self.rules.terms(self.state, event):
            payload = change.spec.facts
            self.add(change.type, payload, rule(payload.rule), change.spec.question)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.state = evolve(self.state, event)


def _due(state: AppealState) -> dict[int, date]:
    """The legal day of the answer, by question, where one runs."""
    return {
        q.ordinal: min(date.fromisoformat(d.due_legal[:10]) for d in duties)
        for q in state.questions
        if (duties := [d for d in q.deadlines if d.kind == "duty" and d.due_legal])
    }


def _numbered(event: Event, number: str) -> Event:
    if not isinstance(event.payload, f.RegistrationFacts):
        return event
    return msgspec.structs.replace(event, payload=_filled(event.payload, number))


def _filled(facts: f.RegistrationFacts, number: str) -> f.RegistrationFacts:
    if facts.number != PENDING_NUMBER:
        return facts
    return msgspec.structs.replace(facts, number=number, number_key=number_key(number))


def rule(rule: str) -> Actor:
    """Return the actor of a rule of ours."""
    return Actor(kind="rule", id=rule)
