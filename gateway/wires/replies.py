"""Where an answer goes: back on the connection, or nowhere (WS-Addressing 1.0, Core 3.4)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from gateway import ns
from gateway.soap import addressing
from gateway.soap.frame import Sealed

if TYPE_CHECKING:
    from gateway.soap.frame import Frame

NOTHING: Final = Sealed(status=HTTPStatus.ACCEPTED, content_type="", body=b"")
"""What HTTP says when the answer does not go back on the connection."""


def require_reachable(frame: Frame) -> None:
    """Raise AddressingError when an answer or fault would have to go where we do not send."""
    found = frame.addressing
    if found is None:
        return
    for fault in (False, True):
        target = found.target(fault=fault)
        if target is not None and target.address != ns.WSA_NONE:
            raise addressing.only_anonymous(
                found,
                "answers go back on the same connection only",
                "leave ReplyTo and FaultTo out",
                fault=fault,
            )


def directed(sealed: Sealed, frame: Frame, *, fault: bool) -> Sealed:
    """Return what goes back on the connection."""
    found = frame.addressing
    target = found.target(fault=fault) if found is not None else None
    return NOTHING if target is not None and target.address == ns.WSA_NONE else sealed
