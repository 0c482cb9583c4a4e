"""Attachments and large bodies: small ones in PostgreSQL, large ones in one shared directory.

The directory is addressed by content: `ab/cd/abcd…`, the hex SHA-256 of the bytes. A file is
durable before any row names it: temporary file, fsync, link, fsync of the directory. A file that is
there already is fsynced and touched before it is used again, so that the collector, which spares
what is younger than a day, cannot take it away meanwhile (docs/adr/0013).
"""

from __future__ import annotations

import errno
import os
import secrets
from hashlib import sha256
from typing import IO, TYPE_CHECKING, Any, Final

import psycopg
import structlog

from gateway.errors import BusyError, InternalError, NotFoundError, TooLargeError
from gateway.limits import BODY_IN_ROW_BYTES, MB

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

log = structlog.get_logger(__name__)

COPY_BYTES: Final = MB


class BlobDirectory:
    """The content-addressed directory that all nodes share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """The directory itself."""
        return self._root

    def path(self, digest: bytes) -> Path:
        """Where the bytes with this SHA-256 lie."""
        name = digest.hex()
        return self._root / name[:2] / name[2:4] / name

    def put(self, data: bytes) -> bytes:
        """Store bytes durably and return their SHA-256; a repeat costs one fsync.

        Raises BusyError when the directory has no room or cannot be written: nothing is left
        behind, and the peer may come again.
        """
        try:
            return self._put(data)
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, type(error).__name__)
            log.warning("blobs.not_written", reason=reason, bytes=len(data))
            raise BusyError(
                "there is no room for large messages now", retry_after=30, where=reason
            ) from error

    def _put(self, data: bytes) -> bytes:
        digest = sha256(data).digest()
        target = self.path(digest)
        if target.exists():
            _sync(target)
            os.utime(target)
            return digest
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f".{target.name}.{secrets.token_hex(6)}"
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        self._link(temporary, target)
        return digest

    def put_stream(self, source: IO[bytes], limit: int) -> bytes:
        """Store what a stream holds, however large, and return its SHA-256.

        Raise TooLargeError past `limit` bytes; nothing is left behind then.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        temporary = self._root / f".incoming.{secrets.token_hex(8)}"
        digest, size = sha256(), 0
        try:
            with temporary.open("xb") as file:
                while block := source.read(COPY_BYTES):
                    size += len(block)
                    if size > limit:
                        raise TooLargeError("the file is too large", expected=f"{limit} bytes")
                    digest.update(block)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        target = self.path(digest.digest())
        target.parent.mkdir(parents=True, exist_ok=True)
        self._link(temporary, target)
        return digest.digest()

    def _link(self, temporary: Path, target: Path) -> None:
        """Give durable bytes their name; whoever comes second keeps the first one's file."""
        try:
            os.link(temporary, target)
        except FileExistsError:
            _sync(target)
            os.utime(target)
        finally:
            temporary.unlink()
        for folder in (target.parent, target.parent.parent, self._root):
            _sync(folder)

    def get(self, digest: bytes) -> bytes:
        """Return the bytes; raise NotFoundError when they are gone, InternalError when changed."""
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(
                "the bytes of this attachment are not in the blob directory", found=digest.hex()
            ) from error
        if sha256(data).digest() != digest:
            raise InternalError(
                "a file of the blob directory was changed", where=str(self.path(digest))
            )
        return data


def read(connection: Connection[Any], directory: BlobDirectory, digest: bytes) -> bytes:
    """Return an attachment's bytes from the row or the directory."""
    cursor = psycopg.RawCursor(connection)
    row = cursor.execute("SELECT bytes FROM blob WHERE sha256 = $1", (digest,)).fetchone()
    if row is None:
        raise NotFoundError("no attachment with this digest", found=digest.hex())
    return row[0] if row[0] is not None else directory.get(digest)


def fits_row(data: bytes) -> bool:
    """Whether bytes are small enough to live in PostgreSQL."""
    return len(data) <= BODY_IN_ROW_BYTES


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
