"""The words of the simulators' pages: what a column is called, how a planned failure is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADINGS: Final[Mapping[str, str]] = {
    "acknowledged": "Подтверждено",
    "address": "Место",
    "at": "Когда",
    "attempts": "Попыток",
    "answers": "Ответов",
    "bytes": "Байтов",
    "card": "Карточка",
    "Closed": "Закрыто",
    "complaints": "Замечания",
    "decision": "Решение",
    "document": "Документ",
    "error": "Ошибка",
    "exceptionMessage": "Ошибка выгрузки",
    "fz59": "По 59-ФЗ",
    "Guid": "Карточка",
    "id": "Номер",
    "importId": "Номер доклада",
    "key": "Ключ",
    "kind": "Вид",
    "modified": "Изменено",
    "number": "Номер",
    "ours": "Почему, по нашему правилу",
    "parentId": "Поручение",
    "path": "Адрес",
    "photos": "Снимков",
    "planned": "Сбой по плану",
    "reason": "Причина",
    "receipt": "Квитанция",
    "reference": "Номер приёма",
    "requestId": "Номер приёма",
    "ResultId": "Итог",
    "revision": "Редакция",
    "said": "Гражданин",
    "service_code": "Услуга",
    "service_request_id": "Номер",
    "sha256": "SHA-256",
    "sourced": "Почему, по источнику",
    "stage": "Стадия",
    "Status": "Состояние",
    "status": "Ответ",
    "statuses": "Состояния",
    "subject": "Обращение",
    "text": "Текст",
    "time": "Когда",
    "times": "Раз",
    "token": "Жетон",
    "type": "Вид",
    "uid": "Номер в МЭДО",
    "urgency": "Срочность",
    "vendor": "Поставщик",
    "what": "Что",
    "whose": "Чьё",
    "withdrawn": "Отозвана",
}
"""Name of a column → its heading; the name itself, the peer's own, stands beside it."""

FAULTS: Final[Mapping[str, str]] = {
    "refuse": "отказ · refuse",
    "error": "ошибка · error",
    "busy": "занят · busy",
    "hang_before": "молчание до приёма · hang_before",
    "hang_after": "молчание после приёма · hang_after",
    "drip": "ответ по байту · drip",
    "garbage": "мусор вместо ответа · garbage",
    "reset": "обрыв до приёма · reset",
    "reset_after": "обрыв после приёма · reset_after",
}
"""Kind of `simulators.faults` → how the page calls it."""
