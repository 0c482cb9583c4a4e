"""What a sender is told of its message: a receipt, or why it was refused (RFC 9457); pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from adapters.amqp.codes import JSON, TYPE_PREFIX
from gateway.errors import WIRE, GatewayError, violations_of
from gateway.limits import VIOLATIONS_REPORTED

if TYPE_CHECKING:
    from gateway.adapter import Verdict

PROBLEM: Final = "application/problem+json"
_encode: Final = msgspec.json.Encoder().encode


def type_of(verdict: Verdict) -> str:
    """Return the type of the message: `gov.appeals.Receipt` or `gov.appeals.Refusal`."""
    return f"{TYPE_PREFIX}{'Refusal' if verdict.error else 'Receipt'}"


def document(verdict: Verdict) -> tuple[str, bytes]:
    """Return media type and body of the answer to a message."""
    error = verdict.error
    if error is not None:
        return PROBLEM, _encode(_problem(error, verdict))
    landed = verdict.items[0] if verdict.items else None
    told: dict[str, Any] = {"correlationId": verdict.correlation}
    if landed is not None:
        told |= {
            "receiptNumber": landed.receipt_number,
            "key": landed.key,
            "acceptedAt": landed.accepted_at,
            "repeat": landed.repeat,
        }
    return JSON, _encode({name: value for name, value in told.items() if value not in (None, "")})


def _problem(error: GatewayError, verdict: Verdict) -> dict[str, Any]:
    """Return the members of RFC 9457 and ours; our own troubles without their inside."""
    members: dict[str, Any] = {
        "type": f"urn:gov:appeals:error:{error.code}",
        "title": (type(error).__doc__ or "").partition(".")[0],
        "status": WIRE.get(error.code, WIRE["internal"]).status,
        "code": error.code,
        "retry": error.retry,
        "correlationId": verdict.correlation,
    }
    key = next((item.key for item in verdict.items if item.key), "")
    if key:
        members["key"] = key
    if error.who != "peer":
        return members
    members["detail"] = error.message
    for name in ("where", "found", "expected", "todo"):
        if value := getattr(error, name):
            members[name] = value
    members["errors"] = [
        {name: value for name, value in v._asdict().items() if value}
        for v in violations_of(error)[:VIOLATIONS_REPORTED]
    ]
    return members
