"""A small client of the exchange: of the made-up bodies inside the stand, of tests and of benches.

It builds, signs and reads what the stand's description says, and nothing that an adapter has.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from lxml import etree

from gateway import xml
from gateway.soap import mime, xop
from gateway.soap.splitter import Splitter, media_type
from simulators.smev.names import NAMES, OPERATIONS, SOAP
from simulators.smev.reading import PARTS_BYTES
from simulators.smev.writing import answered, element, included, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml.etree import _Element

    from simulators.smev.keys import Signer


_PIECES: Final = re.compile(r';\s*([\w-]+)\*0="[^"]*"(?:;\s*\1\*\d+="[^"]*")*')
_PIECE: Final = re.compile(r'\*\d+="([^"]*)"')


class Refused(ValueError):
    """The stand said no: the local name of the detail's element, empty for none, and the text."""

    def __init__(self, detail: str, text: str) -> None:
        super().__init__(f"{detail}: {text}")
        self.detail = detail
        self.text = text


class Got(NamedTuple):
    """A message that was received. content: its root, None for a status or a rejection."""

    id: str
    reply_to: str
    original: str
    content: _Element | None
    data: _Element
    message: _Element


class Caller:
    """One registered system that calls. send: (headers, body) → (Content-Type, body)."""

    def __init__(
        self,
        signer: Signer,
        send: Callable[[dict[str, str], bytes], tuple[str, bytes]],
        version: str = "1.3",
    ) -> None:
        self.names = NAMES[version]
        self._signer = signer
        self._send = send

    def request(
        self, content: str, *, message_id: str = "", attachments: Mapping[str, bytes] | None = None,
        more: str = "",
    ) -> str:  # fmt: skip
        """Send a request and return its number. more: what stands behind the content."""
        number = message_id or str(uuid.uuid1())
        inside = element("t:MessageID", number)
        if self.names.version == "1.2":
            inside += element("t:ReferenceMessageID", number) + element("t:TransactionCode", "")
        inside += _content(content, attachments or {}) + more
        self.call("SendRequest", _data("SenderProvidedRequestData", inside), attachments or {})
        return number

    def respond(
        self, to: str, content: str = "", *, other: str = "", message_id: str = "",
        attachments: Mapping[str, bytes] | None = None,
    ) -> str:  # fmt: skip
        """Send an answer and return its number. other: instead of a content, as XML."""
        number = message_id or str(uuid.uuid1())
        inside = element("t:MessageID", number) + element("t:To", to)
        inside += other or _content(content, attachments or {})
        self.call("SendResponse", _data("SenderProvidedResponseData", inside), attachments or {})
        return number

    def get(self, form: str, kind: tuple[str, str] | None = None, node: str = "") -> Got | None:
        """Return the next message; form: `Request` or `Response`."""
        inside = ""
        if kind is not None:
            inside = element("b:NamespaceURI", kind[0]) + element("b:RootElementLocalName", kind[1])
        inside += element("b:Timestamp", moment(datetime.now(UTC)))
        inside += element("b:NodeID", node) if node else ""
        selector = f'<b:MessageTypeSelector Id="SIGNED_BY_CALLER">{inside}</b:MessageTypeSelector>'
        answer = self.call(f"Get{form}", selector)
        t, b = self.names.t, self.names.b
        message = answer.find(f"{t(f'{form}Message')}/{t(form)}")
        if message is None:
            return None
        data = message.find(t(f"SenderProvided{form}Data"))
        assert data is not None
        place = data.find(b("MessagePrimaryContent"))
        return Got(
            data.findtext(t("MessageID")) or "",
            message.findtext(t("ReplyTo")) or "",
            message.findtext(t("OriginalMessageId")) or "",
            place[0] if place is not None else None,
            data,
            message,
        )

    def status(self) -> _Element | None:
        """Return the next AsyncProcessingStatus."""
        stamp = element("b:Timestamp", moment(datetime.now(UTC)))
        stamp = stamp.replace("<b:Timestamp>", '<b:Timestamp Id="SIGNED_BY_CALLER">')
        return next(self.call("GetStatus", stamp).iter(self.names.t("AsyncProcessingStatus")), None)

    def ack(self, message_id: str, *, accepted: bool = True) -> None:
        """Acknowledge a message."""
        told = f'Id="SIGNED_BY_CALLER" accepted="{str(accepted).lower()}"'
        self.call("Ack", f"<b:AckTargetMessage {told}>{message_id}</b:AckTargetMessage>")

    def call(
        self, name: str, inside: str, attachments: Mapping[str, bytes] | None = None
    ) -> _Element:
        """Sign what is to be signed, call, and return the answer's element; raise Refused."""
        return self.sent(name, self.made(name, inside, attachments or {}), attachments or {})

    def made(self, name: str, inside: str, attachments: Mapping[str, bytes]) -> bytes:
        """Return the signed envelope of a call."""
        operation, names = OPERATIONS[name], self.names
        text = f"<t:{name}Request>{inside}{_contents(attachments)}</t:{name}Request>"
        envelope = xml.parse(answered(names, text)).root
        make = names.b if operation.basic else names.t
        target = next(envelope.iter(make(operation.signed)))
        parent = target.getparent()
        assert parent is not None
        place = etree.SubElement(parent, names.t("CallerInformationSystemSignature"))
        place.append(self._signer.sign(target))
        return etree.tostring(envelope, encoding="utf-8")

    def sent(self, name: str, envelope: bytes, attachments: Mapping[str, bytes]) -> _Element:
        """Send an envelope and return the answer's element; raise Refused."""
        headers = {"SOAPAction": f'"{OPERATIONS[name].action}"'}
        headers["Content-Type"] = "text/xml; charset=utf-8"
        if attachments:
            sent = [
                mime.Sent(hashlib.sha256(data).hexdigest(), "application/octet-stream", len(data))
                for data in attachments.values()
            ]
            by_digest = {hashlib.sha256(data).hexdigest(): data for data in attachments.values()}
            package = mime.package(envelope, headers["Content-Type"], sent)
            headers["Content-Type"] = package.content_type
            envelope = b"".join(
                by_digest[piece.sha256] if isinstance(piece, mime.Sent) else piece
                for piece in package.pieces
            )
        return opened(*self._send(headers, envelope))


