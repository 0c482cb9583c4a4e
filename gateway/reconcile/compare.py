"""What we believe a peer holds against what it says it holds; pure.

A difference is a finding with both sides, the likely cause and the repair proposed. What is on its
way is no difference; what cannot be decided from both sides goes to an operator.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from gateway.adapter import RemoteState

if TYPE_CHECKING:
    from collections.abc import Sequence

Class = Literal[
    "missing_there",
    "missing_here",
    "state_differs",
    "content_differs",
    "twice_there",
    "unknown_settled",
    "clock_skew",
]
Repair = Literal["resend", "mark_acknowledged", "expect", "ask_operator", "none"]
Explained = Literal["same", "in_flight", "awaited", "linked", "outside"]
"""Why a pair is no finding: equal; on its way; stored as an expectation before; ours by number, but
reported by somebody else; outside the window."""

CAUSES: Final[dict[str, tuple[str, str]]] = {
    "lost_there": (
        "Система подтвердила приём, но в её списке этого нет",
        "The peer acknowledged it, and its list does not show it",
    ),
    "refused": (
        "Система отказала, отправка остановлена",
        "The peer or our own check refused it, and nothing was sent since",
    ),
    "dead": ("Попытки отправки исчерпаны", "Every attempt to send it failed"),
    "not_sendable": (
        "По нынешним данным документ составить нельзя",
        "What we know now does not make a document the peer would take",
    ),
    "list_unreadable": (
        "Часть строк списка не читается, среди них может быть и эта",
        "Rows of the list cannot be read, and this may be one of them",
    ),
    "changed_there": (
        "Изменено в системе после того, как она подтвердила приём",
        "Changed there after the peer had acknowledged it",
    ),
    "not_told": (
        "У нас есть более новое состояние, о котором системе не сообщено",
        "We know more than the peer was told",
    ),
    "skipped": (
        "Отправку пропустил оператор, у системы прежнее состояние",
        "An operator skipped the delivery, so the peer holds what was before it",
    ),
    "older_there": (
        "Список показывает то же, но, возможно, прежнюю версию: новую система не приняла",
        "The list looks the same, yet may show the version before the one that was not taken",
    ),
    "failed_there": (
        "Система приняла, но не смогла обработать дальше",
        "The peer took it and could not process it further",
    ),
    "same_number_here": (
        "У нас несколько обращений с этим номером",
        "Several of our appeals have this number",
    ),
    "duplicate_there": (
        "В списке несколько записей с этим номером",
        "The list has several rows with this number",
    ),
    "never_came": (
        "В системе есть, к нам не поступало",
        "Reported there, not received here",
    ),
    "row_unreadable": (
        "Строку списка прочитать нельзя",
        "This row of the list cannot be read",
    ),
    "arrived": (
        "Ответ на отправку не дошёл, документ дошёл",
        "The answer was lost, the document arrived",
    ),
    "never_arrived": (
        "Ответа не было, документа в системе нет",
        "There was no answer, and the peer has not got it",
    ),
    "cannot_tell": (
        "Система не может сказать, дошло ли",
        "The peer cannot tell whether it arrived",
    ),
    "there_after_all": (
        "Отправка считается неудачной, но система показывает именно это",
        "We took it for failed, yet the peer shows exactly this",
    ),
    "clock_behind": (
        "Часы системы отстают или указан не тот часовой пояс",
        "The peer's clock is behind, or its time zone is set wrongly",
    ),
    "clock_ahead": (
        "Часы системы спешат или указан не тот часовой пояс",
        "The peer's clock is ahead, or its time zone is set wrongly",
    ),
}
"""Likely causes, in Russian for operators and in English for engineers."""


class Ours(msgspec.Struct, frozen=True, kw_only=True):
    """What we believe the peer holds of one appeal.

    expected: as the peer's register would show today's state. acked_digest: as it would show what
    it last acknowledged, empty when that is not known. since: start of the first send of the
    content it acknowledged last; acked_at: when we learnt of the acknowledgement. moving:
    deliveries that will be sent or settled without anybody's help. whole: the peer acknowledged
    exactly today's document. blocked: the delivery that was refused or given up since. skipped: an
    operator skipped something newer. citizen: it may end in a letter to a person. problem: why
    today's state cannot be encoded. by_number: looked at only because the peer named its number.
    """

    appeal: UUID
    receipt: str
    expected: RemoteState
    acked_digest: str = ""
    since: datetime | None = None
    acked_at: datetime | None = None
    moving: int = 0
    whole: bool = False
    blocked: UUID | None = None
    blocked_state: str = ""
    blocked_at: datetime | None = None
    error: str = ""
    skipped: bool = False
    citizen: bool = False
    problem: str = ""
    by_number: bool = False


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One difference; `ours` and `theirs` hold no personal data, empty for "nothing"."""

    class_: Class
    key: str
    appeal: UUID | None = None
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    cause: str
    repair: Repair


