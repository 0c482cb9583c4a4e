"""Reads what a caller of СМЭВ sent: the package, the envelope, the operation, its attachments."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import xml
from gateway.errors import GatewayError
from gateway.soap import mime, xop
from gateway.soap.splitter import Splitter
from simulators.smev.names import NAMES, OPERATIONS, SOAP, Kind, Names, Operation
from simulators.smev.rules import Refusal, invalid, unproved

if TYPE_CHECKING:
    from lxml.etree import _Element

PARTS_BYTES: Final = 64 * 1024 * 1024
"""Of all parts of one package; the limit of СМЭВ itself is told by its own fault."""


class Unreadable(Exception):
    """What came is no call at all: the answer is a SOAP fault without a detail."""


class Asked(NamedTuple):
    """One call. root: the element in Body, XOP put back inline. size: bytes of its parts."""

    names: Names
    operation: Operation
    root: _Element
    size: int

    @property
    def target(self) -> _Element:
        """The element that the caller signs; raise Refusal when there is none."""
        make = self.names.b if self.operation.basic else self.names.t
        found = self.root.findall(make(self.operation.signed))
        if len(found) != 1:
            raise unproved("PoorSOAPEnvelopeFormat", f"нет {self.operation.signed}")
        return found[0]

    @property
    def signature(self) -> _Element:
        """The caller's ds:Signature; raise Refusal when there is none."""
        place = self.root.find(self.names.t("CallerInformationSystemSignature"))
        if place is None or len(place) != 1:
            raise unproved("NoSignatureFound", "нет ЭП-ОВ")
        return place[0]

    def text(self, local: str) -> str:
        """Text of a child of what is signed, in the namespace of the types."""
        return (self.target.findtext(self.names.t(local)) or "").strip()


def read(version: str, headers: dict[str, str], body: bytes) -> Asked:
    """Return the call; raise Unreadable, or Refusal for another version's or no operation."""
    names = NAMES[version]
    try:
        data, parts = _apart(headers.get("content-type", ""), body)
        envelope = xml.parse(data).root
        if parts:
            xop.inlined(envelope, parts, PARTS_BYTES)
    except GatewayError as error:
        raise Unreadable(str(error)) from error
    inside = envelope.find(f"{{{SOAP}}}Body")
    if envelope.tag != f"{{{SOAP}}}Envelope" or inside is None or len(inside) != 1:
        raise Unreadable("нет одного элемента в Body сообщения SOAP 1.1")
    root = inside[0]
    operation = _operation(names, root, headers.get("soapaction", ""))
    return Asked(names, operation, root, sum(map(len, parts.values())))


def contents(asked: Asked) -> dict[str, bytes]:
    """Return attachments by their Id; raise Refusal for one that is named twice."""
    b = asked.names.b
    found: dict[str, bytes] = {}
    for one in asked.root.iterfind(f"{b('AttachmentContentList')}/{b('AttachmentContent')}"):
        name = (one.findtext(b("Id")) or "").strip()
        if name in found:
            raise Refusal("AttachmentContentMiscoordination", f"дважды {name}")
        try:
            found[name] = b64decode(one.findtext(b("Content")) or "")
        except Error as error:
            raise invalid(f"AttachmentContent {name}: {error}") from error
    return found


def kind_of(content: _Element) -> Kind:
    """Return the kind of a message by the root of its content."""
    namespace, _, local = str(content.tag).rpartition("}")
    return Kind(namespace[1:], local)


def primary(data: _Element, names: Names) -> _Element | None:
    """Return the content of SenderProvided…Data, None when it has none."""
    place = data.find(names.b("MessagePrimaryContent"))
    return place[0] if place is not None and len(place) else None


def _operation(names: Names, root: _Element, action: str) -> Operation:
    local = str(root.tag).rpartition("}")[2]
    found = OPERATIONS.get(local.removesuffix("Request"))
    if found is None or root.tag != names.t(f"{found.name}Request") or names.version > found.until:
        raise Unreadable(f"нет такой операции в версии {names.version}: {root.tag}")
    if action.strip('" ') not in {"", found.action}:
        raise Unreadable(f"SOAPAction {action} не {found.action}")
    return found


def _apart(content_type: str, body: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Return the envelope and the parts beside it by Content-ID."""
    splitter = Splitter(content_type)
    parts: dict[str, bytes] = {}
    name, data = "", bytearray()
    for event in splitter.feed(body):
        if isinstance(event, mime.Head):
            name, data = event.content_id, bytearray()
        elif isinstance(event, mime.Data):
            data += event.data
        elif name:
            parts[name], name = bytes(data), ""
    splitter.close()
    return splitter.root or b"", parts
