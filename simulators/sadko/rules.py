"""What the simulated site refuses, written apart from the adapter so that each checks the other.

`SOURCED` rules show in the one published client of the system; `OURS` are choices of this
simulator. No list of error texts is public, so the texts are ours.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

SOURCED: Final = (
    (
        "POST token берёт форму, отвечает access_token, token_type, expires_in, scope · "
        "POST token takes a form, and answers access_token, token_type, expires_in, scope"
    ),
    (
        "Inbox перечисляет Guid, Created, Type; запись – {Card} или {Letter} · "
        "Inbox lists Guid, Created, Type; an item is {Card} or {Letter}"
    ),
    (
        "OutboxResol шлётся POST как application/json-patch+json · "
        "OutboxResol is POSTed as application/json-patch+json"
    ),
    (
        "документ – Card, Resolution, LetterDetail, СonsiderationResultGzi; С кириллическая · "
        "the document is Card, Resolution, LetterDetail, СonsiderationResultGzi; the С is Cyrillic"
    ),
    "даты yyyy-MM-ddTHH:mm:ss без пояса · dates yyyy-MM-ddTHH:mm:ss without a zone",
    (
        "на обратном пути автор и исполнитель резолюции меняются местами · "
        "author and executor of the resolution have changed places on the way back"
    ),
)
OURS: Final = (
    (
        "без жетона или с истёкшим – 401; неверный секрет – 400 invalid_client · "
        "no token, or one that has ended, is 401; a wrong secret is 400 invalid_client"
    ),
    (
        "отвечают только на карточку или письмо из входящих · "
        "only a card or letter that was in the inbox is answered"
    ),
    (
        "карточка возвращается как ушла, кроме Data её файлов · "
        "the card comes back as it went, but for the Data of its files"
    ),
    (
        "в Resolution есть Guid, CreatedTime, Author, Executor; Guid тот, что был послан · "
        "Resolution needs Guid, CreatedTime, Author, Executor; the Guid of the one that was sent"
    ),
    (
        "в LetterDetail есть Closed и StatusId; закрытому нужен итог с ResultId · "
        "LetterDetail needs Closed and StatusId; a closed matter needs a result with ResultId"
    ),
    (
        "коды тем – 4 или 5 блоков по 4 цифры; идентификаторы – числа; Data – base64 · "
        "codes of themes have 4 or 5 blocks of 4 digits; identifiers are numbers; Data is base64"
    ),
    (
        "повтор берётся второй раз: здесь повторов не знают · "
        "a repeat is taken a second time: nothing here knows one"
    ),
    (
        "любой отказ, кроме 401, – 400, по причине в строке; другой тип тела – 415 · "
        "all refusals but 401 are 400 with one reason a line, 415 for another media type"
    ),
)
BY_SOURCE: Final = re.compile(
    r"Неизвестная часть|ConsiderationResultGzi: |\S+: ожидается yyyy"
    r"|Resolution: автор и исполнитель"
)
"""How reasons begin that follow from `SOURCED`; any other is a choice of this simulator."""

RESULT: Final = "\u0421onsiderationResultGzi"
LATIN: Final = "ConsiderationResultGzi"
MEDIA: Final = "application/json-patch+json"
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")
_CODE = re.compile(r"\d{4}(\.\d{4}){3,4}")
_DATED: Final = (
    ("Card", "ReceiveDate"), ("Card", "RegistrationDate"), ("Card", "ControlOrgSendDate"),
    ("Resolution", "CreatedTime"), ("Resolution", "ControlDate"), ("LetterDetail", "Sended"),
    (RESULT, "ResponseDate"),
)  # fmt: skip
_PARTS: Final = {"Card", "Letter", "Resolution", "LetterDetail", RESULT}


def refusals(document: Any, sent: dict[str, Any] | None) -> list[str]:
    """Return why a document is refused. sent: the item of the inbox that it answers."""
    if not isinstance(document, dict):
        return ["Ожидается один документ"]
    out = [f"Неизвестная часть документа: {name}" for name in document if name not in _PARTS]
    if LATIN in document:
        out.append(f"{LATIN}: первая буква латинская, ожидается кириллическая С")
    if sent is None:
        return [*out, "Card.Guid: такой карточки во входящих нет"]
    parts = {name: document.get(name) for name in _PARTS}
    if any(value is not None and not isinstance(value, dict) for value in parts.values()):
        return [*out, "Часть документа не объект"]
    out += _echo(document, sent)
    out += _resolution(document.get("Resolution") or {}, sent.get("Resolution"))
    detail, result = document.get("LetterDetail") or {}, document.get(RESULT)
    if not isinstance(detail.get("Closed"), bool) or not isinstance(detail.get("StatusId"), int):
        out.append("LetterDetail: нужны Closed и StatusId")
    if detail.get("Closed") and not (result and isinstance(result.get("ResultId"), int)):
        out.append(f"{RESULT}: закрытое обращение без ResultId")
    for part, name in _DATED:
        value = (document.get(part) or {}).get(name)
        if value is not None and not (isinstance(value, str) and _STAMP.fullmatch(value)):
            out.append(f"{part}.{name}: ожидается yyyy-MM-ddTHH:mm:ss без пояса")
    return out


def _echo(document: dict[str, Any], sent: dict[str, Any]) -> list[str]:
    """The card must come back as it went; files are known by their names."""
    name = "Card" if "Card" in sent else "Letter"
    back = document.get(name)
    if not isinstance(back, dict):
        return [f"{name}: карточка не вернулась"]
    out = []
    for field, value in sent[name].items():
        if field == "Files":
            names = [file.get("Name") for file in back.get(field) or ()]
            if names != [file["Name"] for file in value]:
                out.append(f"{name}.Files: вернулись другие файлы")
        elif back.get(field) != value:
            out.append(f"{name}.{field}: вернулось не то, что было")
    out += [f"{name}.{field}: этого поля не было" for field in back if field not in sent[name]]
    return out


def _resolution(back: dict[str, Any], sent: dict[str, Any] | None) -> list[str]:
    out = [
        f"Resolution.{name}: не заполнено"
        for name in ("Guid", "CreatedTime", "Author", "Executor")
        if not (isinstance(back.get(name), str) and back[name])
    ]
    if sent is not None:
        if back.get("Guid") != sent["Guid"]:
            out.append("Resolution.Guid: ответ на другую резолюцию")
        if back.get("Author") != sent["Executor"] or back.get("Executor") != sent["Author"]:
            out.append("Resolution: автор и исполнитель не поменялись местами")
    out += [
        "Resolution.Themes.Code: ожидаются 4 или 5 блоков по 4 цифры"
        for theme in back.get("Themes") or ()
        if not _CODE.fullmatch(str(theme.get("Code", "")))
    ]
    for file in back.get("Files") or ():
        try:
            base64.b64decode(file.get("Data") or "-", validate=True)
        except (binascii.Error, ValueError, TypeError):
            out.append("Resolution.Files.Data: ожидается base64")
    return out
