"""The outbound SOAP client: zeep over stored WSDLs and our own transport. The one importer of zeep.

Nothing is fetched: the WSDL and what it imports lie on disk, and the only address that is spoken to
is the one given, through `gateway.outbound`. Making the envelope and sending it are two steps, so
that the bytes can be written down before the first of them leaves.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import zeep
import zeep.exceptions
from lxml import etree

from gateway import ns, xml
from gateway.adapter import Receipt, Wire
from gateway.errors import (
    ConfigurationError,
    InputError,
    PeerDoubtful,
    PeerRefused,
    PeerUnavailable,
    ValidationError,
    Violation,
)
from gateway.outbound import check

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.outbound import Outbound, Response

SOAP11_TYPE: Final = "text/xml; charset=utf-8"
_LATER: Final = frozenset({"BusyFault"})
"""Fault details that promise nothing was stored and ask to come again."""
_NO: Final = frozenset({"Client", "Sender", "MustUnderstand", "VersionMismatch"})


class _Stored:
    """Gives zeep files of the WSDL's own tree and nothing else."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def load(self, url: str) -> bytes:
        """Return a stored file; raise ConfigurationError for anything outside."""
        parts = urlsplit(url)
        path = Path(unquote(parts.path)).resolve()
        if parts.scheme not in ("", "file") or not path.is_relative_to(self._root):
            raise ConfigurationError("a stored WSDL imports something that is not", found=url)
        return path.read_bytes()

    def post_xml(self, *_: Any) -> None:
        """Refuse: what is sent goes through `SoapClient.send`."""
        raise ConfigurationError("nothing is sent past the house's own client", where="zeep")


class SoapClient:
    """One port of one stored WSDL. Thread-safe once made.

    wsdl: path of the WSDL. tree: directory that everything it imports must lie in; default: its
    own. service, port: names in the WSDL. address: where the peer listens. Raises
    ConfigurationError when the WSDL cannot be read or has no such port.
    """

    def __init__(
        self,
        wsdl: Path,
        *,
        service: str,
        port: str,
        address: str,
        outbound: Outbound,
        peer: str,
        tree: Path | None = None,
    ) -> None:
        self._address = address
        self._outbound = outbound
        self._peer = peer
        try:
            self._client = zeep.Client(  # type: ignore[no-untyped-call]
                str(wsdl), transport=_Stored(tree or wsdl.parent)
            )
            found = self._client.wsdl.services[service].ports[port].binding
        except (zeep.exceptions.Error, OSError, KeyError, etree.XMLSyntaxError) as error:
            raise ConfigurationError(
                f"the stored WSDL cannot be used: {type(error).__name__}: {error}",
                found=f"{service}/{port}",
                where=str(wsdl),
            ) from error
        self._binding = found
        self._proxy = self._client.create_service(  # type: ignore[no-untyped-call]
            found.name, address
        )

    def message(self, operation: str, **values: Any) -> Wire:
        """Return the SOAP 1.1 envelope of a call; raise ValidationError when it cannot be made."""
        try:
            envelope = self._client.create_message(  # type: ignore[no-untyped-call]
                self._proxy, operation, **values
            )
            action = self._binding.get(operation).soapaction
        except zeep.exceptions.ValidationError as error:
            path = "/".join(str(part) for part in (error.path or ()))
            raise ValidationError(
                "the message does not fit the peer's WSDL",
                (Violation(path, "contract", error.message or "invalid"),),
            ) from error
        except (zeep.exceptions.Error, ValueError, TypeError) as error:
            raise ValidationError(f"the message cannot be made: {error}") from error
        _without_addressing(envelope)
        body = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        return Wire(media_type=SOAP11_TYPE, body=body, headers={"soapaction": f'"{action}"'})

    def send(self, wire: Wire) -> Receipt:
        """Post an envelope made before; raise PeerRefused, PeerUnavailable or PeerDoubtful."""
        response = self._outbound.request(
            "POST",
            self._address,
            headers={
                "Content-Type": wire.media_type,
                "SOAPAction": wire.headers.get("soapaction", '""'),
            },
            body=wire.body,
        )
        body = self._body(response)
        if body is None:
            check(response, self._peer)
            raise PeerDoubtful(
                "the answer is no SOAP", found=str(response.status), where=self._peer
            )
        first = next(iter(body), None)
        if first is not None and etree.QName(first).localname == "Fault":
            raise _fault(first, self._peer)
        check(response, self._peer)
        return Receipt(
            final=True,
            status=response.status,
            reference=_reference(first),
            body=response.body,
        )

    @staticmethod
    def _body(response: Response) -> _Element | None:
        try:
            root = xml.parse(response.body).root
        except InputError:
            return None
        for namespace in (ns.SOAP11, ns.SOAP12):
            if root.tag == ns.tag(namespace, "Envelope"):
                return root.find(ns.tag(namespace, "Body"))
        return None


def _without_addressing(envelope: _Element) -> None:
    """Drop what zeep adds when a WSDL names actions: a random MessageID and the WSDL's own address.

    A repeat must be the same bytes, and the ports we call (SOAP 1.1, basicHttpBinding) need none.
    """
    for header in envelope.findall(ns.tag(ns.SOAP11, "Header")):
        for block in header.findall(f"{{{ns.WSA}}}*"):
            header.remove(block)
        if len(header) == 0:
            envelope.remove(header)


def _fault(fault: _Element, peer: str) -> PeerRefused | PeerUnavailable | PeerDoubtful:
    """What a fault says about our message: only a sender's fault, or "busy", promises anything."""
    names = {etree.QName(e).localname for e in fault.iter()}
    code = next(
        (
            (e.text or "").rpartition(":")[2].strip()
            for e in fault.iter()
            if etree.QName(e).localname in ("faultcode", "Value")
        ),
        "",
    )
    words = next(
        (
            (e.text or "").strip()
            for e in fault.iter()
            if etree.QName(e).localname in ("faultstring", "Text")
        ),
        "",
    )
    found = f"{code}: {words}"
    if names & _LATER:
        return PeerUnavailable(f"{peer} asks to come later", found=found)
    if code.split(".")[0] in _NO:
        return PeerRefused(f"{peer} refused", found=found)
    return PeerDoubtful(f"{peer} failed while it had our request", found=found)


def _reference(response: _Element | None) -> str:
    """The receipt number that the peer gave, when its answer has one."""
    if response is None:
        return ""
    for element in response.iter():
        if etree.QName(element).localname == "ReceiptNumber":
            return (element.text or "").strip()
    return ""
