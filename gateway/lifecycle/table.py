"""The life cycle of a question as data: one row per transition of the canonical model (59-ФЗ).

The states are `gateway.model.events.State`. A row says from which states an event may be raised,
where it leads, who may raise it, which facts it needs, and whether its logic comes `later`: then it
is known by name and refused. The page docs/reference/lifecycle.md is generated from here.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from gateway.model.events import EventType as E
from gateway.model.events import State

Role = Literal[
    "peer", "source", "rule", "timer", "system", "registrar", "coordinator", "executor", "approver",
    "head", "contractor", "inspector", "moderator", "applicant",
]  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    """One event of the life cycle.

    number: row of the canonical table, 0 for facts of our own. sources: states it may be raised in.
    to: where it leads, None when the state stays. who: `source` is the peer that sent the appeal,
    `peer` any that may see it. needs: facts nobody may leave out. expects: facts
    our own people may not leave out; a peer's word without them is taken with a warning, because
    refusing it would lose what has happened. never, only: regimes it is forbidden in, or kept to.
    level: whether it concerns questions, the appeal, or either. terms: what it does to the clock.
    """

    number: int
    event: E
    sources: tuple[State, ...]
    to: State | None = None
    who: tuple[Role, ...] = ()
    needs: tuple[str, ...] = ()
    expects: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    refusal: str = ""
    """Why it is refused in the wrong regime, in Russian."""
    level: Literal["question", "appeal", "either"] = "question"
    terms: str = ""
    later: bool = False


OPEN: Final = tuple(s for s in State if s.is_open)
ENDS: Final = (State.ANSWERED, State.TRANSFERRED, State.DECLINED)
ALL: Final = tuple(State)
WORK: Final = (State.ASSIGNED, State.IN_WORK)
AFTER_REGISTRATION: Final = (
    State.REGISTERED,
    State.ASSIGNED,
    State.WITH_CONTRACTOR,
    State.IN_WORK,
    State.INSPECTION,
    State.ANSWER_PREPARED,
)
LIVE: Final = ("message", "incident")

_NO_CLARIFICATION: Final = "по 59-ФЗ запрос уточнения не останавливает срок и не предусмотрен"
_NO_MODERATION: Final = "обращение по 59-ФЗ не модерируется: его регистрируют (ст. 8 ч. 2)"
_NO_CONFIRMATION: Final = (
    "по 59-ФЗ рассмотрение окончено ответом, подтверждать его не нужно; оценку сообщает Rated"
)
_NO_REWORK: Final = (
    "по 59-ФЗ возврат ответа на доработку не предусмотрен: примите новое, повторное обращение "
    "и свяжите его с первым"
)

ROWS: Final[tuple[Row, ...]] = (
    Row(
        1,
        E.RECEIVED,
        (),
        to=State.RECEIVED,
        who=("peer", "registrar", "system"),
        level="appeal",
        terms="↑ регистрация 3 дня (8 ч. 2)",
    ),
    Row(
        2,
        E.SENT_TO_MODERATION,
        (State.RECEIVED,),
        to=State.MODERATION,
        who=("rule", "moderator", "peer"),
        never=("fz59",),
        refusal=_NO_MODERATION,
        terms="↑ часы по политике",
    ),
    Row(
        2,
        E.MODERATION_PASSED,
        (State.MODERATION,),
        to=State.RECEIVED,
        who=("rule", "moderator", "peer"),
        never=("fz59",),
        refusal=_NO_MODERATION,
        terms="↓ часы модерации",
    ),
    Row(
        3,
        E.NOT_AN_APPEAL,
        (State.RECEIVED, State.MODERATION),
        to=State.CLOSED,
        who=("registrar",),
        needs=("reason",),
        expects=("regime", "text"),
        terms="↓ все",
    ),
    Row(
        4,
        E.REGISTERED,
        (State.RECEIVED,),
        to=State.REGISTERED,
        who=("registrar", "peer", "rule"),
        needs=("registration_number", "registration_date", "not_future"),
        terms="↓ 3 дня; ↑ 30 дней (12 ч. 1) или 20 (12 ч. 1.1); ↑ по 7 дней (8 ч. 3, ст. 11)",
    ),
    Row(
        5,
        E.REGISTRATION_REFUSED,
        (State.RECEIVED, State.MODERATION),
        to=State.CLOSED,
        who=("peer",),
        needs=("reason",),
        terms="↓ все",
    ),
    Row(
        6,
        E.SPLIT,
        (State.RECEIVED, State.REGISTERED),
        who=("registrar", "rule"),
        needs=("new_ordinal",),
        terms="часть хранит даты целого",
    ),
    # Triage names the topic before a body registers, and bodies correct it while they work.
    Row(6, E.TOPIC_ASSIGNED, OPEN, who=("registrar", "rule", "peer"), needs=("topic",)),
    Row(6, E.TOPIC_CHANGED, OPEN, who=("registrar", "rule", "peer"), needs=("topic",)),
    Row(
        7,
        E.TRANSFERRED,
        (State.REGISTERED, State.ASSIGNED, State.IN_WORK),
        to=State.TRANSFERRED,
        who=("coordinator", "peer"),
        needs=("to_org", "transfer_date", "transfer_number", "not_complained_of"),
        terms="↓ 30 дней; ↑ уведомление; 7 дней (8 ч. 3), 5 (8 ч. 3.1) от регистрации",
    ),
    Row(
        8,
        E.REFUSED_BY_RECEIVER,
        (State.TRANSFERRED,),
        to=State.REGISTERED,
        who=("peer",),
        needs=("reason",),
        terms="30 дней идут от первой регистрации",
    ),
    Row(
        8,
        E.RETURNED_TO_US,
        (State.TRANSFERRED,),
        to=State.REGISTERED,
        who=("peer", "coordinator"),
        needs=("reason",),
        terms="30 дней идут от первой регистрации",
    ),
    Row(
        9,
        E.RECEIVER_REGISTERED,
        (State.TRANSFERRED,),
        who=("peer",),
        needs=("receiver_number", "receiver_date"),
    ),
    Row(
        9,
        E.RECEIVER_ANSWERED,
        (State.TRANSFERRED,),
        who=("peer",),
        needs=("receiver_number", "receiver_date"),
    ),
    Row(
        10,
        E.ASSIGNED,
        (State.REGISTERED,),
        to=State.ASSIGNED,
        who=("coordinator", "rule", "peer"),
        needs=("executor",),
        terms="↑ внутренний срок ≤ срока ответа",
    ),
    Row(
        10,
        E.REASSIGNED,
        (State.REGISTERED, State.ASSIGNED, State.IN_WORK, State.ANSWER_PREPARED),
        to=State.ASSIGNED,
        who=("coordinator", "rule", "peer"),
        needs=("executor",),
    ),
    Row(11, E.TAKEN_TO_WORK, (State.ASSIGNED,), to=State.IN_WORK, who=("executor", "peer")),
    Row(
        12,
        E.NOTICE_SENT_TO_CONTRACTOR,
        (State.ASSIGNED,),
        to=State.WITH_CONTRACTOR,
        who=("rule",),
        terms="↑ 3 рабочих дня; 30 дней идут",
        later=True,
    ),
    Row(13, E.EVIDENCE_SUBMITTED, (State.WITH_CONTRACTOR,), who=("contractor",), later=True),
    Row(
        14,
        E.EVIDENCE_ACCEPTED,
        (State.WITH_CONTRACTOR,),
        to=State.ANSWER_PREPARED,
        who=("inspector",),
        terms="↓ 3 рабочих дня",
        later=True,
    ),
    Row(
        15,
        E.EVIDENCE_REJECTED,
        (State.WITH_CONTRACTOR,),
        to=State.IN_WORK,
        who=("inspector",),
        terms="↓ 3 рабочих дня",
        later=True,
    ),
    Row(
        15,
        E.NOT_OUR_HOUSE,
        (State.WITH_CONTRACTOR,),
        to=State.IN_WORK,
        who=("contractor",),
        terms="↓ 3 рабочих дня",
        later=True,
    ),
    Row(
        15,
        E.TERM_EXPIRED,
        (State.WITH_CONTRACTOR,),
        to=State.IN_WORK,
        who=("timer",),
        terms="↓ 3 рабочих дня",
        later=True,
    ),
    Row(
        16,
        E.INSPECTION_OPENED,
        (State.IN_WORK,),
        to=State.INSPECTION,
        who=("inspector",),
        terms="30 дней идут",
        later=True,
    ),
    Row(
        17,
        E.INSPECTION_RESULT,
        (State.INSPECTION,),
        to=State.IN_WORK,
        who=("inspector",),
        later=True,
    ),
    Row(
        18,
        E.EXTENDED,
        AFTER_REGISTRATION,
        who=("head", "peer"),
        needs=("extension_ground", "decided_on", "new_due"),
        terms="срок сдвигается один раз на основание (12 ч. 2); уведомление в тот же день",
    ),
    Row(
        19,
        E.DOCUMENTS_REQUESTED,
        (State.IN_WORK,),
        who=("executor",),
        terms="↑ 15 дней для них (10 ч. 2); наш срок не останавливается",
        later=True,
    ),
    Row(19, E.DOCUMENTS_RECEIVED, (State.IN_WORK,), who=("executor", "peer"), later=True),
    # A moderator asks before anybody works on it; when the author answers, somebody may already.
    Row(
        20,
        E.CLARIFICATION_ASKED,
        OPEN,
        who=("moderator", "peer"),
        expects=("words",),
        only=LIVE,
        refusal=_NO_CLARIFICATION,
        terms="↑ дни автору по политике; ничего не останавливает",
    ),
    Row(
        20,
        E.CLARIFICATION_ANSWERED,
        OPEN,
        who=("applicant", "moderator", "peer"),
        expects=("words",),
        only=LIVE,
        refusal=_NO_CLARIFICATION,
        terms="↓ дни автору",
    ),
    Row(
        21,
        E.ANSWER_PREPARED,
        WORK,
        to=State.ANSWER_PREPARED,
        who=("executor", "peer"),
        expects=("outcome", "text_or_file"),
    ),
    Row(
        21,
        E.ANSWER_REJECTED,
        (State.ANSWER_PREPARED,),
        to=State.IN_WORK,
        who=("approver", "peer"),
        expects=("reason",),
    ),
    Row(
        22,
        E.ANSWERED,
        (*WORK, State.ANSWER_PREPARED),
        to=State.ANSWERED,
        who=("approver", "head", "peer"),
        needs=("outcome", "actions_taken"),
        expects=("answer_number", "answer_file"),
        terms="↓ 30 дней",
    ),
    Row(23, E.DELIVERED, (State.ANSWERED,), who=("peer", "system")),
    Row(23, E.DELIVERY_FAILED, (State.ANSWERED,), who=("peer", "system")),
    Row(
        24,
        E.DECLINED,
        (State.REGISTERED, State.ASSIGNED, State.IN_WORK),
        to=State.DECLINED,
        who=("head", "peer"),
        needs=("decline_part",),
        expects=("decline_notice",),
        terms="↓ 30 дней; ↑ уведомление по части ст. 11",
    ),
    Row(
        25,
        E.CAUSE_REMOVED,
        (State.DECLINED,),
        to=State.REGISTERED,
        who=("applicant", "head"),
        terms="↑ новые сроки от новой регистрации (11 ч. 7)",
        later=True,
    ),
    Row(
        25,
        E.REOPENED_BY_SUPERVISOR,
        (State.DECLINED,),
        to=State.REGISTERED,
        who=("head", "peer"),
        terms="↑ новые сроки",
        later=True,
    ),
    Row(
        26,
        E.CONFIRMED,
        (State.ANSWERED,),
        to=State.CLOSED,
        who=("applicant", "peer"),
        only=LIVE,
        refusal=_NO_CONFIRMATION,
        terms="↓ дни на подтверждение, доработку",
    ),
    Row(26, E.RATED, (State.ANSWERED,), who=("applicant", "peer"), expects=("score",)),
    Row(
        26,
        E.RETURNED_FOR_REWORK,
        (State.ANSWERED,),
        to=State.IN_WORK,
        who=("applicant", "peer"),
        expects=("reason",),
        only=LIVE,
        refusal=_NO_REWORK,
        terms="↑ срок доработки по политике",
    ),
    Row(
        26,
        E.CONFIRM_TERM_EXPIRED,
        (State.ANSWERED,),
        to=State.CLOSED,
        who=("timer",),
        only=LIVE,
        later=True,
    ),
    Row(
        28,
        E.WITHDRAWN,
        OPEN,
        to=State.CLOSED,
        who=("applicant", "source", "registrar"),
        expects=("statement",),
        terms="↓ все (орган вправе продолжить)",
    ),
    Row(29, E.FILED, ENDS, to=State.CLOSED, who=("executor", "head", "peer")),
    Row(
        29,
        E.REOPENED,
        ENDS,
        to=State.IN_WORK,
        who=("head", "peer"),
        needs=("reason",),
        terms="30 дней идут от первой регистрации",
    ),
    Row(30, E.AMENDED, ALL, who=("peer", "registrar"), needs=("revision",), level="appeal"),
    Row(30, E.MERGED_AS_DUPLICATE, ALL, who=("registrar", "peer"), needs=("link",), level="appeal"),
    Row(30, E.UNMERGED, ALL, who=("registrar", "peer"), needs=("link",), level="appeal"),
    Row(30, E.LINK_ADDED, ALL, who=("registrar", "peer", "rule"), needs=("link",), level="appeal"),
    Row(
        30,
        E.PEER_STATE_REPORTED,
        ALL,
        who=("peer", "system"),
        needs=("peer_state",),
        level="either",
    ),
    # The applicant's right while it is considered (59-ФЗ art. 5); what comes later is kept, too.
    Row(30, E.FILE_ATTACHED, ALL, who=("peer", "registrar"), needs=("file",), level="appeal"),
    # Facts of our own. They tell what the gateway did; no state moves.
    Row(
        0,
        E.LETTER_SENT,
        ALL,
        who=("executor", "approver", "head", "peer", "system"),
        terms="↓ срок уведомления, первой реакции",
    ),
    Row(
        0,
        E.REGISTRATION_ANNULLED,
        ALL,
        who=("registrar",),
        needs=("registration_number", "annulment_ground"),
    ),
    Row(0, E.ADDRESS_RESOLVED, ALL, who=("rule", "coordinator"), level="appeal"),
    Row(0, E.ROUTED, ALL, who=("rule", "coordinator"), level="either"),
    Row(0, E.DEADLINE_OPENED, ALL, who=("rule", "system"), level="either"),
    Row(0, E.DEADLINE_MOVED, ALL, who=("rule", "system"), level="either"),
    Row(0, E.DEADLINE_CLOSED, ALL, who=("rule", "system"), level="either"),
    Row(0, E.CONFLICT_RECORDED, ALL, who=("system",), level="either"),
    Row(0, E.REPORT_REFUSED, ALL, who=("system",), level="either"),
    Row(0, E.CONFLICT_RESOLVED, ALL, who=("registrar", "coordinator", "head"), level="either"),
)

BY_EVENT: Final[dict[E, Row]] = {row.event: row for row in ROWS}
