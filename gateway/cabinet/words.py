"""States of an appeal in words for whoever made it; pure."""

from __future__ import annotations

from typing import Final

from gateway.model.events import State

STATES: Final[dict[str, tuple[str, str]]] = {
    State.RECEIVED: ("Принято, ждёт регистрации", "Received"),
    State.MODERATION: ("Проверяется перед регистрацией", "Being checked"),
    State.REGISTERED: ("Зарегистрировано", "Registered"),
    State.ASSIGNED: ("Передано исполнителю", "Assigned"),
    State.WITH_CONTRACTOR: ("Направлено подрядчику", "With a contractor"),
    State.IN_WORK: ("Рассматривается", "In work"),
    State.INSPECTION: ("Идёт проверка на месте", "Inspection"),
    State.ANSWER_PREPARED: ("Готовится ответ", "An answer is being prepared"),
    State.ANSWERED: ("Дан ответ", "Answered"),
    State.TRANSFERRED: ("Переслано в другой орган", "Forwarded to another body"),
    State.DECLINED: ("Оставлено без ответа по существу, причина указана", "Declined"),
    State.CLOSED: ("Рассмотрение завершено", "Closed"),
}


def state(name: str) -> tuple[str, str]:
    """Return a state in Russian and in English; one that is not known as it is."""
    return STATES.get(name, (name, name))
