"""A dropped file as it was when we took it: the copy that is stored is the copy that is read.

A partner's program may hold the file open and go on writing after we renamed it. So its bytes are
copied into the store first, the rows are read from the copy, and the original is looked at again:
when it has changed meanwhile, it is given back and read anew once it stands still.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from typing import IO, TYPE_CHECKING, Final, Self

from gateway.limits import BODY_IN_ROW_BYTES
from import_export.reasons import unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.store.blobs import BlobDirectory

_READ: Final = 1024 * 1024
_MARKER_BYTES: Final = 1024
_NOT_PLAIN: Final = (errno.ELOOP, errno.ENXIO)
"""What opening a link, or a socket, without following or waiting says."""
_UTF16: Final = (b"\xff\xfe<", b"\xfe\xff\0<", b"<\0", b"\0<")


class Snapshot:
    """The bytes of a file, open for reading; small ones in memory, large ones in the blob store.

    body: the bytes when they fit into a message row; blob: otherwise their SHA-256.
    """

    def __init__(
        self, file: IO[bytes], status: os.stat_result, *, body: bytes | None, blob: bytes | None
    ) -> None:
        self.file = file
        self.body = body
        self.blob = blob
        self.size = status.st_size
        self._mtime = status.st_mtime_ns
        file.seek(0)
        self.start = file.read(64)
        file.seek(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    @property
    def sha256(self) -> bytes:
        """Digest of the bytes."""
        return self.blob or hashlib.sha256(self.body or b"").digest()

    def changed(self, path: Path) -> bool:
        """Whether the original is no longer what was copied."""
        status = path.lstat()
        return (status.st_size, status.st_mtime_ns) != (self.size, self._mtime)

    def check_marker(self, path: Path, kind: str) -> None:
        """Compare the checksum of a companion file; raise MalformedError when it differs.

        `.ok` says only that the file is whole, `.md5` and `.sha256` hold its digest in hex first.
        What the companion says is never told back: it may be a file that was no companion before.
        """
        if kind == ".ok":
            return
        told = _beginning(path).split()
        wanted = told[0].decode("ascii", "replace").lower() if told else ""
        if kind == ".sha256":
            found = self.sha256.hex()
        else:
            digest = hashlib.md5(usedforsecurity=False)
            while block := self.file.read(_READ):
                digest.update(block)
            self.file.seek(0)
            found = digest.hexdigest()
        if found != wanted:
            raise unreadable("digest", found, where=kind)


def take(path: Path, blobs: BlobDirectory, limit: int) -> Snapshot:
    """Copy a plain file; raise MalformedError for any other, TooLargeError past `limit` bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _NOT_PLAIN:
            raise unreadable("not_plain") from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise unreadable("not_plain")
    with os.fdopen(descriptor, "rb") as original:
        if status.st_size > limit:
            raise unreadable("file_large", f"{status.st_size} B", f"{limit} B")
        if status.st_size <= BODY_IN_ROW_BYTES:
            body = original.read(BODY_IN_ROW_BYTES + 1)
            if len(body) <= BODY_IN_ROW_BYTES:
                return Snapshot(io.BytesIO(body), status, body=body, blob=None)
            original.seek(0)
        digest = blobs.put_stream(original, limit)
    return Snapshot(blobs.path(digest).open("rb"), status, body=None, blob=digest)


def _beginning(path: Path) -> bytes:
    """Return the first bytes of a plain file; empty for what is none, or not there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.read(descriptor, _MARKER_BYTES) if plain else b""
    finally:
        os.close(descriptor)


def is_xml(name: str, start: bytes) -> bool:
    """Say whether a file is an XML bundle, by its content or, failing that, by its name."""
    head = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"<") or start.startswith(_UTF16) or name.lower().endswith(".xml")
