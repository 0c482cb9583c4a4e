"""Packages of several parts, `multipart/related`, read and written as they stream; sans IO.

RFC 2046 (multipart) and RFC 2387 (related). Reading holds a line or two in memory, never a part.
What is decided where the standards leave room, or clients differ:

- The first boundary line says how lines end in the package. Clients write CRLF; a package that is
  written by hand with bare line feeds is read too, but never a mixture, because the bytes of a file
  must not depend on a guess.
- A line that begins as the boundary and goes on otherwise is refused: RFC 2046 would have it both
  ways. A multipart inside a part is bytes like any other.
- After the closing boundary only blank lines may come, and it must not be missing: a package that
  was cut off is not taken for a whole one.
- `binary`, `8bit`, `7bit` are read as they are, `base64` is decoded; `quoted-printable` is refused,
  because no client of SOAP writes it.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from gateway import limits
from gateway.errors import MalformedError, TooLargeError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
"""RFC 2046, 5.1.1: up to 70 characters, the last of them no space."""
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_PLAIN: Final = frozenset(("", "binary", "8bit", "7bit"))
_PADDING: Final = 100
"""Blanks that may stand behind a boundary on its line."""
_BLANK: Final = b" \t\r\n"
_GROUP: Final = 4


class Head(NamedTuple):
    """A part begins. headers: lower-case names. place: from 1."""

    place: int
    headers: Mapping[str, str]

    @property
    def content_id(self) -> str:
        """Its Content-ID without brackets, percent-decoded as in a `cid:` URL; empty for none."""
        return bare_id(self.headers.get("content-id", ""))

    @property
    def content_type(self) -> str:
        """Its Content-Type as it stands; RFC 2046 says `text/plain` where there is none."""
        return self.headers.get("content-type", "text/plain")


class Data(NamedTuple):
    """The next bytes of the part that began last, decoded."""

    data: bytes


class End(NamedTuple):
    """The part ended. size: of its bytes, decoded."""

    size: int


Event = Head | Data | End


class Caps(NamedTuple):
    """What a package may have: parts, the root among them; bytes as they stand on the wire."""

    total: int = limits.PACKAGE_BYTES
    parts: int = limits.PACKAGE_PARTS
    part: int = limits.PACKAGE_BYTES


DEFAULT: Final = Caps()


class Reader:
    """Reads one package. boundary: of its Content-Type, without quotes.

    Raises MalformedError, TooLargeError or UnsupportedError, which say at which part.
    """

    def __init__(self, boundary: str, caps: Caps = DEFAULT) -> None:
        if not _BOUNDARY.fullmatch(boundary):
            raise MalformedError(
                "the boundary of the package is missing or none of RFC 2046",
                found=boundary,
                expected="1 to 70 characters",
                where="Content-Type",
            )
        self._token = b"--" + boundary.encode("ascii")
        self._caps = caps
        self._buffer = b""
        self._taken = 0
        self._place = 0
        self._line_end = b""
        self._delimiter = b""
        self._skip = 0
        self._size = 0
        self._decoded = 0
        self._decode: _Base64 | None = None
        self._beyond = 0
        self._state: Callable[[list[Event]], bool] = self._preamble

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield what the next bytes of the package bring; an error comes in its place among it."""
        self._taken += len(chunk)
        if self._taken > self._caps.total:
            raise self._large("the package", self._caps.total, "bytes")
        self._buffer += chunk
        more = True
        while more:
            events: list[Event] = []
            more = self._state(events)
            yield from events

    def close(self) -> None:
        """Raise MalformedError when the package did not end where its bytes did."""
        if self._state != self._epilogue:
            raise self._bad("the package ends without its closing boundary")

    def _preamble(self, _events: list[Event]) -> bool:
        """Pass over what stands before the first boundary line."""
        at = self._buffer.find(self._token)
        while at > 0 and self._buffer[at - 1 : at] != b"\n":
            at = self._buffer.find(self._token, at + 1)
        if at < 0:
            if len(self._buffer) > limits.PACKAGE_PREAMBLE_BYTES:
                raise self._bad("no boundary at the beginning of the package")
            return False
        self._buffer = self._buffer[at + len(self._token) :]
        self._state = self._first_line
        return True

    def _first_line(self, _events: list[Event]) -> bool:
        """Learn from the first boundary line how lines end."""
        if self._buffer == b"-":
            return False
        at = self._buffer.find(b"\n", 0, _PADDING)
        line = self._buffer[: at + 1] if at >= 0 else self._buffer
        if line.strip(_BLANK):
            raise self._bad(
                "there is no part before the closing boundary"
                if line.startswith(b"--")
                else "the first line that begins as the boundary goes on otherwise"
            )
        if at < 0:
            return self._wait()
        self._line_end = b"\r\n" if line.endswith(b"\r\n") else b"\n"
        self._delimiter = self._line_end + self._token
        self._buffer = self._buffer[at + 1 :]
        self._state = self._headers
        return True

    def _headers(self, events: list[Event]) -> bool:
        """Read the headers of a part. Their last line end may be the boundary's already."""
        end = self._line_end
        if self._buffer.startswith(end):
            at = 0
        else:
            at = self._buffer.find(end + end)
            if at > limits.PART_HEADER_BYTES or (
                at < 0 and len(self._buffer) > limits.PART_HEADER_BYTES + len(end)
            ):
                raise self._large("the headers of the next part", limits.PART_HEADER_BYTES, "bytes")
            if at < 0:
                return False
        self._place += 1
        if self._place > self._caps.parts:
            raise self._large("the package", self._caps.parts, "parts")
        headers = self._fields(self._buffer[:at])
        self._decode = self._decoder(headers.get("content-transfer-encoding", ""))
        self._buffer = self._buffer[at + len(end) if at else 0 :]
        self._skip, self._size, self._decoded = len(end), 0, 0
        events.append(Head(self._place, MappingProxyType(headers)))
        self._state = self._body
        return True

    def _body(self, events: list[Event]) -> bool:
        """Give on what cannot be the beginning of a boundary line."""
        at = self._buffer.find(self._delimiter)
        upto = at if at >= 0 else len(self._buffer) - len(self._delimiter) + 1
        if upto > self._skip:
            self._give(self._buffer[self._skip : upto], events)
            if at < 0:
                self._buffer, self._skip = self._buffer[upto:], 0
        if at < 0:
            return False
        self._buffer = self._buffer[at + len(self._delimiter) :]
        if self._decode is not None and not self._decode.whole:
            raise self._bad("the base64 of the part ends too early")
        events.append(End(self._decoded))
        self._state = self._after
        return True

    def _after(self, _events: list[Event]) -> bool:
        """Read the rest of a boundary line: the next part, or the end."""
        if self._buffer.startswith(b"--"):
            self._buffer = self._buffer[2:]
            self._state = self._epilogue
            return True
        if self._buffer == b"-":
            return False
        at = self._buffer.find(b"\n", 0, _PADDING)
        line = self._buffer[: at + 1] if at >= 0 else self._buffer
        if line.strip(_BLANK) or (at >= 0 and line.lstrip(b" \t") != self._line_end):
            raise self._bad("a line begins as the boundary and goes on otherwise")
        if at < 0:
            return self._wait()
        self._buffer = self._buffer[at + 1 :]
        self._state = self._headers
        return True

    def _epilogue(self, _events: list[Event]) -> bool:
        self._beyond += len(self._buffer)
        if self._buffer.strip(_BLANK) or self._beyond > limits.PACKAGE_PREAMBLE_BYTES:
            raise self._bad("something follows the closing boundary")
        self._buffer = b""
        return False

    def _wait(self) -> bool:
        if len(self._buffer) > _PADDING:
            raise self._bad("the line of a boundary does not end")
        return False

    def _give(self, data: bytes, events: list[Event]) -> None:
        self._size += len(data)
        if self._size > self._caps.part:
            raise self._large("the part", self._caps.part, "bytes")
        if self._decode is not None:
            try:
                data = self._decode.feed(data)
            except Error as error:
                raise self._bad(f"the part is not base64: {error}") from error
        if data:
            self._decoded += len(data)
            events.append(Data(data))

    def _fields(self, head: bytes) -> dict[str, str]:
        """Return the header fields; a folded line belongs to the one before."""
        lines: list[bytes] = []
        for line in head.split(self._line_end) if head else ():
            if line[:1] in (b" ", b"\t") and lines:
                lines[-1] += b" " + line.strip()
            else:
                lines.append(line)
        if len(lines) > limits.PART_HEADERS:
            raise self._large("the part", limits.PART_HEADERS, "headers")
        fields: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(b":")
            if not (colon and _NAME.fullmatch(name.rstrip())) or _CONTROL.search(value):
                raise self._bad("a header of the part cannot be read")
            key = name.rstrip().decode("ascii").lower()
            if key in fields and key.startswith("content-"):
                raise self._bad(f"the part has two headers {key}")
            fields[key] = value.strip().decode("utf-8", "replace")
        return fields

    def _decoder(self, coding: str) -> _Base64 | None:
        coding = coding.partition(";")[0].strip().lower()
        if coding in _PLAIN:
            return None
        if coding == "base64":
            return _Base64()
        raise UnsupportedError(
            "this Content-Transfer-Encoding is not read here",
            found=coding,
            expected="binary, 8bit, 7bit or base64",
            where=self._where,
        )

    @property
    def _where(self) -> str:
        return f"part {self._place}" if self._place else "package"

    def _bad(self, message: str) -> MalformedError:
        return MalformedError(message, where=self._where)

    def _large(self, what: str, limit: int, unit: str) -> TooLargeError:
        return TooLargeError(
            f"{what} has too many {unit}",
            found=f"over {limit}",
            expected=f"at most {limit}",
            where=self._where,
        )


