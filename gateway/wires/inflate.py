"""Content-Encoding of requests: gzip and deflate, unpacked under the limit of what comes plain.

Sans IO. The limit holds for what comes out, so that a small request cannot become a large one. What
may become large, a package, may not come of nearly nothing either: files of text pack to a tenth,
zeros to a thousandth, and only those who mean to fill a disk send them.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from gateway.errors import MalformedError, TooLargeError, UnsupportedError
from gateway.limits import KB, MB, ZIP_RATIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PIECE_BYTES: Final = 64 * KB
"""What is unpacked at once, and on the event loop in one turn; a small call takes some ten."""
FREE_BYTES: Final = 10 * MB
"""So much may come out of however little; past it `ZIP_RATIO` holds."""
SILENT_BYTES: Final = 64 * KB
"""Packed bytes that bring nothing out: a header with a name without an end, blocks without data."""
OFFERED: Final = "gzip, deflate or identity"
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB_METHOD: Final = 8


class Inflater:
    """Unpacks one body. limit: bytes it may have when unpacked."""

    def __init__(self, encoding: str, limit: int) -> None:
        self._gzip = encoding == "gzip"
        self._room = limit
        self._limit = limit
        self._taken = 0
        self._silent = 0
        self._unpack = zlib.decompressobj(_GZIP) if self._gzip else None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to, never much at once.

        Raise MalformedError or TooLargeError.
        """
        while chunk:
            data = self._next(chunk, PIECE_BYTES)
            yield data
            chunk = self._unpack.unconsumed_tail if self._unpack is not None else b""
            while not chunk and len(data) == PIECE_BYTES:  # more may have been unpacked already
                data = self._next(b"", PIECE_BYTES)
                yield data

    def _next(self, chunk: bytes, most: int) -> bytes:
        if self._unpack is None:
            self._unpack = zlib.decompressobj(_deflate_form(chunk))
        try:
            data = self._unpack.decompress(chunk, most)
        except zlib.error as error:
            raise MalformedError("the body is not packed as it says", found=str(error)) from error
        self._count(len(chunk) - len(self._unpack.unconsumed_tail), len(data))
        if self._room < 0:
            raise TooLargeError(
                "the body is too large when it is unpacked", expected=f"at most {self._limit} bytes"
            )
        if self._unpack.unused_data:
            raise MalformedError("something follows the packed body")
        return data

    def _count(self, taken: int, given: int) -> None:
        """Count what went in and came out; raise MalformedError or TooLargeError."""
        self._taken += taken
        self._silent = 0 if given else self._silent + taken
        if self._silent > SILENT_BYTES:
            raise MalformedError(
                "the packed body goes on, and nothing comes out of it",
                expected=f"at most {SILENT_BYTES} bytes that unpack to none",
            )
        self._room -= given
        unpacked = self._limit - self._room
        if unpacked > FREE_BYTES and unpacked > ZIP_RATIO * self._taken:
            raise TooLargeError(
                "the body unpacks to far more than came",
                found=f"over {unpacked // self._taken} times as much",
                expected=f"at most {ZIP_RATIO} times, past {FREE_BYTES} bytes",
                todo="send it with less compression, or with none",
            )
        if self._taken > 2 * self._limit + SILENT_BYTES:
            raise TooLargeError(
                "the packed body is larger than what it may unpack to",
                expected=f"at most {self._limit} bytes",
            )

    def close(self) -> None:
        """Raise MalformedError when the body ended too early."""
        if self._unpack is not None and not self._unpack.eof:
            raise MalformedError("the packed body ends too early")


def _deflate_form(chunk: bytes) -> int:
    """Return the window bits: `deflate` means zlib (RFC 9110), old clients send it bare."""
    return zlib.MAX_WBITS if chunk[0] & 15 == _ZLIB_METHOD else -zlib.MAX_WBITS


def _in_one(chunk: bytes) -> Iterable[bytes]:
    return (chunk,)


def _nothing() -> None:
    return None


def in_pieces(
    content_encoding: str, limit: int
) -> tuple[Callable[[bytes], Iterable[bytes]], Callable[[], None]]:
    """Return `pieces` and `close` for a Content-Encoding; raise UnsupportedError for any other."""
    made = _inflater(content_encoding, limit)
    return (made.pieces, made.close) if made is not None else (_in_one, _nothing)


def _inflater(content_encoding: str, limit: int) -> Inflater | None:
    encoding = content_encoding.strip().lower().removeprefix("x-")
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "deflate"):
        return Inflater(encoding, limit)
    raise UnsupportedError(
        "this Content-Encoding is not read here", found=content_encoding, expected=OFFERED
    )
