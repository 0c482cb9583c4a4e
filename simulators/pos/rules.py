"""What the simulated platform refuses: written apart from the adapter, so each checks the other."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import date, datetime
from typing import Any, Final

SOURCED: Final = (
    (
        "Стадии идут в порядке: модерация, координация, исполнение, согласование и утверждение · "
        "stages go in order: moderation, coordination, execution, approval"
    ),
    (
        "Сообщение и обращение по 59-ФЗ различает признак fz59 · "
        "fz59 tells a message from an appeal under 59-ФЗ"
    ),
    (
        "Текст письма обрывается на 9 999 знаках (практика жилищных инспекций) · "
        "the text of a letter is cut at 9 999 characters (practice of housing inspectorates)"
    ),
)
OURS: Final = (
    (
        "После ответа нет исполнения, пока он не возвращён; возвращают только ответ на сообщение · "
        "after an answer nothing more until it is returned; only a message's answer is returned"
    ),
    (
        "Нет единицы с таким id; опросы и голосования не рассматриваются · "
        "no item of such an id; polls and votes are not considered"
    ),
    (
        "Нет messageKey, события, стадии или времени; неизвестные слова · "
        "no messageKey, event, stage or time; unknown words"
    ),
    (
        "Ответ без решения, без текста и файлов, с текстом длиннее 9 999 знаков · "
        "an answer without a decision, without text and files, or longer than 9 999 characters"
    ),
    (
        "Файл больше 10 МБ, не base64, с чужой контрольной суммой · "
        "a file over 10 MB, not base64, or with another check sum"
    ),
    (
        "Регистрация без номера и даты; исполнитель и получатель без органа · "
        "a registration without number and date; an executor and addressee without a body"
    ),
    (
        "Отложенное решение без срока и причины; отказ модератора без причины · "
        "a postponed decision without date and reason; a moderator's refusal without a reason"
    ),
    (
        "Тот же Idempotency-Key с другим содержанием (409); неверный ключ доступа (401) · "
        "the same Idempotency-Key with other content (409); a wrong key of access (401)"
    ),
)
CUT: Final = 9_999
FILE_BYTES: Final = 10 * 1024 * 1024
RANKS: Final = {
    "submitted": 0, "moderation": 1, "coordination": 2, "execution": 3, "rework": 3, "approval": 4,
    "answered": 5, "redirected": 5, "refused": 5, "closed": 6,
}  # fmt: skip
ENDED: Final = 5
WORDS: Final = frozenset(
    {
        "registered", "assigned", "reassigned", "taken_to_work", "postponed", "answer_prepared",
        "answer_returned", "answered", "declined", "letter", "redirected", "copied",
        "moderation_refused", "clarification_asked", "withdrawn", "closed", "reopened", "state",
    }
)  # fmt: skip
BESIDE: Final = frozenset({"letter", "copied", "clarification_asked", "postponed"})
"""Words that leave the item at the stage where it is."""
BACK: Final = frozenset({"reopened", "state"})
DECISIONS: Final = frozenset({"solved", "postponed", "explained", "declined"})


def refusals(update: Any, item: dict[str, Any] | None) -> list[str]:
    """Every reason to refuse an update, in Russian; empty when it is taken. item: as it is held."""
    if not isinstance(update, dict):
        return ["Ожидается один объект обновления"]
    out = [
        f"Не заполнено поле {name}"
        for name in ("id", "messageKey", "event", "stage", "at", "state")
        if not isinstance(update.get(name), str) or not update[name].strip()
    ]
    if out:
        return out
    if item is None:
        return [f"Нет единицы с номером {update['id']}"]
    if item["kind"] != "item":
        return ["Опрос и голосование не рассматриваются"]
    word, stage = update["event"], update["stage"]
    if word not in WORDS:
        out.append(f"Неизвестное событие {word}")
    if stage not in RANKS:
        return [*out, f"Неизвестная стадия {stage}"]
    if _moment(update["at"]) is None:
        out.append("Неверное время at")
    ended = RANKS[item["stage"]] >= ENDED
    if ended and RANKS[stage] < ENDED and word not in BACK | BESIDE:
        out.append(f"Стадия {stage} не может следовать за {item['stage']}")
    return [*out, *_DETAILS.get(word, _nothing)(update)]


def moved(update: dict[str, Any], stage: str) -> str:
    """Return the stage at which an item is after an update that was taken."""
    return stage if update["event"] in BESIDE else str(update["stage"])


def _nothing(update: dict[str, Any]) -> list[str]:
    del update
    return []


def _registered(update: dict[str, Any]) -> list[str]:
    told = _part(update, "registration")
    out = [] if _word(told, "number") else ["Не указан регистрационный номер"]
    return out if _day(told.get("date")) else [*out, "Не указана дата регистрации"]


def _executor(update: dict[str, Any]) -> list[str]:
    return _body(_part(update, "executor"), "исполнитель")


def _redirected(update: dict[str, Any]) -> list[str]:
    told = _part(update, "redirect")
    out = _body(told, "получатель")
    return out if _word(told, "number") else [*out, "Не указан номер сопроводительного письма"]


def _postponed(update: dict[str, Any]) -> list[str]:
    told = _part(update, "postponed")
    out = [] if _day(told.get("due")) else ["Не указан новый срок"]
    return out if _word(told, "ground") else [*out, "Не указана причина переноса"]


def _reason(update: dict[str, Any]) -> list[str]:
    return [] if _word(_part(update, "reason"), "code") else ["Не указана причина отказа"]


def _declined(update: dict[str, Any]) -> list[str]:
    out = [] if _word(_part(update, "ground"), "part") else ["Не указана часть статьи 11"]
    return out + _text(update.get("text", ""))


def _answered(update: dict[str, Any]) -> list[str]:
    out = [] if update.get("decision") in DECISIONS else ["Не указано решение"]
    return out + _letter(_part(update, "answer"))


def _lettered(update: dict[str, Any]) -> list[str]:
    return _letter(_part(update, "letter"))


def _asked(update: dict[str, Any]) -> list[str]:
    return _text(update.get("text", "")) if _word(update, "text") else ["Не указано, что уточнить"]


_DETAILS: Final = {
    "registered": _registered,
    "assigned": _executor,
    "reassigned": _executor,
    "redirected": _redirected,
    "copied": _redirected,
    "postponed": _postponed,
    "moderation_refused": _reason,
    "declined": _declined,
    "answered": _answered,
    "letter": _lettered,
    "clarification_asked": _asked,
}


def _letter(told: dict[str, Any]) -> list[str]:
    files = told.get("attachments", [])
    if not isinstance(files, list):
        return ["attachments: ожидается список"]
    out = _text(told.get("text", ""))
    if not (_word(told, "text") or files):
        out.append("Ответ без текста и файлов")
    for number, file in enumerate(files, start=1):
        out += [f"Файл {number}: {line}" for line in _file(file)]
    return out


def _file(file: Any) -> list[str]:
    if not isinstance(file, dict) or not _word(file, "name"):
        return ["нет имени"]
    try:
        data = base64.b64decode(str(file.get("content", "")), validate=True)
    except (binascii.Error, ValueError):
        return ["не base64"]
    if len(data) > FILE_BYTES:
        return ["больше 10 МБ"]
    if hashlib.sha256(data).hexdigest() != file.get("sha256"):
        return ["контрольная сумма не сходится"]
    return []


def _text(value: Any) -> list[str]:
    if not isinstance(value, str):
        return ["Текст не строка"]
    return ["Текст длиннее 9 999 знаков"] if len(value) > CUT else []


def _body(told: dict[str, Any], who: str) -> list[str]:
    body = _part(told, "organisation")
    return [] if _word(body, "id") or _word(body, "name") else [f"Не указан {who}"]


def _part(obj: dict[str, Any], name: str) -> dict[str, Any]:
    found = obj.get(name)
    return found if isinstance(found, dict) else {}


def _word(obj: dict[str, Any], name: str) -> bool:
    found = obj.get(name)
    return isinstance(found, str) and bool(found.strip())


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _moment(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
