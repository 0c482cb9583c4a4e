"""How a message of ours leaves: addressing, attachments, the package around both.

WS-Addressing 1.0 (W3C 2006) with its SOAP binding; MTOM 1.0 and XOP 1.0 (W3C 2005). A message is
made once and may be sent again, so everything here is derived from what it holds: MessageID from
the key of its delivery, Content-IDs and the boundary from digests.
"""

import hashlib
import io
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Final, Protocol
from uuid import NAMESPACE_URL, uuid5

import msgspec
from lxml import etree
from lxml.etree import _Element

from gateway import limits, ns
from gateway.errors import ConfigurationError, InternalError, NotFoundError, TooLargeError
from gateway.soap.frame import MEDIA, Version

XOP_MEDIA: Final = "application/xop+xml"
ATTACHED: Final = "x-attached"
"""Header of a wire, never sent: the attachments of its envelope, as JSON."""
MESSAGE_ID: Final = "x-message-id"
"""Header of a wire, never sent: the MessageID that an answer must relate to."""
_DOMAIN: Final = "attachments.invalid"
_ROOT: Final = f"envelope@{_DOMAIN}"
_MEDIA: Final = re.compile(r"[!#$&^_.+\w-]+/[!#$&^_.+\w-]+", re.ASCII).fullmatch
"""A media type that cannot begin another header."""
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
            include.set("href", f"cid:{content_id(index, self.found[index])}")

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


def content_id(index: int, item: Attached) -> str:
    """Return the Content-ID of an attachment: by its place too, one file may stand twice."""
    return f"{index}.{item.sha256}@{_DOMAIN}"


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
        self._root = root
        self._version = version
        self._action = action
        self._items = items
        self._files = files
        for item in items:
            try:
                files(item.sha256).open().close()
            except OSError as error:
                raise _gone(item) from error

    @cached_property
    def boundary(self) -> str:
        """The boundary: a digest of the envelope, which names the digests of everything beside."""
        return f"part-{hashlib.sha256(self._root).hexdigest()}"

    @property
    def content_type(self) -> str:
        """Content-Type of the whole (MTOM 1.0, section 3.2; RFC 2387)."""
        media = MEDIA[self._version]
        action = f'; action="{self._action}"' if self._version == "1.2" else ""
        return (
            f'multipart/related; type="{XOP_MEDIA}"; boundary="{self.boundary}"; '
            f'start="<{_ROOT}>"; start-info="{media}"{action}'
        )

    @property
    def size(self) -> int:
        """Bytes in all."""
        heads = sum(len(head) for head in self._heads())
        return heads + len(self._root) + sum(item.size for item in self._items) + len(self._end)

    def pieces(self) -> Iterator[bytes]:
        """Yield the package; raise GatewayError when an attachment is not what it was."""
        first, *heads = self._heads()
        yield first + self._root
        for head, item in zip(heads, self._items, strict=True):
            yield head
            yield from read(item, self._files)
        yield self._end

    def _heads(self) -> Iterator[bytes]:
        media = MEDIA[self._version]
        yield self._head(_ROOT, f'{XOP_MEDIA}; charset=UTF-8; type="{media}"', "--")
        for index, item in enumerate(self._items):
            media = item.media_type if _MEDIA(item.media_type) else "application/octet-stream"
            yield self._head(content_id(index, item), media, "\r\n--")

    def _head(self, name: str, media: str, before: str) -> bytes:
        text = (
            f"{before}{self.boundary}\r\nContent-ID: <{name}>\r\nContent-Type: {media}\r\n"
            "Content-Transfer-Encoding: binary\r\n\r\n"
        )
        return text.encode()

    @property
    def _end(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


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