class _Base64:
    """Decodes base64 as it comes; blanks and line ends may stand anywhere."""

    def __init__(self) -> None:
        self._carried = b""
        self._ended = False

    @property
    def whole(self) -> bool:
        """Whether nothing of a group is outstanding."""
        return not self._carried

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of whole groups; raise binascii.Error."""
        text = self._carried + data.translate(None, _BLANK)
        if not text:
            return b""
        if self._ended:
            message = "something follows the padding"
            raise Error(message)
        upto = len(text) - len(text) % _GROUP
        text, self._carried = text[:upto], text[upto:]
        if b"=" in text:
            self._ended = True
            if self._carried:
                message = "something follows the padding"
                raise Error(message)
        return a2b_base64(text, strict_mode=True) if text else b""


def bare_id(content_id: str) -> str:
    """Return a Content-ID, or a parameter that names one, as `cid:` URLs are compared."""
    return unquote(content_id.strip().removeprefix("<").removesuffix(">"))


class Sent(NamedTuple):
    """A part that will be written after the root. sha256: hex of its bytes, which name it."""

    sha256: str
    media_type: str
    size: int

    @property
    def content_id(self) -> str:
        """Its Content-ID without brackets."""
        return f"{self.sha256}@gateway"


class Package(NamedTuple):
    """A package to be written: its headers and, in order, bytes to send and parts to stream."""

    content_type: str
    length: int
    pieces: tuple[bytes | Sent, ...]


def package(root: bytes, root_type: str, parts: Sequence[Sent]) -> Package:
    """Lay out an XOP package around an envelope (XOP 1.0, 4.1; MTOM 1.0, 3.2).

    root_type: Content-Type of the envelope by itself, as `text/xml; charset=utf-8`. The boundary
    comes from the content, so a repeat of the same answer is the same bytes, and nobody can put it
    into a file beforehand.
    """
    name, _, rest = root_type.partition(";")
    name, rest = name.strip(), rest.strip()
    told = sha256(root)
    for part in parts:
        told.update(part.sha256.encode())
    boundary = f"gateway-{told.hexdigest()[:32]}"
    start = f"<root.{told.hexdigest()[:16]}@gateway>"
    charset = f" {rest};" if rest else ""
    pieces: list[bytes | Sent] = [
        _head(boundary, f'application/xop+xml;{charset} type="{name}"', start) + root
    ]
    for part in parts:
        head = _head(boundary, _safe(part.media_type), f"<{part.content_id}>")
        pieces += [b"\r\n" + head, part]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    return Package(
        content_type=(
            f'multipart/related; type="application/xop+xml"; start="{start}"; '
            f'start-info="{name}"; boundary="{boundary}"'
        ),
        length=sum(piece.size if isinstance(piece, Sent) else len(piece) for piece in pieces),
        pieces=tuple(pieces),
    )


_MEDIA: Final = re.compile(r"[0-9A-Za-z!#$&^_.+-]{1,100}/[0-9A-Za-z!#$&^_.+-]{1,100}")


def _safe(media_type: str) -> str:
    """Return a media type that a stranger told, when it is one and nothing else."""
    return media_type if _MEDIA.fullmatch(media_type) else "application/octet-stream"


def _head(boundary: str, content_type: str, content_id: str) -> bytes:
    return (
        f"--{boundary}\r\nContent-Type: {content_type}\r\n"
        f"Content-Transfer-Encoding: binary\r\nContent-ID: {content_id}\r\n\r\n"
    ).encode()
