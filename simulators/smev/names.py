"""Names of СМЭВ 3 by version of its message exchange: namespaces, operations, what is signed."""

from __future__ import annotations

from typing import Final, NamedTuple

_SERVICE: Final = "urn://x-artefacts-smev-gov-ru/services/message-exchange"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XOP: Final = "http://www.w3.org/2004/08/xop/include"
VERSIONS: Final = ("1.1", "1.2", "1.3")


class Names(NamedTuple):
    """Namespaces of one version."""

    version: str
    types: str
    basic: str
    faults: str
    routing: str

    def t(self, local: str) -> str:
        """Clark name in the namespace of the types."""
        return f"{{{self.types}}}{local}"

    def b(self, local: str) -> str:
        """Clark name in the namespace of the basic types."""
        return f"{{{self.basic}}}{local}"

    def r(self, local: str) -> str:
        """Clark name in the namespace of routing."""
        return f"{{{self.routing}}}{local}"


def names(version: str) -> Names:
    """Return the namespaces of a version."""
    types = f"{_SERVICE}/types"
    return Names(
        version,
        f"{types}/{version}",
        f"{types}/basic/{version}",
        f"{types}/faults/{version}",
        f"{types}/routing/{version}",
    )


NAMES: Final = {version: names(version) for version in VERSIONS}


class Operation(NamedTuple):
    """One operation. signed: local name of what the caller signs, by namespace letter."""

    name: str
    signed: str
    basic: bool
    until: str = VERSIONS[-1]

    @property
    def action(self) -> str:
        """Its SOAPAction."""
        return f"urn:{self.name}"


OPERATIONS: Final = {
    found.name: found
    for found in (
        Operation("SendRequest", "SenderProvidedRequestData", basic=False),
        Operation("SendResponse", "SenderProvidedResponseData", basic=False),
        Operation("GetRequest", "MessageTypeSelector", basic=True),
        Operation("GetResponse", "MessageTypeSelector", basic=True),
        Operation("GetStatus", "Timestamp", basic=True),
        Operation("Ack", "AckTargetMessage", basic=True),
        Operation("GetIncomingQueueStatistics", "Timestamp", basic=True, until="1.2"),
    )
}


class Kind(NamedTuple):
    """A kind of message: expanded name of the root of its content."""

    namespace: str
    root: str

    def __str__(self) -> str:
        """Return it in Clark notation."""
        return f"{{{self.namespace}}}{self.root}"
