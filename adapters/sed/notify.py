"""An event of an appeal as a notification about the document it came in."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from adapters.sed.codes import NOTICES, PEER
from adapters.sed.reader import local
from gateway.model import facts as f
from gateway.model.events import EventType

if TYPE_CHECKING:
    from adapters.sed.codes import Reasons
    from adapters.sed.outgoing import Out
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.model.organisation import Officer

_WORDS: Final = {
    EventType.REGISTERED: "Зарегистрирован",
    EventType.REGISTRATION_REFUSED: "Отказано в регистрации",
    EventType.NOT_AN_APPEAL: "Отказано в регистрации",
    EventType.ASSIGNED: "Назначен исполнитель",
    EventType.REASSIGNED: "Назначен исполнитель",
    EventType.ANSWER_PREPARED: "Доклад подготовлен",
    EventType.ANSWERED: "Доклад направлен",
}
_COURSE: Final = {
    EventType.TAKEN_TO_WORK: "Обращение взято в работу",
    EventType.TRANSFERRED: "Обращение направлено по компетенции",
    EventType.REFUSED_BY_RECEIVER: "Получатель отказал в приёме; обращение вернулось в орган",
    EventType.RETURNED_TO_US: "Обращение вернулось в орган",
    EventType.RECEIVER_REGISTERED: "Обращение зарегистрировано получателем",
    EventType.RECEIVER_ANSWERED: "Получатель дал ответ",
    EventType.EXTENDED: "Срок рассмотрения продлён",
    EventType.ANSWER_REJECTED: "Проект ответа возвращён на доработку",
    EventType.DECLINED: "Обращение оставлено без ответа по существу",
    EventType.LETTER_SENT: "Заявителю направлено письмо",
    EventType.WITHDRAWN: "Заявитель отозвал обращение",
    EventType.FILED: "Дело закрыто",
    EventType.REOPENED: "Рассмотрение возобновлено",
    EventType.REGISTRATION_ANNULLED: "Регистрация аннулирована",
}
"""Events that МЭДО has no kind for are told as its «Исполнение», in these words."""


def notifies(event: Event) -> bool:
    """Whether МЭДО has a notification for an event."""
    return event.type in _WORDS or event.type in _COURSE


def notification(out: Out, appeal: Appeal, event: Event, reasons: Reasons) -> str:
    """Put the notification; return the number of the document that it is about."""
    word = _WORDS.get(event.type, "Исполнение")
    at = f"notification/{NOTICES[word].element}"
    refs = {r.kind: r.value for r in appeal.refs if r.peer == PEER}
    out.put("notification/@type", word)
    out.need(
        "notification/@uid", refs.get("uid", ""), "идентификатор документа, на который отвечаем"
    )
    out.put("notification/@id", refs.get("id", ""))
    if out.is_uid(refs.get("mid", "")):
        out.put("notification/@mid", refs["mid"])
    out.put(f"{at}/time", _time(out, event))
    number = _foundation(out, appeal, at)
    if word == "Отказано в регистрации":
        _refused(out, event, at, reasons)
    elif word == "Назначен исполнитель":
        _assigned(out, appeal, at)
    elif word == "Исполнение":
        _course(out, event, at)
    else:
        _MAKERS[word](out, appeal, event, at)
    return number


def _time(out: Out, event: Event) -> str:
    """The instant of the event; of a bare day its beginning, for the schema wants a time."""
    when = event.occurred_at
    if isinstance(when, dt.datetime):
        return local(when.replace(microsecond=0), out.settings.zone)
    return f"{when.isoformat()}T00:00:00"


def _foundation(out: Out, appeal: Appeal, at: str) -> str:
    """Put the letter that the notification answers, as far as its number is known."""
    letter = next((r for r in appeal.referrals if r.number), None)
    if letter is None:
        return appeal.receipt_number
    below = f"{at}/foundation"
    if letter.from_org:
        out.name(f"{below}/organization", letter.from_org.full_name)
    out.number(f"{below}/num/number", letter.number)
    if letter.date:
        out.put(f"{below}/num/date", letter.date.isoformat())
    return letter.number


def _accepted(out: Out, appeal: Appeal, event: Event, at: str) -> None:
    told = event.payload
    number = told.number if isinstance(told, f.RegistrationFacts) else ""
    day = told.date if isinstance(told, f.RegistrationFacts) else None
    mine = next((r for r in appeal.registrations if r.number == number), None)
    out.number(f"{at}/num/number", number)
    day = day or (mine.date if mine else None) or out.day(event.occurred_at)
    out.put(f"{at}/num/date", day.isoformat())


def _refused(out: Out, event: Event, at: str, reasons: Reasons) -> None:
    told = event.payload
    code = told.code if isinstance(told, f.ReasonFacts) else ""
    fallback = "not_an_appeal" if event.type is EventType.NOT_AN_APPEAL else "other"
    known = {r.code for r in reasons.reason} | {r.word for r in reasons.reason}
    word = reasons.word(code if code in known or code in reasons.codes else fallback)
    out.put(f"{at}/reason", word)
    if code and code not in known:
        out.put("notification/comment", out.cut(f"Причина: {code}", 2047))


def _assigned(out: Out, appeal: Appeal, at: str) -> None:
    """Put the three whom the schema asks for; the body stands in for those not told."""
    settings = out.settings
    clause = appeal.assignments[-1] if appeal.assignments else None
    out.name(f"{at}/secretary/organization", settings.organization)
    out.name(f"{at}/secretary/person", settings.signatory)
    out.name(f"{at}/secretary/post", settings.signatory_post)
    _person(out, f"{at}/manager", clause.author if clause else None)
    _person(out, f"{at}/executor", clause.executors[0] if clause and clause.executors else None)


def _person(out: Out, at: str, officer: Officer | None) -> None:
    body = officer.organisation if officer else None
    name = (body.full_name or body.short_name) if body else ""
    out.name(f"{at}/organization", name or out.settings.organization)
    if officer:
        out.name(f"{at}/person", officer.name)
        out.name(f"{at}/post", officer.post)


def _prepared(out: Out, appeal: Appeal, event: Event, at: str) -> None:
    settings = out.settings
    signer = appeal.answers[-1].signed_by if appeal.answers else None
    below = f"{at}/signatory"
    out.name(f"{below}/organization", settings.organization)
    out.name(f"{below}/person", (signer.name if signer else "") or settings.signatory)
    out.name(f"{below}/post", (signer.post if signer else "") or settings.signatory_post)
    out.put(f"{below}/signed", out.day(event.occurred_at).isoformat())


def _sent(out: Out, appeal: Appeal, event: Event, at: str) -> None:
    told = event.payload if isinstance(event.payload, f.AnswerFacts) else f.AnswerFacts(kind="")
    registered = next((r.number for r in appeal.registrations if r.number), "")
    below = f"{at}/report"
    out.name(f"{below}/organization", out.settings.organization)
    out.name(f"{below}/person", out.settings.signatory)
    out.name(f"{below}/post", out.settings.signatory_post)
    out.number(f"{below}/num/number", told.number or registered or appeal.receipt_number)
    out.put(f"{below}/num/date", (told.date or out.day(event.occurred_at)).isoformat())


def _course(out: Out, event: Event, at: str) -> None:
    parts = [_COURSE[event.type]]
    told = event.payload
    if isinstance(told, f.ExtensionFacts) and told.new_due:
        parts.append(f"новый срок {told.new_due:%d.%m.%Y}")
    if isinstance(told, f.TransferFacts):
        parts += [f"письмо № {told.number}"] if told.number else []
        parts += [f"от {told.date:%d.%m.%Y}"] if told.date else []
    if isinstance(told, f.ReceiverFacts) and told.number:
        parts.append(f"№ {told.number}")
    if isinstance(told, f.DeclineFacts) and told.part:
        parts.append(f"часть {told.part} статьи {told.article} 59-ФЗ")
    if isinstance(told, f.AnswerFacts) and told.number:
        parts.append(f"№ {told.number}")
    out.put(f"{at}/courseText", out.cut(", ".join(parts), 4000))


_MAKERS: Final = {
    "Зарегистрирован": _accepted,
    "Доклад подготовлен": _prepared,
    "Доклад направлен": _sent,
}


def refusal(out: Out, uid: str, mid: str, word: str, comment: str, now: dt.datetime) -> None:
    """Put «Отказано в регистрации» of a document that could not be taken."""
    at = "notification/documentRefused"
    out.put("notification/@type", "Отказано в регистрации")
    out.put("notification/@uid", uid)
    if out.is_uid(mid):
        out.put("notification/@mid", mid)
    out.put(f"{at}/time", local(now.replace(microsecond=0), out.settings.zone))
    out.put(f"{at}/reason", word)
    out.put("notification/comment", out.cut(comment, 2047))
