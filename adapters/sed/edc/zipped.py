"""The zip of a container: read with every limit held, written so that equal files give equal bytes.

A container is flat and holds no other packages. Office documents are packages by their make (OPC,
ODF); they are let through unopened.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from gateway import limits
from gateway.archives import BROKEN, MAGIC, member_name, opened, refuse_packing
from gateway.errors import GatewayError, MalformedError, TooLargeError, UnsupportedError, Violation
from gateway.model.filenames import flaw

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL: Final = struct.Struct("<26xHH")
"""A local header: the lengths of the name and of the extra field behind it (APPNOTE 4.3.7)."""
_SMALL: Final = 64 * limits.KB
"""So little may be packed as tight as it likes: a page of spaces is no bomb."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_OFFICE: Final = re.compile(
    rb"PK\x03\x04.{26}(?:\[Content_Types\]\.xml|mimetype|_rels/)", re.DOTALL
)


def read(body: bytes, name: str, wrong: list[Violation]) -> dict[str, bytes]:
    """Return the files of a container by name, in the order of its directory.

    name: of the zip itself, for errors. What is wrong with single members is noted in `wrong`.
    Raises MalformedError when it is no zip, TooLargeError past the count of members.
    """
    _, infos = opened(body, name)
    left = limits.ZIP_TOTAL_BYTES
    found: dict[str, bytes] = {}
    for info in infos:
        if info.filename.endswith("/") and not info.file_size:
            continue  # a folder by itself
        member = member_name(info)[: limits.ID_CHARS * 2]
        where = f"{name}/{member}"
        if member in found:
            wrong.append(
                Violation(where, "unique", "two files of one name in the container", member)
            )
            continue
        try:
            _refuse_unwanted(info, member, where)
            found[member] = _data(body, info, left, where)
        except GatewayError as e:
            wrong.append(Violation(where, e.code, e.message, e.found, e.expected))
            continue
        left -= len(found[member])
    return found


def write(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of the files, by name, none of them packed: PDF and PNG are packed already.

    Neither clock nor machine is in it, so that a repeated sending is the same bytes.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, files[name])
    return out.getvalue()


def is_office(data: bytes) -> bool:
    """Say whether a package is a document by its make."""
    return _OFFICE.match(data) is not None


def _data(body: bytes, info: zipfile.ZipInfo, left: int, where: str) -> bytes:
    """Unpack one file, no further than it may be large; what is counted is what comes out."""
    most = min(limits.ZIP_MEMBER_BYTES, left)
    most = min(most, max(info.compress_size * limits.ZIP_RATIO, _SMALL))
    try:
        packed = _packed(body, info)
        if info.compress_type == zipfile.ZIP_STORED:
            data = packed
        else:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most + 1)
        if len(data) > most:
            raise TooLargeError(
                "a file of the container is too large unpacked",
                expected=f"{most} bytes",
                where=where,
            )
        if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
            raise zipfile.BadZipFile("size or check sum differ")
    except BROKEN as e:
        raise MalformedError(
            "a file of the container cannot be unpacked", found=str(e), where=where
        ) from e
    if data.startswith(MAGIC) and not is_office(data):
        raise UnsupportedError("a package within the container", where=where)
    return data


def _packed(body: bytes, info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of one file as they lie in the zip: behind its local header."""
    at = info.header_offset
    if at < 0 or body[at : at + 4] != MAGIC[0]:
        raise zipfile.BadZipFile("no local header")
    name, extra = _LOCAL.unpack_from(body, at)
    start = at + _LOCAL.size + name + extra
    packed = body[start : start + info.compress_size]
    if len(packed) != info.compress_size:
        raise zipfile.BadZipFile("the file ends too early")
    return packed


def _refuse_unwanted(info: zipfile.ZipInfo, name: str, where: str) -> None:
    if why := flaw(name):
        raise MalformedError(
            f"the container is flat: {why}", found=name, expected="a plain file name", where=where
        )
    refuse_packing(info, where)
