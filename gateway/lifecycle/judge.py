"""Judges a claim against what is known, by the four rules for peers that skip steps or come late.

(a) ahead on the same road: applied, the missing steps are written as inferred events;
(b) behind, the state was passed already: written as late, moves nothing, fills empty facts;
(c) contradiction: a conflict for a person, nothing is applied;
(d) the same MessageKey: a repeat, nothing is written.

Pure: `verdict` reads one question, `gateway.lifecycle.apply` turns verdicts into events.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from gateway.errors import AccessError, StateError
from gateway.lifecycle.roads import allowed_events, missing_steps
from gateway.lifecycle.state import (
    AFTER_THE_END,
    MOSCOW,
    QuestionState,
    day_of,
    older,
    same_registration,
)
from gateway.lifecycle.table import BY_EVENT, Row
from gateway.model import facts as f
from gateway.model.events import EventType, State

if TYPE_CHECKING:
    from gateway.lifecycle.claim import Claim


ABUSIVE: Final = "abusive"
"""Reason of `NotAnAppeal`: nothing but insults; of an incident only, and only a person says so."""
INCIDENT: Final = "incident"


class Kind(StrEnum):
    """What became of a claim, from the mildest to the gravest."""

    REPEAT = "repeat"
    LATE = "late"
    APPLIED = "applied"
    INFERRED = "inferred"
    CONFLICT = "conflict"


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a judgement needs besides the appeal and the claim.

    now: aware instant of writing. zone: of the body, where days are compared. granted: events that
    the peer may report, None for no such list. source: the peer sent this appeal itself.
    complained_of: codes of bodies the appeal complains about (59-ФЗ art. 8 part 6). due: question →
    legal due day of its answer, where one runs. extension_days: how far that day may be moved (art.
    12 part 2), None for no bound.
    """

    now: dt.datetime
    zone: dt.tzinfo = MOSCOW
    granted: frozenset[EventType] | None = None
    source: bool = False
    complained_of: frozenset[str] = frozenset()
    due: Mapping[int, dt.date] = {}
    extension_days: int | None = None


class Verdict(NamedTuple):
    """How one claim stands to one question; `steps` are those to infer, code and reason say why."""

    kind: Kind
    code: str
    reason: str
    steps: tuple[EventType, ...] = ()


def permit(claim: Claim, regime: str, state: State, ctx: Context) -> Row:
    """Return the row of the claim's event, or refuse it.

    Raises StateError for an event whose logic comes in a later release or that the regime forbids,
    AccessError when the actor's role or the peer's grant does not allow it.
    """
    row = BY_EVENT[claim.type]
    allowed = allowed_events(state, regime)
    wrong_regime = regime in row.never or bool(row.only and regime not in row.only)
    if wrong_regime and row.refusal:
        raise StateError(row.refusal, current_state=state, allowed_events=allowed)
    if row.later or wrong_regime or not row.sources:
        raise StateError(
            f"событие {row.event} {'появится позже' if row.later else 'здесь не принимается'}",
            current_state=state,
            allowed_events=allowed,
            todo="see docs/reference/lifecycle.md for the events that are taken",
        )
    if isinstance(claim.payload, f.ReasonFacts) and claim.payload.code == ABUSIVE:
        _only_incident(claim, regime, state, allowed)
    actor = claim.actor
    roles: set[str] = {actor.kind} if actor.kind != "person" else set(claim.roles)
    if actor.kind == "peer" and ctx.source:
        roles.add("source")
    if roles.isdisjoint(row.who):
        own = actor.kind == "peer" and "source" in row.who
        whose = "is reported by the appeal's sender only" if own else "is not for this role"
        raise AccessError(f"the event {row.event} {whose}", where=actor.kind)
    if actor.kind == "peer" and ctx.granted is not None and row.event not in ctx.granted:
        raise AccessError(f"the event {row.event} is not in the peer's manifest", where=actor.id)
    return row


def _only_incident(claim: Claim, regime: str, state: State, allowed: tuple[str, ...]) -> None:
    """Refuse to give up a letter or a message for an insult: that is what art. 11 is for."""
    if claim.type is EventType.NOT_AN_APPEAL and regime != INCIDENT:
        raise StateError(
            "оскорбительным снимают только инцидент из социальной сети; "
            "по 59-ФЗ это часть 3 статьи 11 (Declined)",
            current_state=state,
            allowed_events=allowed,
        )


