"""Files for a partner who fetches them from a directory (a share, an SFTP root).

Layout below the directory: `<name>` is complete the moment it appears; `.pending/` holds what is
being written, `.sent/` an empty mark for every key that appeared. The partner may move or delete
its files; the marks say what was handed over, so that nothing appears twice.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.adapter import Health, Receipt
from gateway.errors import PeerDoubtful, PeerRefused, PeerUnavailable, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.adapter import RemoteState, Window, Wire

_NAME: Final = re.compile(r"[^\w.\-]+")
_EXTENSIONS: Final = {
    "application/json": "json",
    "application/cloudevents+json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/csv": "csv",
    "application/zip": "zip",
}


class FileChannel:
    """Puts each wire into a file of its own; the delivery's id is part of the name."""

    def __init__(self, directory: Path, *, peer: str) -> None:
        self._directory = directory
        self._pending = directory / ".pending"
        self._sent = directory / ".sent"
        self._peer = peer

    def deliver(self, wire: Wire, key: str) -> Receipt:
        """Write, fsync, then let the name appear; a key that appeared before does not again.

        Raises PeerUnavailable when the directory cannot be written: nothing has appeared.
        Raises PeerRefused when the name is taken by other content.
        """
        name = file_name(wire, key)
        if (self._sent / key).exists():
            return Receipt(final=True, reference=name)
        appeared = False
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            _folder(self._pending)
            _folder(self._sent)
            _write(self._pending / key, wire.body)
            _sync(self._pending)
            self._link(key, name, wire.body)
            appeared = True
            self._mark(key)
        except OSError as error:
            if appeared:
                raise PeerDoubtful(
                    f"the file appeared and its mark could not be written: {error.strerror}",
                    where=self._peer,
                ) from error
            raise PeerUnavailable(
                f"the directory cannot be written: {error.strerror}",
                where=self._peer,
                todo="check that it is there, has room and belongs to the gateway",
            ) from error
        return Receipt(final=True, reference=name)

    def settle(self, wire: Wire, key: str) -> Receipt | None:
        """Say whether the file of a key appeared.

        Raises PeerDoubtful in the one case nobody can tell: a crash between the file and its mark,
        and a partner who has deleted the file since.
        """
        name = file_name(wire, key)
        pending, shown = self._pending / key, self._directory / name
        try:
            if (self._sent / key).exists():
                return Receipt(final=True, reference=name)
            if shown.exists() or (pending.exists() and pending.stat().st_nlink > 1):
                self._mark(key)
                return Receipt(final=True, reference=name)
            if pending.exists():
                raise PeerDoubtful(
                    "the file was ready and its mark is missing: it may have been taken already",
                    where=self._peer,
                    todo="ask the partner, then confirm or replay",
                )
            if not self._directory.is_dir():
                raise PeerUnavailable("the directory is not there", where=self._peer)
        except OSError as error:
            raise PeerUnavailable(
                f"the directory cannot be read: {error.strerror}", where=self._peer
            ) from error
        return None

    def reconcile(self, window: Window) -> Iterator[RemoteState]:
        """Raise UnsupportedError: a directory tells nothing of what the partner holds."""
        raise UnsupportedError(
            "a directory keeps no register", where=self._peer, found=window.start.isoformat()
        )

    def probe(self) -> Health:
        """Say whether the directory is there and can be written."""
        begun = time.monotonic()
        ok = self._directory.is_dir() and os.access(self._directory, os.W_OK | os.X_OK)
        return Health(
            ok=ok,
            seconds=time.monotonic() - begun,
            detail=str(self._directory),
            todo="" if ok else "make the directory, writable by the gateway",
        )

    def _link(self, key: str, name: str, body: bytes) -> None:
        """Let the complete file appear under its name, in one step, on disk."""
        shown = self._directory / name
        try:
            os.link(self._pending / key, shown, follow_symlinks=False)
        except FileExistsError as error:
            if not _holds(shown, body):
                raise PeerRefused(
                    "the name is taken by other content", found=name, where=self._peer
                ) from error
        _sync(self._directory)

    def _mark(self, key: str) -> None:
        flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        mark = os.open(self._sent / key, flags, 0o644)
        os.close(mark)
        _sync(self._sent)
        with contextlib.suppress(FileNotFoundError):
            (self._pending / key).unlink()


def file_name(wire: Wire, key: str) -> str:
    """Return the name: the codec's with the key before its extension, or the key alone."""
    media_type = wire.media_type.partition(";")[0].strip()
    given = _NAME.sub("_", Path(wire.name).name)[-120:].lstrip(".")
    stem, dot, extension = given.rpartition(".")
    if not dot:
        stem, extension = given, _EXTENSIONS.get(media_type, "bin")
    return f"{stem}-{key}.{extension}" if stem else f"{key}.{extension}"


def _folder(path: Path) -> None:
    """Make a folder of ours; a link that the partner planted leads where he must not write."""
    path.mkdir(exist_ok=True)
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path.name} is a link")


def _write(path: Path, body: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # left by a crash; it may be linked to what the partner reads
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o644)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(body)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _holds(path: Path, body: bytes) -> bool:
    """Whether a plain file holds exactly this; the partner may have put anything there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size != len(body):
            return False
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(len(body) + 1) == body
    finally:
        os.close(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