class Context(NamedTuple):
    """What judging needs besides the two sides.

    asked_at: when reading the peer's list began. gaps: rows of it that cannot be read.
    """

    asked_at: datetime
    tolerance: timedelta
    gaps: int = 0


class Pair(NamedTuple):
    """Everything under one (organisation, folded number).

    inside: a row of theirs lies in the window. awaited: it is an expectation already. linked: an
    appeal of ours has this number, which was never sent to this peer.
    """

    ours: Sequence[Ours]
    theirs: Sequence[RemoteState]
    inside: bool = True
    awaited: bool = False
    linked: UUID | None = None


def judge(pair: Pair, context: Context) -> list[Finding | Explained]:
    """Return what a pair amounts to: one entry for each of our appeals, or one for theirs."""
    if len(pair.theirs) > 1:
        return [_twice(pair)] if pair.inside or pair.ours else ["outside"]
    if not pair.ours:
        return [_only_theirs(pair)]
    if not pair.theirs:
        return [_only_ours(ours, context) for ours in pair.ours]
    ambiguous = len(pair.ours) > 1
    return [_both(ours, pair.theirs[0], context, ambiguous=ambiguous) for ours in pair.ours]


def unreadable(row: RemoteState) -> Finding:
    """Return the finding for a row of the peer's list that cannot be read."""
    return Finding(
        class_="missing_here", key=row.key, theirs=theirs_of(row), cause="row_unreadable",
        repair="ask_operator",
    )  # fmt: skip


def unsendable(ours: Ours) -> Finding:
    """Return the finding for an appeal that the peer never had and that cannot be encoded."""
    return Finding(
        class_="missing_there", key=ours.receipt, appeal=ours.appeal, ours=ours_of(ours),
        cause="not_sendable", repair="ask_operator",
    )  # fmt: skip


def ours_of(ours: Ours) -> dict[str, Any]:
    """Return our side as a finding keeps it."""
    side = _plain(ours.expected) | {
        "receipt": ours.receipt,
        "sent_at": ours.since and ours.since.isoformat(),
        "acknowledged_at": ours.acked_at and ours.acked_at.isoformat(),
        "delivery": ours.blocked and str(ours.blocked),
        "delivery_state": ours.blocked_state,
        "error": ours.error,
        "problem": ours.problem,
    }
    return {name: value for name, value in side.items() if value}


def theirs_of(state: RemoteState) -> dict[str, Any]:
    """Return their side as a finding keeps it: without the row itself, which names people."""
    return {name: value for name, value in _plain(state).items() if value}


def _plain(state: RemoteState) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(state, raw=b""))
    del plain["raw"]
    plain["stages"] = {name: at for name, at in plain["stages"].items() if at}
    return plain


def _twice(pair: Pair) -> Finding:
    first = pair.theirs[0]
    return Finding(
        class_="twice_there",
        key=first.key,
        appeal=pair.ours[0].appeal if pair.ours else pair.linked,
        ours=ours_of(pair.ours[0]) if pair.ours else {},
        theirs={"rows": [theirs_of(state) for state in pair.theirs]},
        cause="duplicate_there",
        repair="ask_operator",
    )


def _only_theirs(pair: Pair) -> Finding | Explained:
    if not pair.inside:
        return "outside"
    if pair.linked is not None:
        return "linked"
    if pair.awaited:
        return "awaited"
    state = pair.theirs[0]
    return Finding(
        class_="missing_here", key=state.key, theirs=theirs_of(state), cause="never_came",
        repair="expect",
    )  # fmt: skip


