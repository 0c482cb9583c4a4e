"""The frame of an answer: which SOAP version, in which encoding, relating to which message."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from gateway import ns, xml
from gateway.errors import GatewayError
from gateway.soap import addressing
from gateway.soap.splitter import SOAP12_MEDIA, media_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml.etree import _Element

Version = Literal["1.1", "1.2"]
NAMESPACES: Final[dict[Version, str]] = {"1.1": ns.SOAP11, "1.2": ns.SOAP12}
"""Envelope namespace of each version we speak."""
_START: Final = {v: f'<s:Envelope xmlns:s="{space}">'.encode() for v, space in NAMESPACES.items()}
MEDIA: Final[dict[Version, str]] = {"1.1": "text/xml", "1.2": SOAP12_MEDIA}


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """How to answer: in the request's own version and encoding.

    encoding: key of `gateway.xml.CHARSET_LABELS`. addressing: what WS-Addressing headers said, None
    when the request had none; then the answer has none either. protect: puts WS-Security into the
    finished envelope, when the caller's answers must carry it.
    """

    version: Version = "1.1"
    encoding: str = xml.UTF8
    addressing: addressing.Addressing | None = None
    protect: Callable[[bytes], bytes] | None = None

    @property
    def content_type(self) -> str:
        """Content-Type of the answer."""
        return f"{MEDIA[self.version]}; charset={xml.CHARSET_LABELS[self.encoding]}"


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """An answer ready for the wire: status, Content-Type and bytes.

    action: URI of what it says, when addressing headers say it too.
    """

    status: int
    content_type: str
    body: bytes
    action: str = ""


def announced(content_type: str) -> Version:
    """Return the version that a media type announces; 1.1 for anything that is not SOAP 1.2."""
    return "1.2" if media_type(content_type).name == SOAP12_MEDIA else "1.1"


def blocks_of(root: _Element) -> list[_Element]:
    """Return the header blocks of an envelope, whatever its version."""
    first = root[0] if len(root) else None
    if first is None or not first.tag.endswith("}Header"):
        return []
    return list(first)


def of_request(data: bytes, headers: Mapping[str, str]) -> Frame:
    """Return the frame for a fault about a request that could not be opened. Never fails.

    data: the root part, empty when it was not even received. headers: of HTTP, lower-case names.
    """
    content_type = headers.get("content-type", "")
    version = announced(content_type)
    charset = media_type(content_type).charset
    try:
        document = xml.parse(data, charset)
    except GatewayError:
        return Frame(version=version, encoding=xml.encoding_of(data, charset))
    found = None
    if document.root.tag == ns.tag(NAMESPACES[version], "Envelope"):
        found = addressing.peek(blocks_of(document.root))
    return Frame(version=version, encoding=document.encoding, addressing=found)


def here(frame: Frame) -> Frame:
    """Return the frame for an answer that goes back on the connection, whatever was asked for."""
    found = frame.addressing
    return frame if found is None else msgspec.structs.replace(frame, addressing=found.here())


def wrap(frame: Frame, header: str, body: bytes, *, status: int = 200, action: str = "") -> Sealed:
    """Return the envelope around a body element, in the frame's version and encoding.

    header: header blocks that use the envelope's prefix `s`. body: UTF-8. action: of `Sealed`.
    """
    blocks = f"<s:Header>{header}</s:Header>".encode() if header else b""
    envelope = b"".join(
        (_START[frame.version], blocks, b"<s:Body>", body, b"</s:Body></s:Envelope>")
    )
    if frame.protect is not None:
        envelope = frame.protect(envelope)
    encoded = xml.encode(envelope, frame.encoding)
    return Sealed(status=status, content_type=frame.content_type, body=encoded, action=action)
