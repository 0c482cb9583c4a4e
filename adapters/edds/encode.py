"""One event as a call to the dispatcher: a card, its correction or its withdrawal; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.edds.codes import METHOD, NUMBER, PATH, PLACE, SECTION, SECTIONS
from adapters.edds.fields import fields, in_words
from gateway.adapter import Wire
from gateway.errors import UnsupportedError, ValidationError, Violation

if TYPE_CHECKING:
    from adapters.edds.tables import Template
    from adapters.edds.template import Fields
    from gateway.adapter import EncodeContext
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event, EventType


def encode(
    template: Template,
    card_on: EventType,
    appeal: Appeal,
    event: Event | None,
    ctx: EncodeContext,
    *,
    classifier: str = "",
) -> Wire:
    """Return the call of an event.

    Which appeals are urgent is routing's to say. A place that is not known is told in words, for
    an urgent card is never kept back; a vendor that insists has `place` in `required`. classifier:
    whose code is the card's type. Raises UnsupportedError for an event that the template has no
    call for, ValidationError naming every field that a card lacks.
    """
    section = _section(card_on, event)
    call = template.calls.get(section)
    if call is None or event is None:
        raise UnsupportedError(
            "the dispatcher is told nothing of this event", found=event.type if event else ""
        )
    told = fields(appeal, event, ctx, template.urgency, classifier)
    needed = ("receipt_number",) if section == "cancel" else template.required
    missing = tuple(
        Violation(name, "required", f"a card needs it: {name}")
        for name in needed
        if not _there(told, name)
    )
    if missing:
        lacks = ", ".join(fault.path for fault in missing)
        raise ValidationError(
            f"a dispatcher cannot work with this card: it lacks {lacks}",
            missing,
            todo="give the appeal what is missing, or take it out of `required` of the template;"
            " then send again",
        )
    told["address"] = in_words(told)
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
