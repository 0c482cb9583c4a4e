"""Errors as REST answers them: problem+json (RFC 9457), or the contract's fault in XML.

Our own troubles are told without their inside: the log has it, under the correlation id.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from litestar import Response

from gateway.access.keys import CHALLENGE
from gateway.errors import WIRE, AccessError, BusyError, GatewayError
from gateway.soap.faults import message_of
from gateway.wires import binding, places, service

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA: Final = "application/problem+json"
XML: Final = "application/xml"
_MORE: Final = (
    ("receipt_number", "receiptNumber"),
    ("existing_sha256", "existingSha256"),
    ("existing_revision", "existingRevision"),
    ("current_state", "currentState"),
    ("allowed_events", "allowedEvents"),
)
_TODO: Final = {
    "malformed": "correct the bytes and send again under the same key: nothing was accepted",
    "too_large": "send less at once: files one by one with AttachFile, a package in parts",
    "validation": "correct the places that are named and send again under the same key",
    "unknown_operation": "compare the address and the document with /openapi.json",
    "unsupported": "send what `expected` names",
    "conflict": "compare both digests; a correction needs a higher revision",
    "state": "read the state of the question; `allowedEvents` names what it allows",
    "access": "use the credential you were given; the operator finds why by the correlation id",
    "not_found": "check the number; GET /appeals lists what you have sent",
}
"""What to do where the error itself does not say it."""
_encode: Final = msgspec.json.Encoder().encode


def problem(
    error: GatewayError,
    correlation: str,
    *,
    media: str = "json",
    status: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """Return the answer to a failed call. media: `json` or `xml`. status: of the table when 0."""
    status = status or status_of(error)
    out = {"correlation-id": correlation, "cache-control": "no-store", **(headers or {})}
    if status == HTTPStatus.UNAUTHORIZED:
        out["www-authenticate"] = CHALLENGE
    if isinstance(error, BusyError):
        out["retry-after"] = str(error.retry_after)
    if media == "xml":
        body = binding.write(service.fault(error, correlation))
        return Response(body, status_code=status, media_type=XML, headers=out)
    body = _encode(document(error, status, correlation))
    return Response(body, status_code=status, media_type=MEDIA, headers=out)


def status_of(error: GatewayError) -> int:
    """Return the HTTP status of an error; a credential that is missing or wrong is a 401."""
    wire = WIRE.get(error.code, WIRE["internal"])
    return wire.challenge if isinstance(error, AccessError) and error.challenge else wire.status


def document(error: GatewayError, status: int, correlation: str) -> dict[str, Any]:
    """Return the members of RFC 9457 and ours; places are JSON Pointers unless they are of XML."""
    ours = error.who != "peer" and not isinstance(error, BusyError)
    members: dict[str, Any] = {
        "type": f"urn:gov:appeals:error:{error.code}",
        "title": (type(error).__doc__ or "").partition(".")[0],
        "status": int(status),
        "detail": message_of(error) if ours else error.message,
        "code": error.code,
        "retry": error.retry,
        "correlationId": correlation,
    }
    if ours:
        return members
    places.as_pointers(error)
    for name in ("where", "found", "expected"):
        if value := getattr(error, name):
            members[name] = value
    if todo := error.todo or _TODO.get(error.code, ""):
        members["todo"] = todo
    if errors := service.field_errors(error):
        members["errors"] = errors
    for name, key in _MORE:
        if value := getattr(error, name, None):
            members[key] = value
    return members