def verdict(q: QuestionState, claim: Claim, ctx: Context) -> Verdict:
    """Judge a permitted claim against one question."""
    row = BY_EVENT[claim.type]
    at = claim.occurred_at
    if q.floor is not None and older(at, q.floor, ctx.zone) and row.to is not None:
        other = _differs(q, claim, ctx) if row.event is EventType.REGISTERED else None
        return other or _late("earlier_round", "относится к работе до возврата")
    if q.state in row.sources:
        if _already(q, claim):
            return _late("known", "уже известно")
        if _goes_back(q, row) and q.last is not None and older(at, q.last, ctx.zone):
            return _late("passed", "вопрос с тех пор продвинулся")
        return _against(q, claim, ctx) or Verdict(Kind.APPLIED, "", "")
    return _elsewhere(q, claim, row, ctx)


def _elsewhere(q: QuestionState, claim: Claim, row: Row, ctx: Context) -> Verdict:
    """Judge an event that the present state does not allow directly."""
    if _ended_same_way(q, row):
        return _differs(q, claim, ctx) or _late("known", "уже известно")
    if _is_behind(q, row):
        return _behind(q, claim, row, ctx)
    steps = missing_steps(q.state, row)
    if steps is not None:
        return _against(q, claim, ctx) or Verdict(
            Kind.INFERRED, "ahead", "дополнены пропущенные шаги: " + ", ".join(steps), steps
        )
    if claim.type is EventType.WITHDRAWN:
        return _late("ended", "рассмотрение уже окончено, заявление приобщено")
    return _conflict("no_road", f"из состояния {q.state} событие {row.event} невозможно")


def _late(code: str, reason: str) -> Verdict:
    return Verdict(Kind.LATE, code, reason)


def _conflict(code: str, reason: str) -> Verdict:
    return Verdict(Kind.CONFLICT, code, reason)


def _goes_back(q: QuestionState, row: Row) -> bool:
    return row.to is not None and (
        row.to.rank < q.state.rank or (row.event is EventType.REASSIGNED and row.to is q.state)
    )


def _already(q: QuestionState, claim: Claim) -> bool:
    """Whether a fact that moves no state is known word for word."""
    told = claim.payload
    if claim.type is EventType.SENT_TO_MODERATION:
        passed = q.step(EventType.MODERATION_PASSED)
        return passed is not None and not older(passed.at, claim.occurred_at)
    match told:
        case f.ExtensionFacts():
            return told in q.extensions
        case f.TopicFacts():
            return told in q.topics
        case f.TransferFacts():
            return told.copy and told in q.copies
    return False


def _ended_same_way(q: QuestionState, row: Row) -> bool:
    if row.to is None:
        # A fact about an end (delivery, the receiver's number) after the case was filed.
        return not q.state.is_open and q.end is not None and q.end in row.sources
    if row.event in AFTER_THE_END:
        # Filed and confirmed: whichever comes second changes nothing of how it ended.
        closed = any(q.step(event) is not None for event in AFTER_THE_END)
        return q.state is State.CLOSED and closed and q.end in row.sources
    return q.ended_by is row.event


def _is_behind(q: QuestionState, row: Row) -> bool:
    """Whether the event belongs to the road that has led to the present state."""
    to = row.to
    if q.state.is_open:
        return to is not None and to.is_open and to.rank <= q.state.rank
    if q.ended_by is None:
        return False
    before = BY_EVENT[q.ended_by].sources
    if to is None:
        return any(s in before for s in row.sources)
    return to.is_open and any(to.rank <= s.rank for s in before)


def _behind(q: QuestionState, claim: Claim, row: Row, ctx: Context) -> Verdict:
    if not q.state.is_open and q.last is not None and older(q.last, claim.occurred_at, ctx.zone):
        return _conflict("after_end", f"событие {row.event} позже окончания рассмотрения ({q.end})")
    found = _differs(q, claim, ctx)
    if found:
        return found
    step = q.step(row.event)
    if row.to is not None and step is not None and step.inferred:
        return _late("confirms", "подтверждён шаг, который был дополнен")
    return _late("passed", "этап уже пройден")


