"""What the dispatcher is told of its call-back, by the template or in plain JSON; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from gateway.adapter import Reply, Verdict
from gateway.errors import WIRE, BusyError

if TYPE_CHECKING:
    from adapters.edds.tables import Template
    from adapters.edds.template import Body, Value

_encode: Final = msgspec.json.Encoder().encode


def reply(template: Template, verdict: Verdict) -> Reply:
    """Return the answer: what was not taken for a trouble of ours is a 503, to be sent again."""
    callback, error = template.callback, verdict.error
    item = verdict.items[0] if verdict.items else None
    told: dict[str, Value] = {
        "correlation": verdict.correlation,
        "receipt_number": item.receipt_number if item else "",
        "message_key": item.key if item else "",
        "repeat": item.repeat if item else False,
    }
    if error is None:
        status = callback.reply_status if callback else 200
        return _reply(template, callback.reply if callback else None, status, told)
    ours = error.who != "peer"
    told |= {
        "code": error.code,
        "message": "повторите позже · send it again later" if ours else error.message,
        "side": "Server" if ours else "Client",
    }
    status = WIRE.get(error.code, WIRE["internal"]).status
    if ours:
        status = 503
    elif callback and callback.refusal_status:
        status = callback.refusal_status
    answer = _reply(template, callback.refusal if callback else None, status, told)
    if isinstance(error, BusyError):
        return msgspec.structs.replace(answer, headers={"retry-after": str(error.retry_after)})
    return answer


def _reply(template: Template, body: Body | None, status: int, told: dict[str, Value]) -> Reply:
    if body is None:
        return Reply(status=status, media_type="application/json", body=_encode(told))
    return Reply(status=status, media_type=template.media_type, body=body.fill(told))
