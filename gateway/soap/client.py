"""The outbound SOAP client: zeep over stored WSDLs and our own transport. The one importer of zeep.

Nothing is fetched: the WSDL and what it imports lie on disk, and the only address that is spoken to
is the one given, through `gateway.outbound`. Making the envelope and sending it are two steps, so
that the bytes can be written down before the first of them leaves. What proves who we are is put in
at the second: it is no part of what is written down (`gateway.soap.identity`).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import zeep
import zeep.exceptions
from lxml import etree

from gateway import ns
from gateway.adapter import Receipt, Wire
from gateway.errors import ConfigurationError, ValidationError, Violation
from gateway.soap import answers, outgoing
from gateway.soap.frame import NAMESPACES, Version, announced

if TYPE_CHECKING:
    from lxml.etree import _Element

    from gateway.outbound import Body, Outbound
    from gateway.soap.identity import Identity
    from gateway.soap.vouched import Voucher

_VERSIONS: Final[dict[str | None, Version]] = {space: v for v, space in NAMESPACES.items()}


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


@lru_cache(maxsize=32)
def _read(wsdl: Path, tree: Path) -> zeep.Client:
    """Return what zeep makes of a stored WSDL, once a process: partners share ours.

    It keeps nothing of what is made with it.
    """
    return zeep.Client(str(wsdl), transport=_Stored(tree))  # type: ignore[no-untyped-call]


class SoapClient:
    """One port of one stored WSDL. Thread-safe once made.

    wsdl: path of the WSDL. tree: directory that everything it imports must lie in; default: its
    own. service, port: names in the WSDL; the port says which version of SOAP is spoken. address:
    where the peer listens. addressing: WS-Addressing headers in every message. mtom: attachments
    leave as parts beside the envelope, not as base64 in it; not in a signed message, because a
    signature covers the Body with them in it. files: finds the bytes of attachments. identity: what
    we prove ourselves with. voucher: whose signature the answers must have. Raises
    ConfigurationError when the WSDL cannot be read or has no such port, and when a password would
    travel where it can be read.
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
        addressing: bool = False,
        mtom: bool = False,
        files: outgoing.Files = outgoing.no_files,
        identity: Identity | None = None,
        voucher: Voucher | None = None,
    ) -> None:
        self._address = address
        self._outbound = outbound
        self._peer = peer
        self._addressing = addressing
        self._mtom = mtom and (identity is None or identity.signer is None)
        self._files = files
        self._identity = identity
        self._voucher = voucher
        if identity is not None:
            identity.require_safe(address)
        try:
            self._client = _read(wsdl, tree or wsdl.parent)
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

    def message(self, operation: str, key: str = "", /, **values: Any) -> Wire:
        """Return the envelope of a call; raise ValidationError when it cannot be made.

        key: of the delivery; MessageID is derived from it, from the content when it is empty.
        values: as zeep takes them, with `outgoing.Attached` where the contract has base64Binary.
        Raises TooLargeError for attachments that are too large to stand in the envelope.
        """
        places = outgoing.Places()
        envelope, action = self._made(operation, places.marked(values))
        version = _VERSIONS[etree.QName(envelope).namespace]
        [body] = envelope.findall(ns.tag(NAMESPACES[version], "Body"))
        headers = {"soapaction": f'"{action}"'}
        if places.found and self._mtom:
            places.include(body)
            headers[outgoing.ATTACHED] = outgoing.listed(places.found)
        elif places.found:
            places.inline(body, self._files)
        if self._addressing:
            key = key or sha256(etree.tostring(body)).hexdigest()
            headers[outgoing.MESSAGE_ID] = outgoing.message_id(key, action)
            outgoing.address(
                envelope, to=self._address, action=action, message=headers[outgoing.MESSAGE_ID]
            )
        return Wire(
            media_type=outgoing.content_type(version, action),
            body=etree.tostring(envelope, xml_declaration=True, encoding="utf-8"),
            headers=headers,
        )

    def send(self, wire: Wire) -> Receipt:
        """Post a message made before; raise PeerRefused, PeerUnavailable or PeerDoubtful.

        The wire may come from another process: everything that it needs stands in it, but for the
        bytes of attachments and what we prove ourselves with.
        """
        version = announced(wire.media_type)
        action = wire.headers.get("soapaction", '""')
        root = wire.body if self._identity is None else self._identity.protect(wire.body)
        body: bytes | Body = root
        headers = {"Content-Type": wire.media_type}
        if attached := outgoing.unlisted(wire.headers.get(outgoing.ATTACHED, "")):
            self._require_unsigned()
            package = outgoing.Package(root, version, action.strip('"'), attached, self._files)
            body, headers = package, {"Content-Type": package.content_type}
        if version == "1.1":
            headers["SOAPAction"] = action
        if self._identity is not None:
            headers |= self._identity.headers()
        response = self._outbound.request("POST", self._address, headers=headers, body=body)
        message_id = wire.headers.get(outgoing.MESSAGE_ID, "")
        return answers.receipt(response, self._peer, message_id, self._voucher)

    def _made(self, operation: str, values: dict[str, Any]) -> tuple[_Element, str]:
        """Return zeep's envelope without its addressing headers, and the action of the call."""
        try:
            envelope = self._client.create_message(  # type: ignore[no-untyped-call]
                self._proxy, operation, **values
            )
            found = self._binding.get(operation)
        except zeep.exceptions.ValidationError as error:
            path = "/".join(str(part) for part in (error.path or ()))
            raise ValidationError(
                "the message does not fit the peer's WSDL",
                (Violation(path, "contract", error.message or "invalid"),),
            ) from error
        except (zeep.exceptions.Error, ValueError, TypeError) as error:
            raise ValidationError(f"the message cannot be made: {error}") from error
        outgoing.without_addressing(envelope)
        action = found.soapaction or found.abstract.wsa_action or ""
        if self._addressing and not action:
            raise ConfigurationError(
                "the stored WSDL names no action, which addressing needs", where=operation
            )
        return envelope, action

    def _require_unsigned(self) -> None:
        if self._identity is not None and self._identity.signer is not None:
            raise ConfigurationError(
                "this message was made with its attachments beside it: it cannot be signed",
                where=self._peer,
                todo="send it before sign_key is set, or replay it",
            )
