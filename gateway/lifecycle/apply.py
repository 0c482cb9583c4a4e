"""Turns a claim into events: the only way into an appeal's history after `Received`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gateway.errors import NotFoundError, StateError
from gateway.lifecycle import needs
from gateway.lifecycle.claim import Claim, blank
from gateway.lifecycle.judge import Context, Kind, Verdict, breaches, permit, verdict
from gateway.lifecycle.roads import allowed_events
from gateway.lifecycle.state import (
    AppealState,
    QuestionState,
    evolve,
    same_registration,
    seen_key,
)
from gateway.model import facts as f
from gateway.model.events import Event, EventType
from gateway.model.upcast import UPCASTERS

if TYPE_CHECKING:
    from gateway.lifecycle.state import When


class QuestionOutcome(NamedTuple):
    """What a claim became for one question; ordinal None for the appeal as a whole."""

    ordinal: int | None
    kind: Kind
    code: str
    reason: str


class Outcome(NamedTuple):
    """What a claim became.

    kind: the gravest of the questions'. events: to be appended in this order, inferred steps
    included; empty only for a repeat. state: the appeal after them. reason: Russian, for people.
    warnings: what the claim should have told, or broke, and was taken with.
    """

    kind: Kind
    events: tuple[Event, ...]
    state: AppealState
    reason: str
    questions: tuple[QuestionOutcome, ...]
    warnings: tuple[str, ...] = ()


def apply(state: AppealState, claim: Claim, ctx: Context) -> Outcome:
    """Judge a claim and return the events it becomes, by the four rules (`lifecycle.judge`).

    A peer's claim that contradicts what is known becomes a `ConflictRecorded` event; a claim of our
    own people, rules or timers is refused instead, and nothing is inferred from it. Raises
    StateError, AccessError, NotFoundError (no such question) and ValidationError (facts missing).
    """
    if claim.key and seen_key(claim.actor.id, claim.key, claim.cause) in state.seen:
        return Outcome(Kind.REPEAT, (), state, "это сообщение уже применено", ())
    targets = _targets(state, claim)
    where = state.question(targets[0]).state if len(targets) == 1 else state.state
    row = permit(claim, state.regime, where, ctx)
    warnings = list(needs.check(row, claim, ctx.now))
    if row.level == "appeal" or (row.level == "either" and not claim.questions):
        return _whole(state, claim, ctx, tuple(warnings))
    for ordinal in targets:
        warnings += _lawful(state.question(ordinal), claim, ctx)
    meant = _meant(state, claim, ctx, targets)
    events: list[Event] = []
    told: list[QuestionOutcome] = []
    for ordinal in meant:
        state, new, outcome = _one(state, ordinal, claim, ctx)
        events += new
        told.append(outcome)
    kind = max((o.kind for o in told), key=list(Kind).index)
    reasons = dict.fromkeys(o.reason for o in told if o.reason)
    return Outcome(
        kind, tuple(events), state, "; ".join(reasons), tuple(told), tuple(dict.fromkeys(warnings))
    )


def set_aside(state: AppealState, claim: Claim, ctx: Context, code: str, reason: str) -> Event:
    """Return the event that keeps a claim for a person without judging it (`ties.SET_ASIDE`)."""
    return _conflict(state, claim, ctx, None, Verdict(Kind.CONFLICT, code, reason))


_ENDING = frozenset(
    {EventType.ANSWERED, EventType.TRANSFERRED, EventType.DECLINED, EventType.WITHDRAWN}
)


def _targets(state: AppealState, claim: Claim) -> tuple[int, ...]:
    """Name the questions a claim is about.

    An end told for "all" of an appeal concerns the questions that are still open: a body that
    answers without naming questions does not answer what was sent elsewhere.
    """
    known = [q.ordinal for q in state.questions]
    for ordinal in claim.questions:
        if ordinal not in known:
            raise NotFoundError("the appeal has no such question", found=str(ordinal))
    if claim.questions:
        return claim.questions
    if claim.type in _ENDING:
        still_open = tuple(q.ordinal for q in state.questions if q.state.is_open)
        if still_open:
            return still_open
    return tuple(known)


_NOT_MEANT = frozenset({"no_road", "after_end"})


def _meant(
    state: AppealState, claim: Claim, ctx: Context, targets: tuple[int, ...]
) -> tuple[int, ...]:
    """Leave out questions that an unnamed "all" cannot mean, unless it would mean none."""
    if claim.questions:
        return targets
    meant = tuple(
        n for n in targets if verdict(state.question(n), claim, ctx).code not in _NOT_MEANT
    )
    return meant or targets


def _lawful(q: QuestionState, claim: Claim, ctx: Context) -> tuple[str, ...]:
    found = breaches(q, claim, ctx)
    if found and claim.actor.kind != "peer":
        raise StateError("; ".join(found), current_state=q.state)
    return found


def _whole(state: AppealState, claim: Claim, ctx: Context, warnings: tuple[str, ...]) -> Outcome:
    """Append a fact about the appeal as a whole; an amendment that is not newer comes late."""
    late = isinstance(claim.payload, f.AmendmentFacts) and claim.payload.revision <= state.revision
    event = _event(state, claim, ctx, None, late=late)
    reason = "эта редакция не новее принятой" if late else ""
    kind = Kind.LATE if late else Kind.APPLIED
    told = QuestionOutcome(None, kind, "revision" if late else "", reason)
    return Outcome(kind, (event,), evolve(state, event), reason, (told,), warnings)


def _one(
    state: AppealState, ordinal: int, claim: Claim, ctx: Context
) -> tuple[AppealState, list[Event], QuestionOutcome]:
    """Apply a claim, with the facts told beside it, to one question: wholly or not at all."""
    trial, events = state, list[Event]()
    kinds, reason, code = [], "", ""
    for part, inferred in _parts(state.question(ordinal), claim):
        found = verdict(trial.question(ordinal), part, ctx)
        _refuse_own(trial.question(ordinal), claim, found, state.regime)
        if found.kind is Kind.CONFLICT:
            event = _conflict(state, part, ctx, ordinal, found)
            told = QuestionOutcome(ordinal, Kind.CONFLICT, found.code, found.reason)
            return evolve(state, event), [event], told
        for step in found.steps:
            missing = msgspec.structs.replace(
                part, type=step, payload=blank(step), content=None, text=False
            )
            events.append(_event(trial, missing, ctx, ordinal, inferred=True))
            trial = evolve(trial, events[-1])
        late = found.kind is Kind.LATE
        events.append(_event(trial, part, ctx, ordinal, inferred=inferred, late=late))
        trial = evolve(trial, events[-1])
        kinds.append(Kind.INFERRED if inferred and not late else found.kind)
        if part is claim:
            reason, code = found.reason, found.code
    return trial, events, QuestionOutcome(ordinal, max(kinds, key=list(Kind).index), code, reason)


def _refuse_own(q: QuestionState, claim: Claim, found: Verdict, regime: str) -> None:
    if claim.actor.kind != "peer" and found.kind in {Kind.CONFLICT, Kind.INFERRED}:
        raise StateError(
            found.reason,
            current_state=q.state,
            allowed_events=allowed_events(q.state, regime, ahead=False),
        )


def _parts(q: QuestionState, claim: Claim) -> list[tuple[Claim, bool]]:
    """Split a claim into what it tells of earlier steps and the event itself.

    A number told beside an answer is a registration in its own right, on its own date; an executor
    told so has no date, therefore the step is marked as inferred.
    """
    parts = [(claim, False)]
    number, executor = claim.registration, claim.executor
    if executor is not None and executor.organisation and q.executor is None:
        beside = _beside(claim, EventType.ASSIGNED, executor, claim.occurred_at)
        if claim.type is EventType.REGISTERED:
            parts.append((beside, True))
        elif claim.type not in {EventType.ASSIGNED, EventType.REASSIGNED}:
            parts.insert(0, (beside, True))
    if (
        number is not None
        and number.number
        and claim.type is not EventType.REGISTERED
        and not any(same_registration(known, number) for known in q.registrations)
    ):
        at = number.date or claim.occurred_at
        beside = _beside(claim, EventType.REGISTERED, number, at)
        parts.insert(0, (beside, number.date is None))
    return parts


def _beside(claim: Claim, type_: EventType, payload: f.Facts, at: When) -> Claim:
    return msgspec.structs.replace(
        claim, type=type_, payload=payload, occurred_at=at, content=None, text=False
    )


def _event(
    state: AppealState,
    claim: Claim,
    ctx: Context,
    question: int | None,
    *,
    inferred: bool = False,
    late: bool = False,
) -> Event:
    if state.appeal_id is None:
        raise NotFoundError("an appeal begins with Received; this one has no events")
    return Event(
        appeal_id=state.appeal_id,
        seq=state.seq + 1,
        type=claim.type,
        v=UPCASTERS.newest(claim.type),
        question=question,
        occurred_at=claim.occurred_at,
        reported_at=claim.reported_at,
        recorded_at=ctx.now,
        actor=claim.actor,
        cause=claim.cause,
        key=claim.key,
        inferred=inferred,
        late=late,
        payload=claim.payload,
        content=claim.content,
    )


def _conflict(
    state: AppealState, claim: Claim, ctx: Context, ordinal: int | None, found: Verdict
) -> Event:
    payload = f.ConflictFacts(
        claimed=claim.type,
        code=found.code,
        reason=found.reason,
        state=state.question(ordinal).state if ordinal is not None else state.state,
        occurred_at=claim.occurred_at.isoformat(),
        claim=msgspec.json.encode(claim.payload, order="sorted").decode(),
    )
    wrapped = msgspec.structs.replace(
        claim, type=EventType.CONFLICT_RECORDED, payload=payload, occurred_at=ctx.now
    )
    return _event(state, wrapped, ctx, ordinal)
