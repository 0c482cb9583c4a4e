"""Whether a delivery is a whole zip: its directory at the end, and the sums of its members."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from gateway import limits
from gateway.errors import MalformedError, TooLargeError

if TYPE_CHECKING:
    from pathlib import Path

AGAIN: Final = "скачайте заново: gateway fias download · fetch it again"
DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError,
    RuntimeError, OSError, ValueError, IndexError, OverflowError,
)  # fmt: skip
"""What reading an archive raises where its bytes were changed: as many kinds as it has places."""
_READ: Final = 1024 * 1024


def require_whole(path: Path, *, sums: bool) -> int:
    """Return how many members a delivery has; raise MalformedError when it is no whole zip.

    sums: unpack every member and compare its CRC-32; otherwise the directory is read and nothing
    else. Raises TooLargeError past `limits.FIAS_ZIP_MEMBERS`.
    """
    _require_small_tail(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > limits.FIAS_ZIP_MEMBERS:
                raise TooLargeError(
                    "слишком много файлов в поставке · too many files in the delivery",
                    found=str(len(members)),
                    expected=str(limits.FIAS_ZIP_MEMBERS),
                    where=path.name,
                    todo=AGAIN,
                )
            for member in members if sums else ():
                with archive.open(member) as file:
                    while file.read(_READ):
                        pass
    except DAMAGE as error:
        raise MalformedError(
            "поставка повреждена · the delivery is damaged",
            found=str(error),
            expected="a whole zip",
            where=path.name,
            todo=AGAIN,
        ) from error
    if not members:
        raise MalformedError("поставка пуста · the delivery is empty", where=path.name, todo=AGAIN)
    return len(members)


def _require_small_tail(path: Path) -> None:
    """Refuse a directory too large to be read in memory (APPNOTE 4.3.14, 4.3.16).

    Past 4 GB a record of zip64 before the end says the size.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise MalformedError(
            "это не zip или он оборван · this is no zip, or it is cut short",
            found=f"{size} bytes",
            where=path.name,
            todo=AGAIN,
        )
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    large = tail.rfind(b"PK\x06\x06", 0, at)
    if length == 0xFFFF_FFFF and large >= 0:
        length = int.from_bytes(tail[large + 40 : large + 48], "little")
    if length > limits.FIAS_ZIP_TAIL_BYTES:
        raise TooLargeError(
            "оглавление поставки слишком велико · the delivery's directory is too large",
            found=f"{length} bytes",
            expected=f"{limits.FIAS_ZIP_TAIL_BYTES} bytes",
            where=path.name,
            todo=AGAIN,
        )
