"""How a message of ours leaves: addressing, attachments, the package around both.

WS-Addressing 1.0 (W3C 2006) with its SOAP binding; MTOM 1.0 and XOP 1.0 (W3C 2005). A message is
made once and may be sent again, so everything here is derived from what it holds: MessageID from
the key of its delivery, Content-IDs and the boundary from digests.
"""

import hashlib
import io
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol
from uuid import NAMESPACE_URL, uuid5

import msgspec
from lxml import etree
from lxml.etree import _Element

from gateway import limits, ns
from gateway.errors import ConfigurationError, InternalError, NotFoundError, TooLargeError
from gateway.soap import mime
from gateway.soap.frame import MEDIA, Version

ATTACHED: Final = "x-attached"
"""Header of a wire, never sent: the attachments of its envelope, as JSON."""
MESSAGE_ID: Final = "x-message-id"
"""Header of a wire, never sent: the MessageID that an answer must relate to."""
_PIECE: Final = 256 * limits.KB


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that a message carries where its contract has base64Binary, known by their digest.

    sha256: hex. size: bytes.
    """

    sha256: str
    size: int
    media_type: str = "application/octet-stream"


class Source(Protocol):
    """The bytes of an attachment, wherever they lie."""

    def open(self) -> IO[bytes]:
        """Return a stream from the first byte; raise OSError when they are gone."""
        ...


Files = Callable[[str], Source]
"""Finds the source of an attachment by its SHA-256 in hex."""


class InMemory:
    """A small attachment."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def open(self) -> IO[bytes]:
        """Return a stream over the bytes."""
        return io.BytesIO(self._data)


class InFile:
    """An attachment that lies in a file, as those of the blob directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> IO[bytes]:
        """Open the file."""
        return self._path.open("rb", buffering=0)


def message_id(key: str, action: str) -> str:
    """Return the MessageID of a delivery, the same for every attempt; each action has its own."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{key} {action}')}"


def address(envelope: _Element, *, to: str, action: str, message: str) -> None:
    """Write the addressing headers: the answer is wanted on this connection.

    Nothing is marked mandatory: a peer that knows no addressing may pass it over.
    """
    header = header_of(envelope)
    for name, value in (("Action", action), ("MessageID", message), ("To", to)):
        etree.SubElement(header, ns.tag(ns.WSA, name), nsmap={"wsa": ns.WSA}).text = value
    reply = etree.SubElement(header, ns.tag(ns.WSA, "ReplyTo"), nsmap={"wsa": ns.WSA})
    etree.SubElement(reply, ns.tag(ns.WSA, "Address")).text = ns.WSA_ANONYMOUS


def header_of(envelope: _Element) -> _Element:
    """Return the Header of an envelope, made when there is none."""
    space = etree.QName(envelope).namespace
    header = envelope.find(f"{{{space}}}Header")
    if header is None:
        header = etree.Element(f"{{{space}}}Header")
        envelope.insert(0, header)
    return header


def without_addressing(envelope: _Element) -> None:
    """Drop what zeep adds when a WSDL names actions: a random MessageID, the WSDL's own address."""
    header = header_of(envelope)
    for block in header.findall(f"{{{ns.WSA}}}*"):
        header.remove(block)
    if len(header) == 0:
        envelope.remove(header)


def content_type(version: Version, action: str) -> str:
    """Return the media type of a plain envelope; SOAP 1.2 says the action there."""
    plain = f"{MEDIA[version]}; charset=utf-8"
    return plain if version == "1.1" else f'{plain}; action="{action}"'


