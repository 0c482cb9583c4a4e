"""Words of GeoReport v2 and what they stand for in the model."""

from __future__ import annotations

from typing import Final

from gateway.model.events import State

PEER: Final = "open311"
SOURCE: Final = "gateway.source"
SERVICE: Final = "open311.service"
ADDRESS_ID: Final = "open311.address_id"
EXPECTED: Final = "open311.expected"
"""Rule of the term that another server promises in `expected_datetime`."""
REQUEST_ID: Final = "service_request_id"
TOKEN: Final = "token"  # noqa: S105 - a word of the specification
NAMESPACE: Final = "http://wiki.open311.org/GeoReport_v2"
"""Of the specification; most documents have none."""

OPEN: Final = "open"
CLOSED: Final = "closed"
DESCRIPTION_CHARS: Final = 4_000
"""Of a description, by the specification."""

FIELDS: Final = (
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
    "agency_responsible", "service_notice", "requested_datetime", "updated_datetime",
    "expected_datetime", "address", "address_id", "zipcode", "lat", "long", "media_url",
)  # fmt: skip
"""Of one request as it is read, in the specification's order."""

STATES: Final = {
    State.RECEIVED: "Принято",
    State.MODERATION: "На модерации",
    State.REGISTERED: "Зарегистрировано",
    State.ASSIGNED: "Назначен исполнитель",
    State.WITH_CONTRACTOR: "У подрядной организации",
    State.IN_WORK: "В работе",
    State.INSPECTION: "Проводится проверка",
    State.ANSWER_PREPARED: "Ответ готовится к отправке",
    State.ANSWERED: "Дан ответ",
    State.TRANSFERRED: "Передано по компетенции",
    State.DECLINED: "Оставлено без ответа по существу",
    State.CLOSED: "Завершено",
}
"""The life cycle as a citizen reads it in `status_notes`, for which `status` has two words only."""
OUTCOMES: Final = {
    "supported": "решение: поддержано",
    "explained": "решение: разъяснено",
    "not_supported": "решение: не поддержано",
    "answered": "решение: дан ответ",
    "left_without_answer": "решение: оставлено без ответа",
    "transferred": "решение: направлено по компетенции",
    "refused": "решение: отказано",
}
REALTIME: Final = "realtime"
BATCH: Final = "batch"
BLACKBOX: Final = "blackbox"
TYPES: Final = (REALTIME, BATCH, BLACKBOX)
LISTS: Final = ("singlevaluelist", "multivaluelist")
DATATYPES: Final = ("string", "number", "datetime", "text", *LISTS)


def status_of(states: list[str]) -> str:
    """Return the word of the specification: open while the body owes something on any question."""
    known = [State(state) for state in states if state in _STATES]
    return OPEN if not known or any(state.is_open for state in known) else CLOSED


_STATES: Final = frozenset(State)
