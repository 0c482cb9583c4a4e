"""Files of keys, certificates and lists: read as PEM or DER, and again when they change."""

from __future__ import annotations

import binascii
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE_BYTES: Final = 256 * 1024 * 1024
"""Largest file; a revocation list of a large authority is tens of megabytes."""
_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)


class Stamp(NamedTuple):
    """What tells that a file is another one than before; all zeroes when it is not there."""

    modified: int = 0
    size: int = 0
    inode: int = 0


class Watched:
    """Files that are looked at often: by a few microseconds each."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Keep the paths; an empty one is no file."""
        self._paths = tuple(Path(path) for path in paths if path)

    def stamps(self) -> tuple[Stamp, ...]:
        """Return the stamp of every file as it is now."""
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return Stamp()
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def content(path: str, setting: str) -> bytes:
    """Return what a file holds; raise ConfigurationError that names the setting."""
    try:
        place = Path(path)
        if place.stat().st_size > FILE_BYTES:
            raise ConfigurationError(
                "файл слишком велик · the file is too large", where=setting, found=path
            )
        return place.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"файл не читается · the file cannot be read: {error.strerror}",
            where=setting,
            found=path,
        ) from error


def ders(path: str, setting: str, label: bytes) -> list[bytes]:
    """Return the values of a file, one of DER or all of PEM with this label; at least one."""
    held = content(path, setting)
    if b"-----BEGIN" not in held:
        return [held]
    found = blocks(held, label)
    if not found:
        raise ConfigurationError(
            "в файле нет того, что ожидается · the file does not hold what it should",
            where=setting,
            found=path,
            expected=f"PEM ({label.decode()}) or DER",
        )
    return found


def blocks(held: bytes, label: bytes) -> list[bytes]:
    """Return the values of PEM (RFC 7468) with a label; none when one of them is not base64."""
    try:
        return [binascii.a2b_base64(block) for name, block in _BLOCK.findall(held) if name == label]
    except binascii.Error:
        return []
