"""Directories that GetDirectory gives: states, outcomes, grounds and faults, which live in code.

Topics are those of ССТУ's classifier in the store, the ones that are not in force any more too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from gateway.errors import NotFoundError, codes
from gateway.soap.faults import OUR_TROUBLE, REASONS
from gateway.wires import contract as c
from gateway.wires import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.topics import Classifier

VERSION: Final = "1"

STATES: Final = {
    "received": "Поступило",
    "moderation": "На модерации",
    "registered": "Зарегистрировано",
    "assigned": "Назначен исполнитель",
    "with_contractor": "У подрядной организации",
    "in_work": "На рассмотрении",
    "inspection": "Контрольное мероприятие",
    "answer_prepared": "Ответ подготовлен",
    "answered": "Дан ответ",
    "transferred": "Направлено по компетенции",
    "declined": "Оставлено без ответа по существу",
    "closed": "Завершено",
}
OUTCOMES: Final = {
    "supported": "Поддержано",
    "explained": "Разъяснено",
    "not_supported": "Не поддержано",
    "answered": "Дан ответ автору",
    "left_without_answer": "Оставлено без ответа автору",
    "transferred": "Направлено по компетенции",
    "refused": "Отказано",
}
DECLINE_GROUNDS: Final = {
    "11-1": "Не указаны фамилия или адрес для ответа (59-ФЗ, ст. 11, ч. 1)",
    "11-2": "Обжалуется судебное решение (59-ФЗ, ст. 11, ч. 2)",
    "11-3": "Нецензурные либо оскорбительные выражения, угрозы (59-ФЗ, ст. 11, ч. 3)",
    "11-4": "Текст не поддаётся прочтению (59-ФЗ, ст. 11, ч. 4)",
    "11-4.1": "Текст не позволяет определить суть (59-ФЗ, ст. 11, ч. 4.1)",
    "11-5": "Переписка прекращена (59-ФЗ, ст. 11, ч. 5)",
    "11-5.1": "Ответ размещён на сайте (59-ФЗ, ст. 11, ч. 5.1)",
    "11-6": "Сведения, составляющие охраняемую тайну (59-ФЗ, ст. 11, ч. 6)",
}
DELIVERY_METHODS: Final = {
    "post": "Почта",
    "in_person": "Лично",
    "fax": "Факс",
    "telegram": "Телеграмма",
    "phone": "Телефон",
    "site": "Сайт",
    "epgu": "Единый портал государственных услуг",
    "medo": "МЭДО",
    "smev": "СМЭВ",
    "email": "Электронная почта",
    "social": "Социальная сеть",
    "mobile_app": "Мобильное приложение",
    "file": "Файл",
    "api": "Программный интерфейс",
}

_TABLES: Final[dict[str, Mapping[str, str]]] = {
    "States": STATES,
    "Outcomes": OUTCOMES,
    "DeclineGrounds": DECLINE_GROUNDS,
    "DeliveryMethods": DELIVERY_METHODS,
    "Faults": {code: REASONS.get(code, OUR_TROUBLE) for code in codes()},
}
assert set(STATES) == set(get_args(words.QuestionStateName))


def page(name: str, since_version: str | None, cursor: str | None) -> c.GetDirectoryResponse:
    """Return a directory; empty items when the caller has this version already."""
    if name not in _TABLES:
        raise NotFoundError(
            "this release gives no such directory",
            found=name,
            expected=", ".join(_TABLES),
            todo="take codes of topics and of bodies from those who keep them",
        )
    known = since_version == VERSION or cursor is not None
    items = () if known else _TABLES[name].items()
    return c.GetDirectoryResponse(
        version=VERSION,
        items=tuple(c.DirectoryItem(code=code, title=title) for code, title in items),
    )


TOPICS_OF_PAGE: Final = 500
_MARK: Final = "|"


def topics(
    classifier: Classifier, revision: int, since_version: str | None, cursor: str | None
) -> tuple[str, list[c.DirectoryItem], list[str]]:
    """Return the version of a classifier here, its next nodes, and the cursor behind each of them.

    revision: of what is loaded, so that a version that was put right is told again. Nothing
    is given when the caller has this version already.
    """
    version = f"{classifier.version}{_MARK}{revision}"
    if since_version == version and cursor is None:
        return version, [], []
    nodes = sorted(classifier.nodes, key=lambda n: (n.code, n.version))
    after = tuple((cursor or "").split(_MARK, 1))
    left = [n for n in nodes if cursor is None or (n.code, n.version) > after]
    page = left[: TOPICS_OF_PAGE + 1]
    items = [
        c.DirectoryItem(
            code=n.code, title=n.title, parent=n.parent or None,
            valid_from=n.valid_from, valid_to=n.valid_to,
        )
        for n in page
    ]  # fmt: skip
    return version, items, [f"{n.code}{_MARK}{n.version}" for n in page]
