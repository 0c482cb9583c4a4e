"""Zip packages of documents: read with every limit held, written in parts below the node's size.

One `{GUID}.json` an appeal, no manifest, no signature (README, sources). Whether 50,000,000 bytes
is the official size of a part is not known: it is a setting, and checked before adding, so that a
part never exceeds it.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from gateway import limits
from gateway.adapter import Wire
from gateway.errors import (
    GatewayError,
    MalformedError,
    TooLargeError,
    UnsupportedError,
    ValidationError,
    Violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
PART_BYTES: Final = 50_000_000
MEDIA_TYPE: Final = "application/zip"
_END: Final = struct.Struct("<12xIIH")
"""End of a zip's directory: its size and place, the length of a comment (APPNOTE 4.3.16)."""
_LONG: Final = b"PK\x06\x07"
_LONG_AT: Final = 76
"""In the long form (zip64) a second record of 56 bytes and this mark of 20 stand before the end."""
_SIZE: Final = struct.Struct("<Q")
_COMMENT_BYTES: Final = 65_535
_UTF8_NAMES: Final = 0x800
_ENCRYPTED: Final = 0x1
_CHUNK: Final = 256 * limits.KB
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError,
    NotImplementedError, OverflowError,
)  # fmt: skip


class Member:
    """One file of a package, read when asked, within what is left of the package's allowance."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: list[int]) -> None:
        self._archive = archive
        self._info = info
        self._left = left
        self.name = member_name(info)

    def data(self) -> bytes:
        """The bytes; raise MalformedError, TooLargeError or UnsupportedError naming the member."""
        self._refuse_unwanted()
        most = min(limits.ZIP_MEMBER_BYTES, self._left[0])
        most = min(most, max(self._info.compress_size, 1) * limits.ZIP_RATIO)
        out = bytearray()
        try:
            with self._archive.open(self._info) as stream:
                while chunk := stream.read(_CHUNK):
                    out += chunk
                    if len(out) > most:
                        raise TooLargeError(
                            "a member of the package is too large unpacked",
                            expected=f"{most} bytes",
                            where=self.name,
                        )
        except _BROKEN as e:
            raise MalformedError(
                "a member of the package cannot be unpacked", found=str(e), where=self.name
            ) from e
        finally:
            self._left[0] -= len(out)
        if out.startswith(MAGIC):
            raise UnsupportedError("a package within a package", where=self.name)
        return bytes(out)

    def _refuse_unwanted(self) -> None:
        info, name = self._info, self.name
        parts = name.split("/")
        if info.flag_bits & _ENCRYPTED:
            raise UnsupportedError("a member of the package is encrypted", where=name)
        if name.startswith("/") or ".." in parts or ":" in name or "\x00" in info.orig_filename:
            raise MalformedError("a member's name leads out of the package", where=name)
        if not name.lower().endswith(".json"):
            raise UnsupportedError("not a document", found=name, expected="*.json", where=name)
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise UnsupportedError(
                "this way of packing is not read", found=str(info.compress_type), where=name
            )


def read(body: bytes) -> Iterator[Member]:
    """The members of a package in its order, without folders.

    Raises MalformedError when it is no zip, TooLargeError past the count of members.
    """
    _refuse_large_directory(body)
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
        infos = archive.infolist()
    except _BROKEN as e:
        raise MalformedError("not a zip package", found=str(e)) from e
    if len(infos) > limits.ZIP_MEMBERS:
        raise TooLargeError(
            "too many members in the package",
            found=str(len(infos)),
            expected=str(limits.ZIP_MEMBERS),
        )
    left = [limits.ZIP_TOTAL_BYTES]
    # ZipInfo.is_dir fails on an empty name, and such a member must be named as refused
    return (Member(archive, info, left) for info in infos if not info.filename.endswith("/"))


def _refuse_large_directory(body: bytes) -> None:
    """Look at the size of the directory before zipfile makes an object of each of its entries.

    A megabyte of it holds 20,000 names without files. Looked up where zipfile looks it up.
    """
    at = len(body) - _END.size
    if body[at : at + 4] != MAGIC[1] or body[-2:] != b"\0\0":
        at = body.rfind(MAGIC[1], max(0, at - _COMMENT_BYTES))
    if not 0 <= at <= len(body) - _END.size:
        return  # zipfile says what is wrong
    sizes = [_END.unpack_from(body, at)[0]]
    if at >= _LONG_AT and body[at - 20 :][:4] == _LONG:
        sizes += _SIZE.unpack_from(body, at - _LONG_AT + 40)
    if max(sizes) > limits.ZIP_DIRECTORY_BYTES:
        raise TooLargeError(
            "the directory of the package is too large",
            found=f"{max(sizes)} bytes",
            expected=f"{limits.ZIP_MEMBERS} members, {limits.ZIP_DIRECTORY_BYTES} bytes",
        )


def member_name(info: zipfile.ZipInfo) -> str:
    """The name as its writer meant it: zip tools here write CP866 where the format says CP437."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_NAMES:
        try:
            name = name.encode("cp437").decode("cp866")
        except UnicodeError:
            name = info.orig_filename
    return name.replace("\\", "/")[: limits.ID_CHARS * 2]


