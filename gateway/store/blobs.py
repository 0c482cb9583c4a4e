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
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

import psycopg
import structlog

from gateway.adapter import Stored
from gateway.errors import BusyError, InternalError, NotFoundError, TooLargeError
from gateway.limits import BODY_IN_ROW_BYTES, FREE_BYTES, MB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

log = structlog.get_logger(__name__)

COPY_BYTES: Final = MB
DURABLE_BYTES: Final = MB
"""After so many bytes a file is made durable as far as it goes: the fsync of 10 MB at once holds up
that of the database's log, and with it every commit, for 16 ms; in pieces for 2 ms (ext4)."""
_NO_UNNAMED: Final = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)
"""What file systems and kernels say that know no files without a name."""


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
            raise no_room(reason) from error

    def _put(self, data: bytes) -> bytes:
        digest = sha256(data).digest()
        target = self.path(digest)
        if target.exists():
            _renew(target)
            return digest
        with self.writing(digest) as file:
            file.write(data)
            return file.finish()

    def put_stream(self, source: IO[bytes], limit: int) -> bytes:
        """Store what a stream holds, however large, and return its SHA-256.

        Raise TooLargeError past `limit` bytes; nothing is left behind then.
        """
        with self.writing() as file:
            while block := source.read(COPY_BYTES):
                if file.size + len(block) > limit:
                    raise TooLargeError("the file is too large", expected=f"{limit} bytes")
                file.write(block)
            return file.finish()

    def writing(self, known: bytes = b"") -> Writing:
        """Begin a file whose bytes come one after the other; raise OSError. known: its SHA-256."""
        self._root.mkdir(parents=True, exist_ok=True)
        return Writing(self, known)

    def require_room(self, expected: int) -> None:
        """Raise BusyError when the directory would be short of space after so many more bytes."""
        self._root.mkdir(parents=True, exist_ok=True)
        found = os.statvfs(self._root)
        if found.f_bavail * found.f_frsize - expected < FREE_BYTES:
            log.warning("blobs.short_of_space", free=found.f_bavail * found.f_frsize)
            raise no_room("ENOSPC")

    def sync_folders(self, target: Path) -> None:
        """Make the name of a file as durable as its bytes."""
        for folder in (target.parent, target.parent.parent, self._root):
            _sync(folder)

    def blocks(self, digest: bytes) -> Iterator[bytes]:
        """Yield the bytes piece by piece; raise NotFoundError or InternalError as `get` does.

        The last piece is not given out before all of them were compared with the digest, so that
        nobody gets a changed file whole.
        """
        with self._open(digest) as file:
            told, held = sha256(), b""
            while block := file.read(COPY_BYTES):
                if held:
                    yield held
                told.update(block)
                held = block
        if told.digest() != digest:
            raise self._changed(digest)
        if held:
            yield held

    def get(self, digest: bytes) -> bytes:
        """Return the bytes; raise NotFoundError when they are gone, InternalError when changed."""
        with self._open(digest) as file:
            data = file.read()
        if sha256(data).digest() != digest:
            raise self._changed(digest)
        return data

    def _open(self, digest: bytes) -> IO[bytes]:
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError as error:
            raise NotFoundError(
                "the bytes of this attachment are not in the blob directory", found=digest.hex()
            ) from error

    def _changed(self, digest: bytes) -> InternalError:
        return InternalError(
            "a file of the blob directory was changed", where=str(self.path(digest))
        )


