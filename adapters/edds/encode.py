"""One event as a call to the dispatcher: a card, its correction or its withdrawal; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.edds.codes import METHOD, NUMBER, PATH, PLACE, SECTION, SECTIONS
from adapters.edds.fields import fields
from gateway.adapter import Wire
from gateway.errors import UnsupportedError, ValidationError, Violation

if TYPE_CHECKING:
    from adapters.edds.tables import Template
    from adapters.edds.template import Fields
    from gateway.adapter import EncodeContext
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event, EventType


def encode(
    template: Template, card_on: EventType, appeal: Appeal, event: Event | None, ctx: EncodeContext
) -> Wire:
    """Return the call of an event.

    Which appeals are urgent is routing's to say. Raises UnsupportedError for an event that the
    template has no call for, ValidationError naming every field that a card lacks.
    """
    section = _section(card_on, event)
    call = template.calls.get(section)
    if call is None or event is None:
        raise UnsupportedError(
            "the dispatcher is told nothing of this event", found=event.type if event else ""
        )
    told = fields(appeal, event, ctx, template.urgency)
    needed = ("receipt_number",) if section == "cancel" else template.required
    missing = tuple(
        Violation(name, "required", f"a card needs it: {name}")
        for name in needed
        if not _there(told, name)
    )
    if missing:
        raise ValidationError(
            "a dispatcher cannot work with this card",
            missing,
            todo="name the place and the topic of the appeal, then send again",
        )
    return Wire(
        media_type=template.media_type,
        body=call.body.fill(told) if call.body else b"",
        headers={
            SECTION: section,
            METHOD: call.method,
            PATH: call.path.path(told),
            NUMBER: appeal.receipt_number,
            **{name.lower(): value.header(told) for name, value in call.headers.items()},
        },
    )


def _section(card_on: EventType, event: Event | None) -> str:
    if event is None:
        return ""
    return "card" if event.type is card_on else SECTIONS.get(event.type, "")


def _there(told: Fields, name: str) -> bool:
    if name == PLACE:
        return bool(told.get("address")) or (told["lat"] is not None and told["lon"] is not None)
    return told.get(name) not in (None, "")