class Places:
    """Where attachments stand in a message that is being made.

    A serialiser of contracts knows bytes only: each attachment goes through it as a short mark, and
    is put in place of the mark afterwards.
    """

    def __init__(self) -> None:
        self.found: list[Attached] = []
        self._nobodys_text = secrets.token_hex(16)

    def marked(self, value: Any) -> Any:
        """Return values with a mark in place of each attachment, at any depth."""
        if isinstance(value, Attached):
            self.found.append(value)
            return self._mark(len(self.found) - 1)
        if isinstance(value, Mapping):
            return {name: self.marked(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.marked(item) for item in value]
        return value

    def include(self, body: _Element) -> None:
        """Refer to the part of each attachment (XOP 1.0, section 2)."""
        for index, element in self._places(body):
            element.text = None
            include = etree.SubElement(element, ns.tag(ns.XOP, "Include"), nsmap={"xop": ns.XOP})
            part = mime.Sent(part_name(index, item := self.found[index]), "", item.size)
            include.set("href", f"cid:{part.content_id}")

    def inline(self, body: _Element, files: Files) -> None:
        """Write each attachment as base64; raise TooLargeError past what a message may hold."""
        for item in self.found:
            if item.size > limits.ATTACHMENT_INLINE_BYTES:
                raise TooLargeError(
                    "an attachment is too large to stand in the message",
                    found=f"{item.size} bytes",
                    expected=f"at most {limits.ATTACHMENT_INLINE_BYTES} bytes",
                    todo="send it over MTOM, unsigned",
                )
        if sum(item.size for item in self.found) * 4 // 3 > limits.SOAP_ROOT_BYTES:
            raise TooLargeError(
                "the attachments are too large to stand in the message together",
                expected=f"an envelope of at most {limits.SOAP_ROOT_BYTES} bytes",
                todo="send them over MTOM, unsigned",
            )
        for index, element in self._places(body):
            element.text = b64encode(b"".join(read(self.found[index], files))).decode()

    def _places(self, body: _Element) -> Iterator[tuple[int, _Element]]:
        marks = {b64encode(self._mark(index)).decode(): index for index in range(len(self.found))}
        places = [
            (marks[text], element)
            for element in body.iter("*")
            if (text := (element.text or "")) in marks
        ]
        if sorted(index for index, _ in places) != list(range(len(self.found))):
            raise InternalError("an attachment has no place in the message", where="soap")
        yield from places

    def _mark(self, index: int) -> bytes:
        return f"{index}:{self._nobodys_text}".encode()


def part_name(place: int, item: Attached) -> str:
    """Return the name of an attachment's part: by its place too, one file may stand twice."""
    return f"{place}.{item.sha256}"


def read(item: Attached, files: Files) -> Iterator[bytes]:
    """Yield the bytes of an attachment; raise GatewayError when they are not those of its digest.

    The last piece comes only after all of them were checked.
    """
    digest, size, held = hashlib.sha256(), 0, b""
    try:
        with files(item.sha256).open() as stream:
            while piece := stream.read(_PIECE):
                if held:
                    yield held
                digest.update(piece)
                size += len(piece)
                held = piece
    except OSError as error:
        raise _gone(item) from error
    if size != item.size or digest.hexdigest() != item.sha256:
        raise InternalError(
            "the bytes of an attachment are not those that were to be sent", where=item.sha256
        )
    if held:
        yield held


class Package:
    """An envelope with its attachments as multipart/related, read while it is sent.

    root: the envelope, with an xop:Include for each attachment. Raises NotFoundError when the bytes
    of one are gone, before anything is sent.
    """

    def __init__(
        self, root: bytes, version: Version, action: str, items: Sequence[Attached], files: Files
    ) -> None:
        named = [
            mime.Sent(sha256=part_name(n, item), media_type=item.media_type, size=item.size)
            for n, item in enumerate(items)
        ]
        laid = mime.package(root, f"{MEDIA[version]}; charset=utf-8", named)
        self._pieces = laid.pieces
        self._items = dict(zip(named, items, strict=True))
        self._files = files
        self.size = laid.length
        told = f'; action="{action}"' if version == "1.2" else ""
        self.content_type = laid.content_type + told
        for item in items:
            try:
                files(item.sha256).open().close()
            except OSError as error:
                raise _gone(item) from error

    def pieces(self) -> Iterator[bytes]:
        """Yield the package; raise GatewayError when an attachment is not what it was."""
        for piece in self._pieces:
            if isinstance(piece, mime.Sent):
                yield from read(self._items[piece], self._files)
            else:
                yield piece


def listed(items: Sequence[Attached]) -> str:
    """Return attachments as the header `ATTACHED` keeps them beside the envelope."""
    return msgspec.json.encode(items).decode()


def unlisted(text: str) -> list[Attached]:
    """Return the attachments that a header keeps."""
    return msgspec.json.decode(text or "[]", type=list[Attached])


def no_files(sha256: str) -> Source:
    """Refuse: the files of a client that was given none."""
    raise ConfigurationError("this client was given no attachments to read", found=sha256)


def _gone(item: Attached) -> NotFoundError:
    return NotFoundError("the bytes of an attachment are gone", found=item.sha256)