class Writing:
    """One file on its way into the directory, hashed as it is written.

    It has no name until `finish`: when its writer gives up, or dies, nothing of it is left. Where
    the file system knows no files without a name (NFS), it has a temporary one; `close` removes it,
    and the collector what a dead process left. Not thread-safe: one call after the other. `write`
    and `finish` block on the disk; they raise OSError. known: its SHA-256, empty when it is to
    be found out.
    """

    def __init__(self, directory: BlobDirectory, known: bytes = b"") -> None:
        self._directory = directory
        self._known = known
        self._digest = sha256()
        self.size = 0
        self._loose = 0
        self._temporary: Path | None = None
        self._file: IO[bytes] | None = None
        try:
            self._file = os.fdopen(_unnamed(directory.root), "wb", 0)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
            self._temporary = directory.root / f".incoming.{secrets.token_hex(8)}"
            self._file = self._temporary.open("xb", 0)

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        assert self._file is not None
        if not self._known:
            self._digest.update(data)
        self.size += len(data)
        view = memoryview(data)
        while view:
            written = self._file.write(view[: DURABLE_BYTES - self._loose])
            view = view[written:]
            self._loose += written
            if self._loose == DURABLE_BYTES:
                os.fdatasync(self._file.fileno())
                self._loose = 0

    def finish(self) -> bytes:
        """Make the file durable under its SHA-256, and return that."""
        assert self._file is not None
        digest = self._known or self._digest.digest()
        target = self._directory.path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if not target.exists():
                os.fsync(self._file.fileno())
                self._name(target)
            else:
                _renew(target)
        finally:
            self.close()
        self._directory.sync_folders(target)
        return digest

    def close(self) -> None:
        """Let go of what is not finished; once is enough, twice does no harm."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)
            self._temporary = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self.close()

    def _name(self, target: Path) -> None:
        """Link the file; whoever comes second keeps the first one's file."""
        assert self._file is not None
        source = self._temporary or Path(f"/proc/self/fd/{self._file.fileno()}")
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # With a directory given, Python asks for the file behind the link in /proc.
            os.link(source, target.name, dst_dir_fd=folder, follow_symlinks=True)
        except FileExistsError:
            _renew(target)
        finally:
            os.close(folder)


def no_room(reason: str) -> BusyError:
    """Return what a peer is told when the directory cannot take its bytes."""
    return BusyError("there is no room for large messages now", retry_after=30, where=reason)


def _unnamed(folder: Path) -> int:
    """Open a new file that has no name; raise OSError of `_NO_UNNAMED` where there are none."""
    if not Path("/proc/self/fd").is_dir():  # it could never be named
        raise OSError(errno.EOPNOTSUPP, "no /proc")
    return os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)


def read(connection: Connection[Any], directory: BlobDirectory, digest: bytes) -> bytes:
    """Return an attachment's bytes from the row or the directory."""
    cursor = psycopg.RawCursor(connection)
    row = cursor.execute("SELECT bytes FROM blob WHERE sha256 = $1", (digest,)).fetchone()
    if row is None:
        raise NotFoundError("no attachment with this digest", found=digest.hex())
    return row[0] if row[0] is not None else directory.get(digest)


def size(connection: Connection[Any], digest: bytes) -> int:
    """Return how long an attachment is; raise NotFoundError."""
    cursor = psycopg.RawCursor(connection)
    row = cursor.execute("SELECT size FROM blob WHERE sha256 = $1", (digest,)).fetchone()
    if row is None:
        raise NotFoundError("no attachment with this digest", found=digest.hex())
    return int(row[0])


def find(
    connection: Connection[Any], directory: BlobDirectory, digest: bytes, size: int
) -> bytes | Stored:
    """Return an attachment's bytes when they are in a row, otherwise where they lie."""
    cursor = psycopg.RawCursor(connection)
    row = cursor.execute("SELECT bytes FROM blob WHERE sha256 = $1", (digest,)).fetchone()
    if row is None or (row[0] is None and not directory.path(digest).is_file()):
        raise NotFoundError("no attachment with this digest", found=digest.hex())
    return bytes(row[0]) if row[0] is not None else Stored(sha256=digest.hex(), size=size)


def fits_row(data: bytes) -> bool:
    """Whether bytes are small enough to live in PostgreSQL."""
    return len(data) <= BODY_IN_ROW_BYTES


def _renew(target: Path) -> None:
    """Make a file that is there already durable, and young for the collector."""
    _sync(target)
    os.utime(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