def opened(content_type: str, body: bytes) -> _Element:
    """Return the element in Body of an answer, XOP put back inline; raise Refused for a fault."""
    data, parts = body, dict[str, bytes]()
    content_type = _PIECES.sub(_joined, content_type)
    if media_type(content_type).name == "multipart/related":
        data, parts = _apart(content_type, body)
    envelope = xml.parse(data).root
    if parts:
        xop.inlined(envelope, parts, PARTS_BYTES)
    inside = envelope.find(f"{{{SOAP}}}Body")
    assert inside is not None
    if inside[0].tag == f"{{{SOAP}}}Fault":
        detail = inside[0].find("detail")
        found = detail[0].tag if detail is not None and len(detail) else ""
        raise Refused(str(found).rpartition("}")[2], inside[0].findtext("faultstring") or "")
    return inside[0]


def _joined(found: re.Match[str]) -> str:
    """Return a parameter in one piece that came in several (RFC 2231, 3)."""
    return f'; {found[1]}="{"".join(_PIECE.findall(found[0]))}"'


def _apart(content_type: str, body: bytes) -> tuple[bytes, dict[str, bytes]]:
    splitter, parts, name = Splitter(content_type), dict[str, bytes](), ""
    for event in splitter.feed(body):
        if isinstance(event, mime.Head):
            name = event.content_id
            parts[name] = b""
        elif isinstance(event, mime.Data):
            parts[name] += event.data
    splitter.close()
    return splitter.root or b"", parts


def _data(name: str, inside: str) -> str:
    return f'<t:{name} Id="SIGNED_BY_CALLER">{inside}</t:{name}>'


def _content(content: str, attachments: Mapping[str, bytes]) -> str:
    out = f"<b:MessagePrimaryContent>{content}</b:MessagePrimaryContent>"
    if not attachments:
        return out
    listed = "".join(
        "<b:AttachmentHeader>" + element("b:contentId", name)
        + element("b:MimeType", "application/octet-stream") + "</b:AttachmentHeader>"
        for name in attachments
    )  # fmt: skip
    return f"{out}<b:AttachmentHeaderList>{listed}</b:AttachmentHeaderList>"


def _contents(attachments: Mapping[str, bytes]) -> str:
    if not attachments:
        return ""
    listed = "".join(
        f"<b:AttachmentContent>{element('b:Id', name)}<b:Content>"
        f"{included(hashlib.sha256(data).hexdigest() + '@gateway')}</b:Content>"
        "</b:AttachmentContent>"
        for name, data in attachments.items()
    )
    return f"<b:AttachmentContentList>{listed}</b:AttachmentContentList>"
