"""Namespaces, prefixes and SOAPActions of СМЭВ3, by version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway import ns

if TYPE_CHECKING:
    from adapters.smev.messages.types import Operation, Version

_BASE: Final = "urn://x-artefacts-smev-gov-ru/services/message-exchange"
OPERATIONS: Final[dict[Version, tuple[Operation, ...]]] = {
    "1.1": (
        "SendRequest", "SendResponse", "GetRequest", "GetResponse", "GetStatus", "Ack",
        "GetIncomingQueueStatistics",
    ),
    "1.2": (
        "SendRequest", "SendResponse", "GetRequest", "GetResponse", "GetStatus", "Ack",
        "GetIncomingQueueStatistics",
    ),
    "1.3": ("SendRequest", "SendResponse", "GetRequest", "GetResponse", "GetStatus", "Ack"),
}  # fmt: skip
"""What each version can be asked; 1.3 has no statistics of queues any more."""


def service(version: Version) -> str:
    """Return the namespace of the service description."""
    return f"{_BASE}/{version}"


def types(version: Version) -> str:
    """Return the namespace of the messages."""
    return f"{_BASE}/types/{version}"


def basic(version: Version) -> str:
    """Return the namespace of what messages are made of."""
    return f"{_BASE}/types/basic/{version}"


def faults(version: Version) -> str:
    """Return the namespace of the details of faults."""
    return f"{_BASE}/types/faults/{version}"


def routing(version: Version) -> str:
    """Return the namespace of routing; only 1.3 has one."""
    return f"{_BASE}/types/routing/{version}"


def action(operation: Operation) -> str:
    """Return the SOAPAction of an operation, without its quotes."""
    return f"urn:{operation}"


def version_of(namespace: str) -> Version | None:
    """Return the version whose messages have this namespace, None when there is none."""
    known: tuple[Version, ...] = ("1.1", "1.2", "1.3")
    return next((v for v in known if namespace in (types(v), faults(v), basic(v))), None)


def local(tag: object) -> str:
    """Return the local name of an lxml tag."""
    return str(tag).rpartition("}")[2]


SIGNATURE: Final = ns.tag(ns.DS, "Signature")
INCLUDE: Final = ns.tag(ns.XOP, "Include")
