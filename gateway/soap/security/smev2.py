"""WS-Security as СМЭВ 2 wrote it (its recommendations 2.x); regional portals still speak it.

The header is for the actor of СМЭВ. A certificate stands in it as BinarySecurityToken, and a
ds:Signature over soap:Body alone, by exclusive canonicalization: the transform of СМЭВ 3 is not
used, so not one byte of the Body may change on the way. There is no Timestamp. What cannot be told
old from new is remembered: the digest of SignedInfo for `REMEMBERED`, in which the same message is
not taken twice. Peers speak it when their row says so (`options.wsse`), nobody else may leave the
Timestamp out.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from gateway import ns

if TYPE_CHECKING:
    from lxml.etree import _Element

ACTOR: Final = "http://smev.gosuslugi.ru/actors/smev"
OPTION: Final = "wsse"
"""Option of a peer's row; its values are `Profile`."""
REMEMBERED: Final = timedelta(hours=24)
"""As long as anything is remembered (`gateway.access.nonces`)."""
SIGNED: Final = frozenset(("body",))
_ATTRIBUTE: Final = ns.tag(ns.SOAP11, "actor")

Profile = Literal["wss", "smev2"]


def addressed(security: _Element) -> bool:
    """Whether a Security header is for the actor of СМЭВ 2."""
    return security.get(_ATTRIBUTE, "") == ACTOR
