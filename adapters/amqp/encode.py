"""One event as CloudEvents 1.0.2, in the body (structured mode) or beside it (binary); pure.

Everything but `data` is made here; `data` comes ready, in the names of the contract, so that a web
hook and a message say the same (`event.py`).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.amqp.codes import APPEAL, BINDING, CLOUDEVENT, JSON, KEY, SPEC, TYPE, TYPE_PREFIX
from gateway.adapter import Wire
from gateway.errors import ValidationError, Violation

if TYPE_CHECKING:
    from gateway.adapter import EncodeContext
    from gateway.model.appeal import Appeal
    from gateway.model.events import Event

_encode: Final = msgspec.json.Encoder(order="sorted").encode


def encode(
    appeal: Appeal, event: Event | None, ctx: EncodeContext, data: Any, *, binary: bool
) -> Wire:
    """Return the message of an event, or of an appeal as a whole.

    Its id is the delivery's key, the same for every attempt; nothing in it changes from one attempt
    to the next. Options: `source`, `routing_prefix`. Raises ValidationError when the appeal has no
    number that a reader could know it by.
    """
    subject = appeal.receipt_number
    if not subject:
        message = "an event needs the receipt number of its appeal"
        raise ValidationError(message, (Violation("receipt_number", "required", message),))
    word = event.type.value if event is not None else APPEAL
    moment = event.recorded_at if event is not None else appeal.received_at or ctx.now
    attributes = {
        "specversion": SPEC,
        "id": ctx.key or f"{appeal.id}",
        "source": str(ctx.options.get("source") or "urn:gov:appeals:gateway"),
        "type": f"{TYPE_PREFIX}{word}",
        "subject": subject,
        "time": moment.astimezone(dt.UTC).isoformat(),
    }
    prefix = str(ctx.options.get("routing_prefix") or "appeals")
    headers = {KEY: f"{prefix}.{word}", TYPE: attributes["type"]}
    if binary:
        headers |= {f"{BINDING[0]}{name}": value for name, value in attributes.items()}
        return Wire(media_type=JSON, body=_encode(data), headers=headers)
    body = _encode({**attributes, "datacontenttype": JSON, "data": data})
    return Wire(media_type=f"{CLOUDEVENT}; charset=utf-8", body=body, headers=headers)
