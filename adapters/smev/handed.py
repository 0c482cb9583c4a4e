"""What the inbox hands over to be stored: the headers of a wire, and one that is only kept.

An answer that is not believed, or cannot be read, is handed over whole, as it came, with the reason
in its headers; the codec finds it there and refuses.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from adapters.smev.messages import types as t
from gateway.adapter import Wire
from gateway.errors import GatewayError, TrustError, ValidationError, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.outbound import Response

REFUSED: Final = "x-smev-refused"
"""Header of a wire that is kept and refused: `trust:reason` or the code of another error."""
WHY: Final = "x-smev-why"
WHERE: Final = "x-smev-where"
_XML: Final = "application/xml"
_NUMBER: Final = re.compile(rb"MessageID>\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*</")


def headers(
    answer: t.RequestMessage | t.ResponseMessage, what: str, about: Mapping[str, Any] | None
) -> dict[str, str]:
    """Return what stands beside a message. about: what is remembered of the request it answers."""
    sent_at = answer.metadata.sent_at
    found = {
        t.KIND: what,
        t.MESSAGE_ID: answer.data.message_id,
        t.ORIGINAL_ID: original(answer),
        t.APPEAL: str((about or {}).get("appeal", "")),
        t.SENDER: answer.metadata.sender,
        t.SENT_AT: sent_at.isoformat() if sent_at else "",
        t.TEST: "1" if getattr(answer.data, "test", False) else "",
        t.VERSION: answer.version,
    }
    return {name: value for name, value in found.items() if value}


def original(answer: t.RequestMessage | t.ResponseMessage) -> str:
    """Return the number of the request that is answered, empty for a request."""
    return answer.original_message_id if isinstance(answer, t.ResponseMessage) else ""


def status(told: Mapping[str, Any]) -> Wire:
    """Return what GetStatus gave, from the memory."""
    key = str(told.get("key", "")) or str(told.get("original", ""))
    found = {
        t.KIND: "async",
        t.MESSAGE_ID: key or sha256(str(told["body"]).encode()).hexdigest()[:32],
        t.ORIGINAL_ID: str(told.get("original", "")),
        t.APPEAL: str(told.get("appeal", "")),
        t.SENT_AT: str(told.get("at", "")),
        t.VERSION: str(told.get("version", "")),
    }
    beside = {name: value for name, value in found.items() if value}
    return Wire(media_type=_XML, body=str(told["body"]).encode(), headers=beside)


def refused(response: Response, beside: Mapping[str, str], error: GatewayError) -> Wire:
    """Return the whole answer as it came, with the reason why it is not taken.

    Who sent it is told where СМЭВ's own signature held: nobody else's word counts for that.
    """
    reason = f"trust:{error.reason}" if isinstance(error, TrustError) else error.code
    where = "; ".join(part for part in (error.where, beside.get(t.SENDER, "")) if part)
    more = {REFUSED: reason, WHY: error.message[:300], WHERE: where[:200]}
    content_type = response.headers.get("content-type", "text/xml")
    return Wire(media_type=content_type, body=response.body, headers={**beside, **more})


def refusal(wire: Wire) -> GatewayError | None:
    """Return why a wire is kept and refused, None for one that is to be decoded."""
    told = wire.headers.get(REFUSED, "")
    if not told:
        return None
    code, _, reason = told.partition(":")
    if code == "trust":
        # A stored message keeps the reason, but no sentence: it may say what stood in the message.
        return TrustError(
            wire.headers.get(WHY, "") or f"подписи не верим · not believed: {reason}",
            reason,  # type: ignore[arg-type]
            where=wire.headers.get(WHERE, "") or "Envelope",
            todo="gateway smev verify FILE says which signature, and at which step",
        )
    message = wire.headers.get(WHY, told)
    return ValidationError(message, (Violation("Envelope", code, message),))


def claimed(body: bytes) -> str:
    """Return the number that an answer which cannot be read has for its message, empty for none."""
    found = _NUMBER.search(body)
    return found[1].decode() if found else ""
