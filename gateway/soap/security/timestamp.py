"""Checks wsu:Timestamp (WS-Security 1.1, section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway import ns
from gateway.errors import SecurityError
from gateway.soap.security import instants, nodes

if TYPE_CHECKING:
    from datetime import datetime

    from lxml.etree import _Element

TIMESTAMP: Final = ns.tag(ns.WSU, "Timestamp")
CREATED: Final = ns.tag(ns.WSU, "Created")
EXPIRES: Final = ns.tag(ns.WSU, "Expires")
_CREATED_AT: Final = f"{nodes.HEADER}/Timestamp/Created"
_EXPIRES_AT: Final = f"{nodes.HEADER}/Timestamp/Expires"


def check(timestamp: _Element, now: datetime) -> datetime:
    """Return the instant from which this timestamp is refused; raise SecurityError if it is now.

    Created is required, Expires may follow it. Whatever Expires promises, a message older than
    `instants.AGE` is not taken: its signature has to be remembered until then.
    """
    tags = [child.tag for child in timestamp]
    expected = (CREATED, EXPIRES) if EXPIRES in tags else (CREATED,)
    found = nodes.expect(timestamp, expected)
    created = instants.read(nodes.text(found[0]), _CREATED_AT)
    instants.check_created(created, now, _CREATED_AT)
    last = created + instants.AGE
    if len(found) > 1:
        expires = instants.read(nodes.text(found[1]), _EXPIRES_AT)
        if expires < created:
            raise SecurityError("the message expires before it is made", where=_EXPIRES_AT)
        if expires + instants.SKEW <= now:
            raise SecurityError(
                "the message has expired",
                "MessageExpired",
                found=instants.write(expires),
                expected=f"after {instants.write(now)}",
                where=_EXPIRES_AT,
                todo="send it with a new Timestamp, and synchronise the clock of the sender",
            )
        last = min(last, expires)
    return last + instants.SKEW
