"""Whose signature an answer to a call of ours has to carry, and why one is not believed.

Without it an answer is believed as far as the line is. With it every SOAP answer counts only when
its Body, of a fault too, is signed by a certificate of the peer: by WS-Security with a Timestamp,
or as СМЭВ 2 does where the peer's row says so. A replay of an older answer is held off by the
Timestamp, and by RelatesTo where addressing is spoken; СМЭВ 2 has neither.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from lxml import etree
from lxml.etree import _Element

from gateway import ns
from gateway.errors import SecurityError
from gateway.soap.frame import NAMESPACES
from gateway.soap.security import SECURITY, SMEV2_ACTOR, Keys, read
from gateway.soap.security.algorithms import STANDARD, Algorithms

_FOR_US: Final = frozenset(("", SMEV2_ACTOR, f"{ns.SOAP12}/role/ultimateReceiver"))
_ROLE: Final = (ns.tag(ns.SOAP11, "actor"), ns.tag(ns.SOAP12, "role"))


class _Context(NamedTuple):
    """What the reader of a Security header wants to know. See `security.SecurityContext`."""

    now: datetime
    keys: Keys | None
    seen: Callable[[bytes, datetime], bool]
    secure_wire: bool = False


class Voucher(msgspec.Struct, frozen=True, kw_only=True):
    """The peer's certificates for its answers, and the clock.

    keys: know them as one peer's. algorithms: what their signatures are checked with.
    """

    keys: Keys
    now: Callable[[], datetime]
    algorithms: Algorithms = STANDARD

    def require(self, envelope: _Element) -> None:
        """Raise SecurityError unless the Body of an envelope is signed by the peer."""
        space = etree.QName(envelope).namespace
        version = next(version for version, each in NAMESPACES.items() if each == space)
        context = _Context(self.now(), self.keys, _never_seen)
        proof = read(envelope, _blocks(envelope, space), version, context, self.algorithms)
        if proof is None or "body" not in proof.signed:
            raise SecurityError(
                "the answer is not signed", "FailedAuthentication", expected="a signed Body"
            )


def _blocks(envelope: _Element, space: str | None) -> Sequence[_Element]:
    header = envelope.find(f"{{{space}}}Header")
    return [
        block
        for block in (() if header is None else header.findall(SECURITY))
        if next((block.get(role, "") for role in _ROLE if block.get(role)), "") in _FOR_US
    ]


def _never_seen(_what: bytes, _until: datetime) -> bool:
    return False
