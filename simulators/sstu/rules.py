"""What the simulated node refuses, written apart from the adapter so that each checks the other.

`SOURCED` rules are shown in published code that talks to real nodes; `OURS` are choices of this
simulator. No official list of error texts is public, so the texts are ours.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Any, Final

SOURCED: Final = (
    (
        "number и name не пусты; есть хотя бы один вопрос · "
        "number, name not empty; at least one question"
    ),
    (
        "createDate, если не isDirect; incomingDate не раньше createDate · "
        "createDate unless isDirect; incomingDate >= createDate when not direct"
    ),
    (
        "registrationDate не раньше incomingDate; responseDate не раньше registrationDate · "
        "registrationDate >= incomingDate; responseDate >= registrationDate"
    ),
    (
        "даты yyyy-MM-dd; format Electronic или Other; девять статусов · "
        "dates yyyy-MM-dd; format Electronic|Other; the nine statuses"
    ),
    (
        "поля, которых требует статус; transfer только у Transferred, actionsTaken у Supported · "
        "fields each status requires; transfer with Transferred, actionsTaken with Supported"
    ),
    (
        "одно вложение с именем и содержанием, base64 короче 10 000 000 знаков · "
        "one attachment with name and content, base64 shorter than 10 000 000 characters"
    ),
)
OURS: Final = (
    (
        "тело – один объект JSON в UTF-8, Content-Type application/json · "
        "body must be one JSON object in UTF-8, Content-Type application/json"
    ),
    (
        "departmentId и transfer.departmentId имеют вид GUID · "
        "departmentId and transfer.departmentId must be GUIDs"
    ),
    "код – 4 или 5 блоков по 4 цифры · code must be 4 or 5 blocks of 4 digits",
    "берутся и InWorkExtended, и isExtend · InWorkExtended and isExtend are both taken",
    (
        "то же ведомство и тот же номер (похожие буквы сведены) заменяют прежнее · "
        "the same department and number (look-alike letters folded) replaces what was there"
    ),
    "любой отказ – 400, по причине в строке · all refusals are 400 with one reason a line",
)
BY_SOURCE: Final = re.compile(
    r"(Вопрос \d+: )?(Не заполнено поле|Должен быть указан хотя бы один|Недопустимый формат"
    r"|Не указана дата|Неверная дата|\w+ раньше \w+|Неизвестное состояние|Не указано actionsTaken"
    r"|actionsTaken допускается|transfer допускается|Не заполнено направление"
    r"|Не указан номер transferNumber|Не прикреплен ответ|Неверное кол-во вложений"
    r"|Не заполнено имя или|Превышен размер)"
)
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
CODE = re.compile(r"\d{4}(\.\d{4}){3,4}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
BASE64_MAX: Final = 10_000_000

STATUS_NAMES: Final = {
    "NotReceived": "Не поступило",
    "NotRegistered": "Не зарегистрировано",
    "InWork": "Находится на рассмотрении",
    "InWorkExtended": "Рассмотрение продлено",
    "Explained": "Рассмотрено. Разъяснено",
    "Supported": "Рассмотрено. Поддержано",
    "NotSupported": "Рассмотрено. Не поддержано",
    "Transferred": "Направлено по компетенции",
    "Answered": "Дан ответ автору",
    "LeftWithoutAnswer": "Оставлено без ответа автору",
}
_INCOMING = frozenset(STATUS_NAMES) - {"NotReceived"}
_REGISTERED = _INCOMING - {"NotRegistered"}
_RESPONDED = frozenset({"Explained", "Supported", "NotSupported", "Answered", "LeftWithoutAnswer"})
ANSWERED: Final = _RESPONDED - {"LeftWithoutAnswer"}


def refusals(document: Any) -> list[str]:
    """Every reason to refuse the document, in Russian; empty when it is taken."""
    if not isinstance(document, dict):
        return ["Ожидается один объект обращения"]
    out = _card(document)
    questions = document.get("questions")
    if not isinstance(questions, list) or not questions:
        return [*out, "Должен быть указан хотя бы один вопрос"]
    for index, question in enumerate(questions):
        where = f"Вопрос {index + 1}: "
        if not isinstance(question, dict):
            out.append(where + "ожидается объект")
            continue
        out += [where + line for line in _question(document, question)]
    return out


def _card(document: dict[str, Any]) -> list[str]:
    out = []
    if not _matches(GUID, document.get("departmentId")):
        out.append("Не указан идентификатор органа departmentId")
    if not isinstance(document.get("isDirect"), bool):
        out.append("Не указан признак isDirect")
    if document.get("format") not in {"Electronic", "Other"}:
        out.append("Недопустимый формат format")
    out += [
        f"Не заполнено поле {field}"
        for field in ("number", "name")
        if not isinstance(document.get(field), str) or not document[field].strip()
    ]
    created = document.get("createDate")
    if created is None:
        if document.get("isDirect") is False:
            out.append("Не указана дата сопроводительного письма createDate")
    elif _day(created) is None:
        out.append("Неверная дата createDate")
    return out


def _question(document: dict[str, Any], question: dict[str, Any]) -> list[str]:
    status = question.get("status")
    if status not in STATUS_NAMES:
        return [f"Неизвестное состояние {status!r}"]
    out = []
    if not _matches(CODE, question.get("code")):
        out.append("Неверный код классификатора code")
    out += _dates(document, question, status)
    out += _attachment(question, status)
    out += _transfer(question, status)
    if status == "Supported" and not isinstance(question.get("actionsTaken"), bool):
        out.append("Не указано actionsTaken (меры приняты)")
    if status != "Supported" and question.get("actionsTaken") is not None:
        out.append("actionsTaken допускается только для Supported")
    return out


def _dates(document: dict[str, Any], question: dict[str, Any], status: str) -> list[str]:
    out = []
    needed = {
        "incomingDate": status in _INCOMING,
        "registrationDate": status in _REGISTERED,
        "responseDate": status in _RESPONDED,
    }
    days: dict[str, date | None] = {}
    if document.get("isDirect") is False:
        days["createDate"] = _day(document.get("createDate"))
    for field, required in needed.items():
        days[field] = _day(question.get(field))
        if question.get(field) is not None and days[field] is None:
            out.append(f"Неверная дата {field}")
        elif required and days[field] is None:
            out.append(f"Не указана дата {field}")
    known = [(field, day) for field, day in days.items() if day]
    for (earlier, first), (later, second) in pairwise(known):
        if second < first:
            out.append(f"{later} раньше {earlier}")
    return out


def _attachment(question: dict[str, Any], status: str) -> list[str]:
    attachment = question.get("attachment")
    if attachment is None:
        return ["Не прикреплен ответ на обращение"] if status in ANSWERED else []
    if status not in ANSWERED:
        return [f"Вложение не допускается для {status}"]
    if not isinstance(attachment, dict):
        return ["Неверное кол-во вложений"]
    name, content = attachment.get("name"), attachment.get("content")
    if not isinstance(name, str) or not name.strip() or not isinstance(content, str):
        return ["Не заполнено имя или содержание вложения"]
    if len(content) >= BASE64_MAX:
        return ["Превышен размер вложения"]
    if not _matches(BASE64, content) or len(content) % 4:
        return ["Содержание вложения не base64"]
    return []


def _transfer(question: dict[str, Any], status: str) -> list[str]:
    transfer = question.get("transfer")
    if status != "Transferred":
        return [] if transfer is None else ["transfer допускается только для Transferred"]
    if not isinstance(transfer, dict):
        return ["Не заполнено направление по компетенции"]
    out = []
    if not _matches(GUID, transfer.get("departmentId")):
        out.append("Не заполнена организация - получатель сообщения")
    if _day(transfer.get("transferDate")) is None:
        out.append("Не указана дата transferDate")
    if not isinstance(transfer.get("transferNumber"), str) or not transfer["transferNumber"]:
        out.append("Не указан номер transferNumber")
    return out


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _day(value: Any) -> date | None:
    if not _matches(DAY, value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
