"""An appeal → one request of GeoReport v2, as far as its reader may see it.

The appeal has passed disclosure: who asked, and the words, are not in it. `status` has two words;
where the appeal really stands is told in `status_notes`, in Russian, for citizens.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from adapters.open311 import writing
from adapters.open311.codes import (
    ADDRESS_ID,
    OUTCOMES,
    PEER,
    REQUEST_ID,
    SERVICE,
    STATES,
    status_of,
)
from adapters.open311.values import written_moment
from gateway.adapter import EncodeContext, Wire
from gateway.errors import ValidationError, Violation
from gateway.model.address import AddressRole
from gateway.model.events import State

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from adapters.open311.options import Options
    from adapters.open311.services import Services
    from gateway.model.address import Address
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event
    from gateway.model.question import Question

_LAST: Final = time(23, 59, 59)


def encode(
    appeal: Appeal, event: Event | None, ctx: EncodeContext, services: Services, options: Options
) -> Wire:
    """Return a list of one request; raise ValidationError for an appeal without a number."""
    form = str(ctx.options.get("format") or options.format)
    tree = [request(appeal, services, options.zone, updated=_at(event, options.zone))]
    body = writing.write("service_requests", tree, form)
    return Wire(media_type=writing.MEDIA[form], body=body)


def request(
    appeal: Appeal, services: Services, zone: ZoneInfo, *, updated: datetime | None = None
) -> dict[str, Any]:
    """Return one request as a tree, its fields in the order of the specification."""
    number = appeal.receipt_number or next(
        (r.value for r in appeal.refs if r.peer == PEER and r.kind == REQUEST_ID), ""
    )
    if not number:
        message = "у обращения нет номера · the appeal has no number"
        raise ValidationError(message, (Violation(REQUEST_ID, "required", message),))
    place = next((a for a in appeal.addresses if a.role is AddressRole.PROBLEM), None)
    code = _code(appeal, services)
    service = services.get(code)
    due = _due(appeal, zone)
    return {
        "service_request_id": number,
        "status": status_of([question.state for question in appeal.questions]),
        "status_notes": notes(appeal, due),
        "service_name": service.service_name if service else _named(appeal) or None,
        "service_code": code or None,
        "description": appeal.text or None,
        "agency_responsible": _agency(appeal) or None,
        "service_notice": (service.notice or None) if service else None,
        "requested_datetime": written_moment(appeal.received_at) if appeal.received_at else None,
        "updated_datetime": written_moment(updated) if updated else None,
        "expected_datetime": written_moment(due) if due else None,
        "address": (_address(place) or None) if place else None,
        "address_id": (_address_id(place) or None) if place else None,
        "zipcode": (place.postal_code or None) if place else None,
        "lat": place.lat if place else None,
        "long": place.lon if place else None,
        "media_url": None,
    }


def notes(appeal: Appeal, due: datetime | None) -> str:
    """Return where the appeal stands, in words: each question by itself where they differ."""
    told = [_stands(question) for question in appeal.questions] or [STATES[State.RECEIVED]]
    if len(set(told)) == 1:
        lines = [told[0]]
    else:
        lines = [
            f"Вопрос {q.ordinal}: {line}" for q, line in zip(appeal.questions, told, strict=True)
        ]
    registered = ", ".join(
        f"№ {r.number}" + (f" от {r.date:%d.%m.%Y}" if r.date else "")
        for r in appeal.registrations
        if r.number
    )
    if registered:
        lines.append(f"Зарегистрировано {registered}")
    if due is not None and status_of([q.state for q in appeal.questions]) == "open":
        lines.append(f"Срок: {due:%d.%m.%Y}")
    return ". ".join(lines) + "."


def _stands(question: Question) -> str:
    try:
        parts = [STATES[State(question.state)]]
    except ValueError:
        parts = [question.state]
    executor = question.owner_org.full_name if question.owner_org is not None else ""
    if executor and question.state == State.ASSIGNED:
        parts[0] += f": {executor}"
    elif executor:
        parts.append(f"исполнитель: {executor}")
    if question.extended:
        parts.append("срок продлён")
    if question.overdue:
        parts.append("срок истёк")
    outcome = question.outcome
    if outcome is not None and outcome.result is not None:
        parts.append(OUTCOMES[outcome.result.value])
        if outcome.actions_taken:
            parts.append("меры приняты")
    if question.response_date is not None and not _is_open(question.state):
        parts.append(f"{question.response_date:%d.%m.%Y}")
    return ", ".join(parts)


def _is_open(state: str) -> bool:
    return status_of([state]) == "open"


def _at(event: Event | None, zone: ZoneInfo) -> datetime | None:
    """Return when an event happened; of a bare day its end, in the zone of the house."""
    if event is None:
        return None
    at = event.occurred_at
    return at if isinstance(at, datetime) else _end(at, zone)


def _end(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, _LAST, zone)


def _due(appeal: Appeal, zone: ZoneInfo) -> datetime | None:
    """Return until when an answer is due: the nearest term that runs."""
    running = []
    for term in appeal.deadlines:
        if term.closed_at is None:
            due = term.due_at or (_end(term.due_legal, zone) if term.due_legal else None)
            running += [due] if due is not None else []
    return min(running, default=None)


def _code(appeal: Appeal, services: Services) -> str:
    """Return the service: as the app named it, or the first that the table equates a topic to."""
    topics = [topic.code for question in appeal.questions for topic in question.topics]
    for topic in topics:
        if topic.system == SERVICE:
            return topic.value
    told = {f"{topic.system}:{topic.value}" for topic in topics}
    return next((s.service_code for s in services.values() if told.intersection(s.topics)), "")


def _named(appeal: Appeal) -> str:
    topics = [topic for question in appeal.questions for topic in question.topics]
    return next(
        (t.name_as_given or t.code.label for t in topics if t.name_as_given or t.code.label), ""
    )


def _agency(appeal: Appeal) -> str:
    names = (q.owner_org.full_name for q in appeal.questions if q.owner_org is not None)
    return ", ".join(dict.fromkeys(filter(None, names)))


def _address(place: Address) -> str:
    """Return the place in words, the most specific first, as the specification asks."""
    if place.raw:
        return place.raw
    house = " ".join(
        filter(
            None,
            (
                f"д. {place.house}" if place.house else "",
                f"корп. {place.block}" if place.block else "",
                f"стр. {place.building}" if place.building else "",
            ),
        )
    )
    return ", ".join(
        filter(None, (house, place.street, place.settlement, place.municipality, place.region))
    )


def _address_id(place: Address) -> str:
    own = next((code.value for code in place.codes if code.system == ADDRESS_ID), "")
    return own or place.fias_guid
