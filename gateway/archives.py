"""Zip archives of strangers: opened within limits, before `zipfile` makes an object of each entry.

What a member may be, how much of it is read and where its fault is told is its reader's own matter.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Final

from gateway import limits
from gateway.errors import MalformedError, TooLargeError, UnsupportedError

MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError,
    NotImplementedError, OverflowError, struct.error,
)  # fmt: skip
"""What `zipfile` raises for bytes that are no archive, or no whole member of one."""
_END: Final = struct.Struct("<12xIIH")
"""End of a zip's directory: its size and place, the length of a comment (APPNOTE 4.3.16)."""
_LONG: Final = b"PK\x06\x07"
_LONG_AT: Final = 76
"""In the long form (zip64) a second record of 56 bytes and this mark of 20 stand before the end."""
_SIZE: Final = struct.Struct("<Q")
_COMMENT_BYTES: Final = 65_535
_UTF8_NAMES: Final = 0x800
_ENCRYPTED: Final = 0x1


def opened(body: bytes, where: str = "") -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """Return an archive and its entries, folders too.

    where: name of the archive, for errors. Raises MalformedError when it is no zip, TooLargeError
    past the size of its directory or the count of its members.
    """
    _refuse_large_directory(body, where)
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
        infos = archive.infolist()
    except BROKEN as error:
        raise MalformedError("not a zip archive", found=str(error), where=where) from error
    if len(infos) > limits.ZIP_MEMBERS:
        raise TooLargeError(
            "too many members in the archive",
            found=str(len(infos)),
            expected=str(limits.ZIP_MEMBERS),
            where=where,
        )
    return archive, infos


def member_name(info: zipfile.ZipInfo) -> str:
    """Return the name as its writer meant it, with slashes.

    Zip tools here write CP866 where the format says CP437.
    """
    name = info.orig_filename
    if not info.flag_bits & _UTF8_NAMES:
        try:
            name = name.encode("cp437").decode("cp866")
        except UnicodeError:
            name = info.orig_filename
    return name.replace("\\", "/")


def refuse_packing(info: zipfile.ZipInfo, where: str) -> None:
    """Raise UnsupportedError for a member that is encrypted or packed in a way that is not read."""
    if info.flag_bits & _ENCRYPTED:
        raise UnsupportedError("a member of the archive is encrypted", where=where)
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise UnsupportedError(
            "this way of packing is not read", found=str(info.compress_type), where=where
        )


def _refuse_large_directory(body: bytes, where: str) -> None:
    """Look at the size of the directory where `zipfile` looks it up.

    A megabyte of it holds 20,000 names without files.
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
            "the directory of the archive is too large",
            found=f"{max(sizes)} bytes",
            expected=f"{limits.ZIP_MEMBERS} members, {limits.ZIP_DIRECTORY_BYTES} bytes",
            where=where,
        )