def _only_ours(ours: Ours, context: Context) -> Finding | Explained:
    if _is_moving(ours, context):
        return "in_flight"
    if ours.by_number:
        return "outside"
    cause = ours.blocked_state or "lost_there"
    repair: Repair = "resend"
    if ours.problem:
        cause, repair = "not_sendable", "ask_operator"
    elif context.gaps:
        cause, repair = "list_unreadable", "ask_operator"
    elif ours.citizen:
        repair = "ask_operator"
    return _finding("missing_there", ours, None, cause, repair)


def _both(
    ours: Ours, theirs: RemoteState, context: Context, *, ambiguous: bool
) -> Finding | Explained:
    if not _alike(ours.expected, theirs):
        return _different(ours, theirs, context, ambiguous=ambiguous)
    if ours.blocked:
        return _blocked_alike(ours, theirs, context)
    if _is_moving(ours, context):
        return "in_flight"
    if theirs.exception_message:
        repair: Repair = "ask_operator" if ours.citizen or ours.problem else "resend"
        return _finding("state_differs", ours, theirs, "failed_there", repair)
    if skew := _skew(ours, theirs, context):
        return _finding("clock_skew", ours, theirs, skew, "ask_operator")
    return "same"


def _different(
    ours: Ours, theirs: RemoteState, context: Context, *, ambiguous: bool
) -> Finding | Explained:
    if _is_moving(ours, context):
        return "in_flight"
    mine, other = ours.expected.states, theirs.states
    states = mine.keys() == other.keys() and dict(mine) != dict(other)
    cause = _why(ours, theirs)
    repair: Repair = "ask_operator" if ours.citizen or ours.skipped else "resend"
    if ours.problem:
        cause, repair = "not_sendable", "ask_operator"
    elif ambiguous:
        cause, repair = "same_number_here", "ask_operator"
    return _finding("state_differs" if states else "content_differs", ours, theirs, cause, repair)


def _why(ours: Ours, theirs: RemoteState) -> str:
    """Tell who moved since the acknowledgement."""
    if ours.blocked:
        return ours.blocked_state
    as_acknowledged = bool(theirs.digest) and theirs.digest == ours.acked_digest
    if ours.skipped and as_acknowledged:
        return "skipped"
    return "not_told" if as_acknowledged else "changed_there"


def _blocked_alike(ours: Ours, theirs: RemoteState, context: Context) -> Finding:
    """The peer shows what we could not deliver: it has it, or an older version that looks alike.

    The list hides texts and files. Taking an older version for ours would lose them, sending what
    is there already costs a repeat: a doubt is sent again.
    """
    changed, tried = theirs.modified_at, ours.blocked_at
    later = changed is not None and tried is not None and changed > tried + context.tolerance
    if ours.whole or ours.acked_at is None or later:
        return _finding("unknown_settled", ours, theirs, "there_after_all", "mark_acknowledged")
    repair: Repair = "ask_operator" if ours.problem or ours.citizen else "resend"
    return _finding("content_differs", ours, theirs, "older_there", repair)


def _skew(ours: Ours, theirs: RemoteState, context: Context) -> str:
    """Say how the peer's clock is off: it cannot have changed the row before we sent it.

    Nor can it have received after it acknowledged, or changed it after we asked. A later change is
    the peer's own business (ССТУ marks stages long after) and no skew.
    """
    changed, received = theirs.modified_at, theirs.stages.get("received")
    if changed is None:
        return ""
    if changed > context.asked_at + context.tolerance:
        return "clock_ahead"
    if ours.acked_at and received and received > ours.acked_at + context.tolerance:
        return "clock_ahead"
    if ours.since and changed < ours.since - context.tolerance:
        return "clock_behind"
    return ""


def _is_moving(ours: Ours, context: Context) -> bool:
    """Whether what is owed is on its way, or arrived after the peer's list was asked for."""
    if ours.blocked:
        return False
    return ours.moving > 0 or (ours.acked_at is not None and ours.acked_at > context.asked_at)


def _alike(mine: RemoteState, other: RemoteState) -> bool:
    """Whether both show the same, by the peer's digest where it has one."""
    if mine.digest and other.digest:
        return mine.digest == other.digest
    return dict(mine.states) == dict(other.states)


def _finding(
    class_: Class, ours: Ours, theirs: RemoteState | None, cause: str, repair: Repair
) -> Finding:
    return Finding(
        class_=class_,
        key=ours.expected.key,
        appeal=ours.appeal,
        ours=ours_of(ours),
        theirs=theirs_of(theirs) if theirs else {},
        cause=cause,
        repair=repair,
    )
