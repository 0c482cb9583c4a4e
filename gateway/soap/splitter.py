"""Takes an HTTP body apart, sans IO: feed it chunks, close it, get the root part and the others."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway import limits
from gateway.errors import TooLargeError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Mapping

SOAP11_MEDIA: Final = "text/xml"
SOAP12_MEDIA: Final = "application/soap+xml"
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
    """A part beside the root: its bytes lie in the blob store under their digest."""

    content_id: str
    media_type: str
    sha256: str
    size: int


class Parts(NamedTuple):
    """A body taken apart."""

    root: bytes
    """The envelope."""
    parts: Mapping[str, Part]
    """The other parts by Content-ID."""


class Splitter:
    """Collects one HTTP body under its limits.

    content_type: of the request. root_limit: bytes of the root part. Raises UnsupportedError for a
    media type that is not SOAP, or is a package of several parts, before the first byte is taken.
    """

    def __init__(self, content_type: str, root_limit: int = limits.SOAP_ROOT_BYTES) -> None:
        name = media_type(content_type).name
        if name == "multipart/related":
            raise UnsupportedError(
                "a package of several parts (MTOM, SwA) is not offered",
                found=name,
                expected=f"{SOAP11_MEDIA} or {SOAP12_MEDIA}",
                todo="send the envelope alone, attachments in it as base64, at most 5 MB each",
            )
        if name not in (SOAP11_MEDIA, SOAP12_MEDIA):
            raise UnsupportedError(
                "the media type is not SOAP",
                found=name or "no Content-Type",
                expected=f"{SOAP11_MEDIA} (SOAP 1.1) or {SOAP12_MEDIA} (SOAP 1.2)",
            )
        self._limit = root_limit
        self._size = 0
        self._chunks: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; raise TooLargeError as soon as the limit is passed."""
        self._size += len(chunk)
        if self._size > self._limit:
            self._chunks.clear()
            raise TooLargeError(
                "the envelope is too large",
                found=f"over {self._limit} bytes",
                expected=f"at most {self._limit} bytes",
            )
        self._chunks.append(chunk)

    def close(self) -> Parts:
        """Return the parts; nothing may be fed afterwards."""
        root = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        return Parts(root, MappingProxyType({}))
