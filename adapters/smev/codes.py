"""Words of the profile: its namespace, our names of numbers, codes of statuses and refusals."""

from __future__ import annotations

from typing import Final

from gateway.model.events import EventType as E

PEER: Final = "smev"
NAMESPACE: Final = "urn://appeals-gateway/smev/appeal/1.0"
CONTENT_ID: Final = "content_id"
"""Kind of the reference that names a file by the header of its message."""
REJECT: Final = "smev.reject"
"""System of RejectionReasonCode."""
REFUSAL: Final = "smev.refusal"
"""System of the code of a Refusal of the profile."""
STATUS: Final = "smev.status"

REQUESTS: Final = ("SubmitAppeal", "AmendAppeal", "WithdrawAppeal", "SubmitStatus", "SubmitAnswer")
RESPONSES: Final = ("Receipt", "Status", "Answer", "Refusal")
CONTRACT: Final = {"Status": "SubmitStatus", "Answer": "SubmitAnswer"}
"""Responses whose content is that of a request."""

NOT_UNDERSTOOD: Final = "UNKNOWN_REQUEST_DESCRIPTION"
FAILURE: Final = "FAILURE"
NO_DATA: Final = "NO_DATA"
"""1.2 has no FAILURE."""

STATUSES: Final[dict[E, tuple[int, str]]] = {
    E.RECEIVED: (1, "Обращение получено"),
    E.REGISTERED: (2, "Обращение зарегистрировано"),
    E.TRANSFERRED: (3, "Обращение направлено по компетенции"),
    E.ASSIGNED: (4, "Назначен исполнитель"),
    E.REASSIGNED: (4, "Исполнитель изменён"),
    E.TAKEN_TO_WORK: (5, "Обращение рассматривается"),
    E.EXTENDED: (6, "Срок рассмотрения продлён"),
    E.RECEIVER_REGISTERED: (7, "Обращение зарегистрировано получателем"),
    E.REFUSED_BY_RECEIVER: (8, "Получатель отказал в приёме"),
    E.RETURNED_TO_US: (8, "Обращение возвращено"),
    E.CLARIFICATION_ASKED: (9, "Запрошено уточнение"),
    E.ANSWER_PREPARED: (10, "Ответ подготовлен"),
    E.WITHDRAWN: (11, "Рассмотрение прекращено по заявлению автора"),
    E.TOPIC_ASSIGNED: (12, "Определена тема"),
    E.TOPIC_CHANGED: (12, "Тема изменена"),
}
"""Event → code of RequestStatus, and words; a table of the profile, not of СМЭВ."""
REFUSALS: Final = (E.REGISTRATION_REFUSED, E.NOT_AN_APPEAL)
ANSWERS: Final = (E.ANSWERED, E.LETTER_SENT)
SUBMITS: Final = (E.RECEIVED, E.ROUTED, E.ASSIGNED, E.TRANSFERRED)
"""Events that give an appeal which did not come through СМЭВ to a body behind it."""
