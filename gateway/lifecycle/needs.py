"""Facts an event needs, by the names that the table uses, each with its check and its words."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.errors import ValidationError, Violation
from gateway.model import facts as f

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.lifecycle.claim import Claim
    from gateway.lifecycle.table import Row


class Need(NamedTuple):
    """One fact: where it stands in a StatusReport or AnswerIn, its words, and whether it is there.

    test takes the claim and the last day that has begun anywhere on earth.
    """

    path: str
    words: str
    test: Callable[[Claim, dt.date], bool]


def _has(*names: str) -> Callable[[Claim, dt.date], bool]:
    def test(claim: Claim, today: dt.date) -> bool:
        del today
        value: Any = claim.payload
        for name in names:
            value = getattr(value, name, None)
        return bool(value)

    return test


def _not_future(claim: Claim, today: dt.date) -> bool:
    day = getattr(claim.payload, "date", None)
    return day is None or day <= today


def _actions(claim: Claim, today: dt.date) -> bool:
    del today
    outcome = claim.payload.outcome if isinstance(claim.payload, f.AnswerFacts) else None
    return outcome is None or outcome.result != "supported" or outcome.actions_taken is not None


def _letter(claim: Claim, today: dt.date) -> bool:
    del today
    answer = claim.payload
    return isinstance(answer, f.AnswerFacts) and (answer.oral or bool(answer.attachments))


def _text_or_file(claim: Claim, today: dt.date) -> bool:
    answer = claim.payload
    has_text = isinstance(answer, f.AnswerFacts) and answer.has_text
    return has_text or claim.text or _letter(claim, today)


def _notice(claim: Claim, today: dt.date) -> bool:
    # Part 1 of art. 11 is the only one that owes the applicant nothing: there is nowhere to write.
    del today
    decline = claim.payload
    return isinstance(decline, f.DeclineFacts) and (
        decline.part == "1" or decline.notice or claim.text
    )


def _text(claim: Claim, today: dt.date) -> bool:
    del today
    return claim.text


def _scored(claim: Claim, today: dt.date) -> bool:
    del today
    return isinstance(claim.payload, f.RatingFacts) and claim.payload.score is not None


DECLINE_PARTS: Final = ("1", "2", "3", "4", "4.1", "5", "5.1", "6")
"""Parts of 59-ФЗ art. 11 under which a question is left without an answer on the merits."""


def _part(claim: Claim, today: dt.date) -> bool:
    del today
    decline = claim.payload
    return (
        isinstance(decline, f.DeclineFacts)
        and decline.article == "11"
        and decline.part in DECLINE_PARTS
    )


NEEDS: Final[dict[str, Need]] = {
    "registration_number": Need("Registration/Number", "регистрационный номер", _has("number")),
    "registration_date": Need("Registration/Date", "дата регистрации", _has("date")),
    "not_future": Need("Registration/Date", "дата регистрации не позже сегодняшней", _not_future),
    "annulment_ground": Need("Annulment/Ground", "основание аннулирования", _has("ground")),
    "reason": Need("Reason", "причина (код)", _has("code")),
    "regime": Need("Reason/Regime", "порядок рассмотрения", _has("regime")),
    "text": Need("Comment", "текст ответа заявителю", _text),
    "words": Need("Comment", "что спрошено или отвечено", _text),
    "score": Need("Rating/Score", "оценка", _scored),
    "topic": Need("Topic", "тема по классификатору", _has("code")),
    "new_ordinal": Need("Split/Ordinal", "номер нового вопроса", _has("ordinal")),
    "to_org": Need("Transfer/ToOrganisation", "кому направлено", _has("organisation")),
    "transfer_date": Need("Transfer/Date", "дата направления", _has("date")),
    "transfer_number": Need("Transfer/Number", "номер сопроводительного письма", _has("number")),
    "receiver_number": Need("Registration/Number", "номер у получателя", _has("number")),
    "receiver_date": Need("Registration/Date", "дата у получателя", _has("date")),
    "executor": Need("Executor/Organisation", "исполнитель", _has("organisation")),
    "extension_ground": Need("Extension/Ground", "основание продления", _has("ground")),
    "decided_on": Need("Extension/DecidedOn", "дата решения о продлении", _has("decided_on")),
    "new_due": Need("Extension/NewDueDate", "новый срок", _has("new_due")),
    "outcome": Need("Outcome/Result", "результат рассмотрения", _has("outcome", "result")),
    "actions_taken": Need("Outcome/ActionsTaken", "приняты ли меры (при «поддержано»)", _actions),
    "answer_number": Need("Answer/Number", "номер ответа", _has("number")),
    "answer_file": Need("Answer/Attachments", "файл ответа (кроме устного, 13 ч. 3)", _letter),
    "text_or_file": Need("Answer", "текст или файл ответа", _text_or_file),
    "decline_part": Need("Decline/Part", "часть ст. 11 59-ФЗ", _part),
    "decline_notice": Need("Decline/Text", "текст уведомления заявителя", _notice),
    "statement": Need("Comment", "письменное заявление об отзыве", _text),
    "revision": Need("Revision", "номер редакции", _has("revision")),
    "link": Need(
        "Link", "с чем связано", lambda c, d: _has("appeal")(c, d) or _has("number")(c, d)
    ),
    "file": Need("Sha256", "файл", _has("sha256")),
    "peer_state": Need("PeerState", "состояние словом системы", _has("code")),
}
"""Every name a row may use in `needs` and `expects`, but for `not_complained_of` (see judge)."""


def check(row: Row, claim: Claim, now: dt.datetime) -> tuple[str, ...]:
    """Refuse a claim without the facts its event needs; return warnings for those it should have.

    A peer's claim may lack what the row merely `expects`: it tells what has already happened. Our
    own people, rules and timers may not. Raises ValidationError with one Violation per fact.
    """
    missing = lacking(row, claim, now)
    wanted = _without(row.expects, claim, now)
    if claim.actor.kind != "peer":
        missing, wanted = missing + wanted, ()
    if missing:
        raise ValidationError(
            f"the event {row.event} lacks facts it needs",
            tuple(violation(name, claim) for name in missing),
        )
    return tuple(f"не указано: {NEEDS[n].words}" for n in wanted)


def lacking(row: Row, claim: Claim, now: dt.datetime) -> tuple[str, ...]:
    """Return the names of the facts that a row needs and a claim does not tell."""
    return _without(tuple(name for name in row.needs if name in NEEDS), claim, now)


def violation(name: str, claim: Claim) -> Violation:
    """Return a fact that is missing, or later than it can be, as a violation."""
    need = NEEDS[name]
    if name != "not_future":
        return Violation(need.path, "required", f"нужно: {need.words}")
    day = getattr(claim.payload, "date", None)
    return Violation(need.path, "future", f"нужно: {need.words}", str(day))


def _without(names: tuple[str, ...], claim: Claim, now: dt.datetime) -> tuple[str, ...]:
    # No zone on earth is ahead of UTC+14, so a later day has begun nowhere.
    today = (now.astimezone(dt.UTC) + dt.timedelta(hours=14)).date()
    return tuple(name for name in names if not NEEDS[name].test(claim, today))
