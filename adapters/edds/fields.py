"""The fields of a card: what a template may name, taken from a disclosed appeal; pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from gateway.model import facts as f
from gateway.model.address import AddressRole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.edds.template import Value
    from gateway.adapter import EncodeContext
    from gateway.model.address import Address
    from gateway.model.appeal import Appeal
    from gateway.model.deadline import Deadline
    from gateway.model.events import Event
    from gateway.model.question import Topic


def fields(
    appeal: Appeal,
    event: Event,
    ctx: EncodeContext,
    urgency: Mapping[str, str],
    classifier: str = "",
) -> dict[str, Value]:
    """Return every field of a card; what is not known is None or empty.

    urgency: our word → the vendor's; the word of the empty name stands for all others. classifier:
    whose code is told, empty for that of the first topic. Nothing changes from one attempt to the
    next.
    """
    place = next((a for a in appeal.addresses if a.role is AddressRole.PROBLEM), None)
    topics = [topic for q in appeal.questions for topic in q.topics]
    registered = next((r for r in appeal.registrations if r.number), None)
    told = appeal.urgency.value if appeal.urgency else ""
    facts = event.payload
    return {
        "key": ctx.key,
        "event": event.type.value,
        "event_at": event.recorded_at.astimezone(dt.UTC).isoformat(),
        "receipt_number": appeal.receipt_number,
        "registration_number": registered.number if registered else "",
        "organisation": registered.organisation.full_name
        if registered and registered.organisation
        else "",
        **_topic(topics, classifier),
        "urgency": urgency.get(told, urgency.get("", told)),
        "urgency_code": told,
        "description": _description(appeal),
        **_place(place),
        "received_at": appeal.received_at.astimezone(dt.UTC).isoformat()
        if appeal.received_at
        else "",
        "due": _due(appeal.deadlines),
        "concerned_count": appeal.concerned_count,
        "revision": appeal.revision,
        "reason": facts.code if isinstance(facts, f.ReasonFacts) else "",
        "test": appeal.test_message or None,
    }


def _topic(topics: Sequence[Topic], classifier: str) -> dict[str, Value]:
    """The topic to tell; one of another classifier than the vendor's lends its name only."""
    known = [topic for topic in topics if classifier in ("", topic.code.system)]
    told = next(iter(known or topics), None)
    if told is None:
        return {"topic": "", "topic_code": "", "topic_system": ""}
    return {
        "topic": told.code.label or told.name_as_given or told.code.value,
        "topic_code": told.code.value if known else "",
        "topic_system": told.code.system if known else "",
    }


def _place(place: Address | None) -> dict[str, Value]:
    if place is None:
        return {"lat": None, "lon": None}
    return {
        "address": place.raw or address_line(place),
        "region": place.region,
        "settlement": place.settlement,
        "street": place.street,
        "house": place.house,
        "block": place.block,
        "building": place.building,
        "postal_code": place.postal_code,
        "fias": place.fias_guid,
        "oktmo": place.oktmo,
        "lat": place.lat,
        "lon": place.lon,
    }


def in_words(told: Mapping[str, Value]) -> str:
    """Return the address of a card, or what a dispatcher without one has to go by."""
    address, lat, lon = told.get("address"), told["lat"], told["lon"]
    if address:
        return str(address)
    if lat is not None and lon is not None:
        return f"координаты {lat}, {lon}"
    return f"место не разобрано, уточните по обращению {told['receipt_number']}"


def address_line(place: Address) -> str:
    """Return an address in one line, from the region down to the house."""
    parts = [place.region, place.municipality, place.settlement, place.street]
    for word, value in (("д.", place.house), ("корп.", place.block), ("стр.", place.building)):
        if value:
            parts.append(f"{word} {value}")
    return ", ".join(part for part in parts if part)


def _description(appeal: Appeal) -> str:
    """What a body wrote of the questions; else the text, where the destination may see it."""
    written = [q.annotation or q.text for q in appeal.questions]
    return "\n".join(filter(None, written)) or appeal.text or appeal.subject


def _due(deadlines: tuple[Deadline, ...]) -> str:
    """The nearest day or instant by which something is due; empty when no term runs."""
    open_ = [d for d in deadlines if d.closed_at is None]
    told = [d.due_at or d.due_internal or d.due_legal for d in open_]
    return min((day.isoformat() for day in told if day), default="")
