"""Writes a decoded call-back back as the dispatcher sent it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.edds.codes import PEER
from adapters.edds.places import json_of, xml_of
from gateway.adapter import Inbound, Wire
from gateway.errors import UnsupportedError

if TYPE_CHECKING:
    from adapters.edds.tables import Template


def restore(template: Template, item: Inbound) -> Wire:
    """Return the document of a call-back: what was mapped, and what was kept as extras."""
    report, callback = item.report, template.callback
    if report is None or callback is None:
        raise UnsupportedError("this is no call-back of a dispatcher", found=item.operation)
    moment = report.occurred_at or report.occurred_on
    mapped: dict[str, Any] = {
        "receipt_number": report.key.receipt_number,
        "message_key": report.message_key,
        "state": report.peer_state.code if report.peer_state else "",
        "at": moment.isoformat(),
        "comment": report.comment,
    }
    places = [(at, mapped[name]) for name, at in callback.places.items() if mapped[name]]
    rest = [(extra.path, extra.value) for extra in report.extras if extra.peer == PEER]
    body = json_of(places, rest) if template.form == "json" else xml_of(places, rest)
    return Wire(media_type=template.media_type, body=body, name=f"callback.{template.form}")
