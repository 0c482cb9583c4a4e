"""Zip packages of documents: read with every limit held, written in parts below the node's size.

One `{GUID}.json` an appeal, no manifest, no signature (README, sources). Whether 50,000,000 bytes
is the official size of a part is not known: it is a setting, and checked before adding, so that a
part never exceeds it.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Final

from adapters.sstu.bounds import PART_BYTES
from gateway import limits
from gateway.adapter import Wire
from gateway.archives import BROKEN, MAGIC, member_name, opened, refuse_packing
from gateway.errors import (
    MalformedError,
    TooLargeError,
    UnsupportedError,
    ValidationError,
    Violation,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

MEDIA_TYPE: Final = "application/zip"
_ENTRY: Final = 30 + 46
"""Bytes of a local and a central header, without the name, which stands in both."""
_CLOSING: Final = 22
_CHUNK: Final = 256 * limits.KB


class Member:
    """One file of a package, read when asked, within what is left of the package's allowance."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, left: list[int]) -> None:
        self._archive = archive
        self._info = info
        self._left = left
        self.name = member_name(info)[: limits.ID_CHARS * 2]

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
        except BROKEN as e:
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
        if name.startswith("/") or ".." in parts or ":" in name or "\x00" in info.orig_filename:
            raise MalformedError("a member's name leads out of the package", where=name)
        if not name.lower().endswith(".json"):
            raise UnsupportedError("not a document", found=name, expected="*.json", where=name)
        refuse_packing(info, name)


def read(body: bytes) -> Iterator[Member]:
    """The members of a package in its order, without folders.

    Raises MalformedError when it is no zip, TooLargeError past the count of members.
    """
    archive, infos = opened(body)
    left = [limits.ZIP_TOTAL_BYTES]
    # ZipInfo.is_dir fails on an empty name, and such a member must be named as refused
    return (Member(archive, info, left) for info in infos if not info.filename.endswith("/"))


def write(
    documents: Iterable[Wire],
    *,
    now: datetime,
    stem: str = "sstu",
    part_bytes: int = PART_BYTES,
    part_documents: int = 0,
) -> Iterator[Wire]:
    """Return packages `<stem>001.zip`, `002`, …, none larger than `part_bytes`.

    documents: as `encode` makes them, their `name` becomes the member's. now: local time of the
    body, written as the members' time. part_documents: of one part, 0 for any number. Raises
    ValidationError when one document alone is too large, or two have one name. Nothing comes out
    for no documents. One part is in memory at a time; `export` writes them to disk.
    """
    count = 1
    buffer = io.BytesIO()
    part = Part(buffer, now, part_bytes, part_documents)
    for wire in documents:
        refuse_larger(wire, part_bytes)
        if not part.fits(wire):
            part.close()
            yield Wire(media_type=MEDIA_TYPE, body=buffer.getvalue(), name=part_name(stem, count))
            count += 1
            buffer = io.BytesIO()
            part = Part(buffer, now, part_bytes, part_documents)
        part.add(wire)
    if not part.empty:
        part.close()
        yield Wire(media_type=MEDIA_TYPE, body=buffer.getvalue(), name=part_name(stem, count))


def part_name(stem: str, number: int) -> str:
    """The file name of a part, numbered from 1."""
    return f"{stem}{number:03}.zip"


class Part:
    """One package being written into a file that can be sought.

    now: local time of the members. limit: bytes. documents: at most so many, 0 for any number.
    """

    def __init__(self, target: IO[bytes], now: datetime, limit: int, documents: int = 0) -> None:
        self._limit = limit
        self._documents = documents
        self._time = now.timetuple()[:6]
        self._target = target
        self._archive = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)
        self._names: set[str] = set()
        self._central = _CLOSING

    @property
    def empty(self) -> bool:
        """Whether nothing was added."""
        return not self._names

    def fits(self, wire: Wire) -> bool:
        """Whether the document can be added; packs it for the answer only near the limit."""
        if self._documents and len(self._names) >= self._documents:
            return False
        return _fits(wire, self._limit - self._target.tell() - self._central)

    def add(self, wire: Wire) -> None:
        """Add a document that fits; raise ValidationError when its name is there."""
        refuse_second(wire, self._names)
        info = zipfile.ZipInfo(wire.name, self._time)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        self._archive.writestr(info, wire.body)
        self._names.add(wire.name)
        self._central += 46 + len(wire.name.encode())

    def close(self) -> None:
        """Write the directory; the file stays open."""
        self._archive.close()


def refuse_second(wire: Wire, names: Collection[str]) -> None:
    """Raise ValidationError when a document of this name is there."""
    if wire.name in names:
        message = "two documents of one name in a package"
        raise ValidationError(message, (Violation("name", "unique", message, wire.name),))


def refuse_larger(wire: Wire, limit: int) -> None:
    """Raise ValidationError for a document that no part can hold."""
    if not _fits(wire, limit - _CLOSING):
        message = "one document alone is larger than a package may be"
        found = f"{wire.name}: {len(wire.body)}"
        raise ValidationError(message, (Violation("", "size", message, found, str(limit)),))


def _fits(wire: Wire, room: int) -> bool:
    """Whether a document takes so many bytes at most; packs it only near the limit."""
    room -= _ENTRY + 2 * len(wire.name.encode())
    worst = len(wire.body) + len(wire.body) // 1000 + 64
    return worst <= room or len(zlib.compress(wire.body)) <= room
