"""The catalogue by SOAP: DownloadService, in both spellings of its namespace.

Clients that work are generated for `…/DownloadService.asmx` and for `…/DownloadService.asmx/`. What
the service's own description says is not public, so the first call tries one and then the other,
and what was understood is used from then on. Answers are read by local names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from adapters.fias.catalogue import NAME, OTHER_WAY, Delivery, releases, require_no_page
from gateway import contracts, xml
from gateway.errors import GatewayError, MalformedError, PeerDoubtful, PeerRefused, PeerUnavailable
from gateway.outbound import Answered, Outbound
from gateway.soap.client import SoapClient

if TYPE_CHECKING:
    from lxml.etree import _Element

SERVICE: Final = "DownloadService"
WSDLS: Final = ("DownloadService.wsdl", "DownloadService-slash.wsdl")
ALL: Final = "GetAllDownloadFileInfo"
LAST: Final = "GetLastDownloadFileInfo"


class SoapCatalogue:
    """The service at one address. soap12: SOAP 1.2 instead of 1.1."""

    def __init__(self, outbound: Outbound, address: str, *, soap12: bool = False) -> None:
        tree = contracts.folder("wsdl", "fias")
        self._clients = [
            SoapClient(
                tree / name,
                service=SERVICE,
                port=f"{SERVICE}Soap12" if soap12 else f"{SERVICE}Soap",
                address=address,
                outbound=outbound,
                peer=NAME,
            )
            for name in WSDLS
        ]

    def every(self) -> tuple[Delivery, ...]:
        """Return all releases, oldest first; raise DeliveryError or MalformedError."""
        return releases(_fields(e) for e in _named(self._ask(ALL), "DownloadFileInfo"))

    def last(self) -> Delivery:
        """Return the newest release; raise DeliveryError or MalformedError."""
        answer = self._ask(LAST)
        found = releases(_fields(e) for e in _named(answer, f"{LAST}Result"))
        if not found:
            raise MalformedError(
                "ответ без выпуска · the answer names no release", expected=f"{LAST}Result"
            )
        return found[0]

    def _ask(self, operation: str) -> _Element:
        refused: PeerRefused | None = None
        for client in list(self._clients):
            try:
                answer = client.send(client.message(operation))
            except PeerRefused as error:
                refused = error
                continue
            except PeerDoubtful as error:
                raise _unread(error) from error
            self._clients = [client]
            return xml.parse(answer.body).root
        if refused is None:
            raise PeerUnavailable("nobody was asked")
        refused.todo = refused.todo or OTHER_WAY + "rest"
        raise refused


def _unread(error: PeerDoubtful) -> GatewayError:
    """Return what no answer means here: a question stores nothing, so there is no doubt."""
    cause = error.__cause__
    if isinstance(cause, Answered):
        try:
            require_no_page(cause.response, "rest")
        except PeerUnavailable as page:
            return page
    return PeerUnavailable(error.message, found=error.found, todo=OTHER_WAY + "rest")


def _named(root: _Element, name: str) -> list[_Element]:
    return [e for e in root.iter("*") if etree.QName(e).localname == name]


def _fields(element: _Element) -> dict[str, Any]:
    return {etree.QName(e).localname: e.text for e in element.iterchildren("*")}
