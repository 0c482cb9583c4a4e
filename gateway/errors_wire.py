"""How each code of the error tree looks on each wire.

A SOAP fault is HTTP 500, because WCF reads no other status (docs/howto/wcf.md), except the
challenge for a credential.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

WsseFault = Literal[
    "UnsupportedSecurityToken",
    "UnsupportedAlgorithm",
    "InvalidSecurity",
    "InvalidSecurityToken",
    "FailedAuthentication",
    "FailedCheck",
    "SecurityTokenUnavailable",
    "MessageExpired",
]
"""Faults of WS-Security 1.1, section 12: local names in the namespace `ns.WSSE`."""


class Wire(NamedTuple):
    """How one code looks on each wire."""

    fault: str
    """Name of the typed fault detail in `urn:gov:appeals:v1` (model.md §2)."""
    soap11: Literal["Client", "Server", "VersionMismatch", "MustUnderstand"]
    soap12: Literal[
        "Sender", "Receiver", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown"
    ]
    status: int
    """HTTP status of the REST answer; every SOAP fault is 500."""
    challenge: int = 0
    """HTTP status on every wire, SOAP too, when the credential itself is missing or not accepted:
    clients that hold one send it when they are asked like this. 0 where that cannot be."""


_CLIENT: tuple[Literal["Client"], Literal["Sender"]] = ("Client", "Sender")

WIRE: dict[str, Wire] = {
    "input": Wire("ValidationFault", *_CLIENT, 400),
    "malformed": Wire("ValidationFault", *_CLIENT, 400),
    "too_large": Wire("ValidationFault", *_CLIENT, 413),
    "validation": Wire("ValidationFault", *_CLIENT, 422),
    "addressing": Wire("ValidationFault", *_CLIENT, 400),
    "unknown_operation": Wire("ValidationFault", *_CLIENT, 404),
    "unsupported": Wire("ValidationFault", *_CLIENT, 415),
    "version_mismatch": Wire("ValidationFault", "VersionMismatch", "VersionMismatch", 415),
    "encoding_style": Wire("ValidationFault", "Client", "DataEncodingUnknown", 415),
    "must_understand": Wire("ValidationFault", "MustUnderstand", "MustUnderstand", 415),
    "conflict": Wire("ConflictFault", *_CLIENT, 409),
    "state": Wire("StateFault", *_CLIENT, 409),
    "not_found": Wire("NotFoundFault", *_CLIENT, 404),
    "access": Wire("AccessFault", *_CLIENT, 403, challenge=401),
    "security": Wire("AccessFault", *_CLIENT, 403),
    "trust": Wire("AccessFault", *_CLIENT, 403, challenge=401),
    "infected": Wire("AccessFault", *_CLIENT, 403),
    "busy": Wire("BusyFault", "Server", "Receiver", 503),
    "delivery": Wire("BusyFault", "Server", "Receiver", 502),
    "peer_refused": Wire("BusyFault", "Server", "Receiver", 502),
    "peer_unavailable": Wire("BusyFault", "Server", "Receiver", 502),
    "peer_doubtful": Wire("BusyFault", "Server", "Receiver", 502),
    "configuration": Wire("BusyFault", "Server", "Receiver", 500),
    "internal": Wire("BusyFault", "Server", "Receiver", 500),
}