def _against(q: QuestionState, claim: Claim, ctx: Context) -> Verdict | None:
    """Find what forbids a claim that the road allows."""
    told = claim.payload
    if isinstance(told, f.TransferFacts) and told.organisation in ctx.complained_of:
        return _conflict(
            "complained_of", "обжалуемому органу направлять запрещено (59-ФЗ ст. 8 ч. 6)"
        )
    return _dates(q, claim, ctx) or _differs(q, claim, ctx)


_ENDS: Final = frozenset({EventType.ANSWERED, EventType.TRANSFERRED, EventType.DECLINED})


def _dates(q: QuestionState, claim: Claim, ctx: Context) -> Verdict | None:
    """Refuse an end dated before the registration: the term runs from it (art. 12 part 1)."""
    if claim.type not in _ENDS:
        return None
    day = getattr(claim.payload, "date", None) or day_of(claim.occurred_at, ctx.zone)
    told = claim.registration.date if claim.registration else None
    registered = min((d for d in (q.registered_on, told) if d), default=None)
    if registered is not None and day < registered:
        return _conflict("before_registration", f"дата {day} раньше даты регистрации {registered}")
    return None


def _differs(q: QuestionState, claim: Claim, ctx: Context) -> Verdict | None:
    """Find a fact that contradicts the same fact already known."""
    told = claim.payload
    if isinstance(told, f.RegistrationFacts) and claim.type is EventType.REGISTERED:
        return _other_registration(q, told)
    if isinstance(told, f.ExecutorFacts) and claim.type is EventType.ASSIGNED:
        known = q.executor
        if (
            known is not None
            and told.organisation not in {"", known.facts.organisation}
            and older(known.at, claim.occurred_at, ctx.zone)
        ):
            return _conflict("executor", "назначен другой исполнитель без переназначения")
    if isinstance(told, f.AnswerFacts) and claim.type is EventType.ANSWERED and q.answer:
        return _other_answer(q.answer, told)
    if isinstance(told, f.TransferFacts) and q.transfer and not told.copy:
        for name in ("organisation", "number"):
            if _clash(getattr(q.transfer, name), getattr(told, name)):
                return _conflict("transfer", "уже направлено другому органу или другим письмом")
    if isinstance(told, f.DeclineFacts) and q.decline and _clash(q.decline.part, told.part):
        return _conflict("decline", "уже оставлено без ответа по другой части ст. 11")
    if isinstance(told, f.ExtensionFacts):
        for known_extension in q.extensions:
            if known_extension.ground == told.ground and known_extension.new_due != told.new_due:
                return _conflict("extension", "по одному основанию срок продлевают один раз")
    return None


def _clash(known: str, told: str) -> bool:
    return bool(known and told and known != told)


def _other_registration(q: QuestionState, told: f.RegistrationFacts) -> Verdict | None:
    for known in q.registrations:
        if known.organisation != told.organisation:
            continue
        if not same_registration(known, told):
            return _conflict("registration", "этот орган уже сообщил другой номер регистрации")
        if known.date and told.date and known.date != told.date:
            return _conflict("registration", "этот номер уже сообщён с другой датой")
    return None


def _other_answer(known: f.AnswerFacts, told: f.AnswerFacts) -> Verdict | None:
    ours, theirs = known.outcome, told.outcome
    if ours and theirs and _clash(ours.result, theirs.result):
        return _conflict("outcome", "уже известен другой результат рассмотрения")
    if _clash(known.number, told.number):
        return _conflict("answer", "уже известен ответ с другим номером")
    return None


def breaches(q: QuestionState, claim: Claim, ctx: Context) -> tuple[str, ...]:
    """Name what is unlawful about an extension: decided late, or for too long (art. 12 part 2).

    A peer's word is taken with these as warnings, for it has happened; our own people are refused.
    """
    told, due = claim.payload, ctx.due.get(q.ordinal)
    if not isinstance(told, f.ExtensionFacts) or due is None:
        return ()
    found = []
    if told.decided_on and told.decided_on > due:
        found.append(f"решение о продлении принято после срока {due}")
    if told.new_due and told.new_due <= due:
        found.append(f"новый срок не позже прежнего {due}")
    days = ctx.extension_days
    if told.new_due and days is not None and told.new_due > due + dt.timedelta(days=days):
        found.append(f"продление больше чем на {days} дней")
    return tuple(found)
