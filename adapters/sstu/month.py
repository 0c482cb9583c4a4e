"""Which appeals of a month are reported, which are not, and why; pure.

An appeal belongs to the month of its registration; one that is not registered to that of the
covering letter, else of its coming in. Reported is what the node's list shows; without a list, what
the node acknowledged. The list tells more: what was lost there, and what was never here.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.sstu.codes import UNNUMBERED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.adapter import RemoteState

REASONS: Final[dict[str, tuple[str, str]]] = {
    "listed": ("Есть в списке узла", "The node's list shows it"),
    "acknowledged": ("Узел подтвердил приём", "The node acknowledged it"),
    "changed_since": (
        "Передано, но более новое состояние ещё не дошло",
        "Reported, and what changed since has not arrived yet",
    ),
    "exception": ("Узел принял, но не выгрузил", "The node took it and could not upload it"),
    "lost_there": (
        "Узел подтвердил приём, в его списке этого нет",
        "The node acknowledged it, and its list does not show it",
    ),
    "not_an_appeal": ("Не обращение, в ССТУ не передаётся", "Not an appeal: nothing to report"),
    "test": ("Проверочное сообщение", "A test message"),
    "historical": ("Перенесено из архива, не передаётся", "Imported history, nothing is sent"),
    "merged": (
        "Присоединено к другому, передаётся вместе с ним",
        "Merged into another, which is reported",
    ),
    "not_told": (
        "К передаче не назначено: система не подписана на это обращение или была выключена",
        "Nothing is owed: the peer is not told of this appeal, or was disabled",
    ),
    "waiting": ("Ждёт отправки", "Waits to be sent"),
    "in_doubt": ("Неизвестно, дошло ли", "It is not known whether it arrived"),
    "handed_over": (
        "Передано, подтверждения ещё нет",
        "Handed over, not acknowledged yet",
    ),
    "refused": ("Отказ", "Refused"),
    "dead": ("Попытки отправки исчерпаны", "Every attempt to send it failed"),
    "skipped": ("Отправку пропустил оператор", "An operator skipped it"),
    "unnumbered": (
        "Ещё не зарегистрировано: передаётся с номером",
        "Not registered yet: it is reported when it has its number",
    ),
    "never_came": ("В ССТУ есть, к нам не поступало", "Reported there, not received here"),
}
"""Every reason, in Russian for operators and in English."""
_OF_STATE: Final = {
    "ready": "waiting", "retry": "waiting", "sending": "waiting", "unknown": "in_doubt",
    "sent": "handed_over", "refused": "refused", "dead": "dead", "skipped": "skipped",
}  # fmt: skip


NOT_DUE: Final = frozenset({"not_an_appeal", "test", "historical", "merged"})
"""Reasons for which nothing has to be reported: they leave no month incomplete."""
ELSEWHERE: Final = "message"
"""`Known.aside` of what is no appeal of 59-ФЗ: it has no row in a month, unless the node has it."""


STAGES: Final[dict[str, tuple[str, str]]] = {
    "uploaded": ("выгружено на портал", "uploaded to the portal"),
    "forwarded": ("передано на выгрузку", "forwarded for the upload"),
    "received": ("принято узлом", "received by the node"),
}
"""How far a node got with a report, the furthest first."""


class Known(NamedTuple):
    """What the gateway has of one appeal.

    number: as it is reported, empty when it has none; keys: every folded number. on: the day that
    decides its month. aside: a reason why nothing is reported of it, else empty. state, error: of
    the first delivery that was refused or given up since the node took one, for the later ones
    wait behind it; else of the newest; empty when nothing is owed. taken: it acknowledged one.
    """

    receipt: str
    number: str
    keys: tuple[str, ...]
    on: date
    aside: str = ""
    state: str = ""
    error: str = ""
    taken: bool = False


class Listed(NamedTuple):
    """What is kept of one row of the node's list: number, stage reached, its exception, its day.

    stage: a word of `STAGES`, empty when the list shows none.
    """

    number: str
    stage: str
    exception: str
    on: date | None

    @classmethod
    def of(cls, state: RemoteState) -> Listed:
        """Take what is needed of a row; the day is the covering letter's, or the node's receipt."""
        stages = state.stages
        day = _day(state.reported_on)
        received = stages.get("received")
        if day is None and isinstance(received, datetime):
            day = received.date()
        stage = next((name for name in STAGES if stages.get(name) is not None), "")
        return cls(state.key, stage, state.exception_message, day)


class Row(NamedTuple):
    """One line of the answer.

    why: a word of `REASONS`. detail: what the peer or a rule said. stage: how far the node got.
    """

    receipt: str
    number: str
    on: date | None
    reported: bool
    why: str
    detail: str = ""
    stage: str = ""


def bounds(year: int, month: int) -> tuple[date, date]:
    """Return the first day of a month and the first after it."""
    after = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, 1), after


def index(states: Iterable[RemoteState]) -> dict[str, Listed]:
    """Return the list by folded number; rows that cannot be read are left out."""
    return {state.key_folded: Listed.of(state) for state in states if state.key_folded}


def complete(
    known: Iterable[Known],
    listed: Mapping[str, Listed] | None,
    month: tuple[date, date],
) -> Iterator[Row]:
    """Yield a row for each appeal of the month, then one for each that only the node has.

    listed: `index` of the node's list, None when it was not asked. month: `bounds`.
    """
    met: set[str] = set()
    for one in known:
        key = next((k for k in one.keys if listed and k in listed), "")
        met.add(key)
        there = listed[key] if listed and key else None
        if one.aside == ELSEWHERE and there is None and not one.taken:
            continue
        yield _row(one, there, asked=listed is not None)
    for key, row in (listed or {}).items():
        if key not in met and row.on is not None and month[0] <= row.on < month[1]:
            yield Row("", row.number, row.on, True, "never_came", row.exception, row.stage)


def _row(one: Known, there: Listed | None, *, asked: bool) -> Row:
    def says(why: str, *, reported: bool, detail: str = "") -> Row:
        stage = there.stage if there else ""
        return Row(one.receipt, one.number, one.on, reported, why, detail, stage)

    if there is not None and there.exception and there.stage != "uploaded":
        return says("exception", reported=False, detail=there.exception)
    if there is not None or (one.taken and not asked):
        if one.state not in {"", "acknowledged"}:
            return says("changed_since", reported=True, detail=_detail(one))
        return says("listed" if there else "acknowledged", reported=True)
    if one.aside in NOT_DUE:
        return says(one.aside, reported=False)
    if one.state == "skipped" and one.error == UNNUMBERED:
        return says("unnumbered", reported=False)
    if not one.state:
        return says("not_told", reported=False)
    if one.state == "acknowledged":
        return says("lost_there", reported=False)
    return says(_OF_STATE.get(one.state, "waiting"), reported=False, detail=one.error)


def _detail(one: Known) -> str:
    why = REASONS[_OF_STATE.get(one.state, "waiting")][0]
    return f"{why}: {one.error}" if one.error else why


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
