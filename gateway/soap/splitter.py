"""Takes an HTTP body apart, sans IO: the envelope, and what comes behind it in a package."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import limits
from gateway.adapter import Stored
from gateway.errors import (
    MalformedError,
    TooLargeError,
    UnsupportedError,
    ValidationError,
    Violation,
)
from gateway.soap import mime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.soap.xop import Form

SOAP11_MEDIA: Final = "text/xml"
SOAP12_MEDIA: Final = "application/soap+xml"
XOP_MEDIA: Final = "application/xop+xml"
_RELATED: Final = "multipart/related"
_PARAMETER: Final = re.compile(
    r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)'
)


class MediaType(NamedTuple):
    """A Content-Type, taken apart."""

    name: str
    """Lower case, without parameters."""
    parameters: Mapping[str, str]
    """Lower-case names, values without quotes."""

    @property
    def charset(self) -> str:
        """The charset, empty when there is none."""
        return self.parameters.get("charset", "")


@lru_cache(256)
def media_type(content_type: str) -> MediaType:
    """Take a Content-Type header apart; never fails, an unreadable one has an empty name."""
    content_type = content_type[:1000]
    name = content_type.partition(";")[0].strip().lower()
    parameters: dict[str, str] = {}
    for found in _PARAMETER.finditer(content_type):
        value = found[2]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        parameters.setdefault(found[1].lower(), value)
    return MediaType(name, MappingProxyType(parameters))


class Part(NamedTuple):
    """A part beside the root. data: its bytes when they are few, otherwise where they lie."""

    content_id: str
    media_type: str
    sha256: str
    data: bytes | Stored

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.data.size if isinstance(self.data, Stored) else len(self.data)


class Splitter:
    """Takes one HTTP body apart: collects the envelope under a limit, gives the rest on.

    content_type: of the request. root_limit: bytes of the envelope. caps: of a package. Raises
    UnsupportedError for a media type that is not SOAP before the first byte is taken.

    In a package the envelope comes first. RFC 2387 allows any order, every known client writes it
    so, and the sender of a file has to be known before the file is taken.
    """

    def __init__(
        self,
        content_type: str,
        root_limit: int = limits.SOAP_ROOT_BYTES,
        caps: mime.Caps = mime.DEFAULT,
    ) -> None:
        media = media_type(content_type)
        self._media = media
        self.packed: Final = media.name == _RELATED
        """Whether the envelope comes in a package."""
        self._limit = root_limit
        self._size = 0
        self._chunks: list[bytes] = []
        self._whole = False
        self._root_type = content_type
        self._form: Form | None = None
        self._reader: mime.Reader | None = None
        if self.packed:
            self._form = _form(media)
            self._reader = mime.Reader(media.parameters.get("boundary", ""), caps)
        elif media.name not in (SOAP11_MEDIA, SOAP12_MEDIA):
            raise UnsupportedError(
                "the media type is not SOAP",
                found=media.name or "no Content-Type",
                expected=f"{SOAP11_MEDIA} (SOAP 1.1), {SOAP12_MEDIA} (SOAP 1.2) or {_RELATED}",
            )

    @property
    def form(self) -> Form | None:
        """What the package is, once the envelope is known; None for an envelope by itself."""
        return self._form

    @property
    def content_type(self) -> str:
        """Content-Type of the envelope as it would be by itself; of a package, once `root` is."""
        return self._root_type

    @property
    def size(self) -> int:
        """How many bytes of the envelope have come."""
        return self._size

    @property
    def root(self) -> bytes | None:
        """The envelope, None while it is not whole; of one that came by itself, after `close`.

        A long one is put together when it is asked for, once: 10 MB take some milliseconds, in
        which other threads go on.
        """
        if not self._whole:
            return None
        if len(self._chunks) > 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0] if self._chunks else b""

    def feed(self, chunk: bytes) -> Iterable[mime.Event]:
        """Take the next bytes; of a package, yield the end of the envelope and what comes behind.

        Raise TooLargeError as soon as a limit is passed, MalformedError and UnsupportedError for a
        package that cannot be read.
        """
        if self._reader is not None:
            return self._take_apart(self._reader, chunk)
        self._collect(chunk)
        return ()

    def _take_apart(self, reader: mime.Reader, chunk: bytes) -> Iterator[mime.Event]:
        for event in reader.feed(chunk):
            if self._whole:
                yield event
            elif isinstance(event, mime.Head):
                self._root_type = self._of_root(event)
            elif isinstance(event, mime.Data):
                self._collect(event.data)
            else:
                self._whole = True
                yield event

    def close(self) -> None:
        """End; raise MalformedError when the package is not whole."""
        if self._reader is not None:
            self._reader.close()
        self._whole = True

    def _collect(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._limit:
            self._chunks.clear()
            raise TooLargeError(
                "the envelope is too large",
                found=f"over {self._limit} bytes",
                expected=f"at most {self._limit} bytes",
            )
        self._chunks.append(chunk)

    def _of_root(self, head: mime.Head) -> str:
        """Check that the first part is the envelope, and return its Content-Type by itself.

        The type of an XOP envelope stands in a parameter of its own type and again in that of the
        package, its action in one of four places (MTOM 1.0, 3.2; SOAP 1.2 media type, RFC 3902).
        """
        outer, own = self._media.parameters, media_type(head.content_type)
        start = mime.bare_id(outer.get("start", ""))
        if start and start != head.content_id:
            message = "the envelope must be the first part of the package"
            raise ValidationError(
                message,
                (Violation("part 1", "start", message, head.content_id, f"Content-ID {start}"),),
                todo="send the part that `start` names first",
            )
        if self._form is None:
            self._form = "xop" if own.name == XOP_MEDIA else "swa"
        told = [media_type(own.parameters.get("type", "")), media_type(outer.get("start-info", ""))]
        if self._form == "swa":
            told = [own, media_type(outer.get("type", ""))]
        elif own.name != XOP_MEDIA:
            raise _disagreement(own.name, XOP_MEDIA)
        names = [found.name for found in told if found.name] or [SOAP11_MEDIA]
        if len(set(names)) > 1 or names[0] not in (SOAP11_MEDIA, SOAP12_MEDIA):
            raise _disagreement(", ".join(names), f"{SOAP11_MEDIA} or {SOAP12_MEDIA}")
        actions = {
            found.parameters["action"]
            for found in (self._media, own, *told)
            if found.parameters.get("action")
        }
        if len(actions) > 1:
            raise _disagreement(", ".join(sorted(actions)), "one action")
        parameters = {"charset": own.charset, "action": "".join(actions)}
        return names[0] + "".join(
            f"; {name}={_quoted(value)}" for name, value in parameters.items() if value
        )


def _form(media: MediaType) -> Form | None:
    """Return what a package says it is, None when it leaves that to its first part."""
    name = media_type(media.parameters.get("type", "")).name
    if name in ("", XOP_MEDIA):
        return "xop" if name else None
    if name in (SOAP11_MEDIA, SOAP12_MEDIA):
        return "swa"
    raise UnsupportedError(
        "the package is neither MTOM nor SOAP with Attachments",
        found=name,
        expected=f"{XOP_MEDIA}, {SOAP11_MEDIA} or {SOAP12_MEDIA}",
        where="Content-Type",
    )


def _disagreement(found: str, expected: str) -> MalformedError:
    return MalformedError(
        "the headers of the package and of its envelope disagree",
        found=found,
        expected=expected,
        where="part 1",
    )


def _quoted(value: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