def write(
    documents: Iterable[Wire], *, now: datetime, stem: str = "sstu", part_bytes: int = PART_BYTES
) -> Iterator[Wire]:
    """Return packages `<stem>001.zip`, `002`, …, none larger than `part_bytes`.

    documents: as `encode` makes them, their `name` becomes the member's. now: local time of the
    body, written as the members' time. Raises ValidationError when one document alone is too
    large, or two have one name. Nothing comes out for no documents.
    """
    part = _Part(now, part_bytes)
    count = 0
    for wire in documents:
        if not part.fits(wire):
            if part.empty:
                raise _too_large(wire, part_bytes)
            count += 1
            yield part.close(f"{stem}{count:03}.zip")
            part = _Part(now, part_bytes)
            if not part.fits(wire):
                raise _too_large(wire, part_bytes)
        part.add(wire)
    if not part.empty:
        yield part.close(f"{stem}{count + 1:03}.zip")


class _Part:
    """One package being written."""

    _ENTRY: Final = 30 + 46
    """Bytes of a local and a central header, without the name, which stands in both."""
    _END: Final = 22

    def __init__(self, now: datetime, limit: int) -> None:
        self._limit = limit
        self._time = now.timetuple()[:6]
        self._buffer = io.BytesIO()
        self._archive = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_DEFLATED)
        self._names: set[str] = set()
        self._central = self._END

    @property
    def empty(self) -> bool:
        return not self._names

    def fits(self, wire: Wire) -> bool:
        """Whether the document can be added; packs it for the answer only near the limit."""
        name = len(wire.name.encode())
        room = self._limit - self._buffer.tell() - self._central - self._ENTRY - 2 * name
        worst = len(wire.body) + len(wire.body) // 1000 + 64
        return worst <= room or len(zlib.compress(wire.body)) <= room

    def add(self, wire: Wire) -> None:
        if wire.name in self._names:
            message = "two documents of one name in a package"
            raise ValidationError(message, (Violation("name", "unique", message, wire.name),))
        info = zipfile.ZipInfo(wire.name, self._time)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        self._archive.writestr(info, wire.body)
        self._names.add(wire.name)
        self._central += 46 + len(wire.name.encode())

    def close(self, name: str) -> Wire:
        self._archive.close()
        return Wire(media_type=MEDIA_TYPE, body=self._buffer.getvalue(), name=name)


def _too_large(wire: Wire, limit: int) -> GatewayError:
    message = "one document alone is larger than a package may be"
    return ValidationError(
        message, (Violation("", "size", message, f"{wire.name}: {len(wire.body)}", str(limit)),)
    )
