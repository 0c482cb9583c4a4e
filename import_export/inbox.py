"""The directories of one inbox, and how a file is claimed so that exactly one watcher has it.

    in/     partners drop here           work/   claimed, one folder a file, named by its message id
    done/   something of it landed       error/  nothing of it landed
    out/    acknowledgements and error files, for the partner to take

One watcher at a time holds the lock of an inbox, so what lies in work/ when it begins was left
behind by one that died: the kernel frees the lock of a killed process. The claim itself is a rename
within one file system: it happens wholly or not at all.
"""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from gateway.model.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

NAMES: Final = ("in", "work", "done", "error", "out")
PARTIAL: Final = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", "~")
"""Endings that programs give to a file while they write it."""
MARKERS: Final = (".ok", ".md5", ".sha256")
_LOCK: Final = ".lock"
_TRIES: Final = ".tries"
_MARKER: Final = ".marker"
_NAME_BYTES: Final = 255


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A file that this process has: its message id, its folder below work/, its name."""

    id: UUID
    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self.folder / self.name

    @property
    def marker(self) -> Path:
        """Where its companion file lies, if it came with one."""
        return self.folder / _MARKER

    def begin_try(self) -> int:
        """Count one more try, durably, and return how many there were with it."""
        path = self.folder / _TRIES
        with _own(path) as file:
            count = os.fstat(file.fileno()).st_size + 1
            file.write(b".")
            file.flush()
            os.fsync(file.fileno())
        return count

    def forget_tries(self) -> None:
        """Forget the tries: it was not the file's fault."""
        (self.folder / _TRIES).unlink(missing_ok=True)

    def move(self, target: Path) -> Path:
        """Move the file out of work/, under a name that is free, and return where it is now."""
        place = target / self.name
        if place.exists():
            stem, dot, ending = self.name.rpartition(".")
            name = f"{stem}.{self.id}.{ending}" if dot and stem else f"{self.name}.{self.id}"
            place = target / short(name)
        self.path.rename(place)
        sync(target)
        self.clear()
        return place

    def clear(self) -> None:
        """Remove the empty folder of the claim."""
        with suppress(OSError):
            for name in (_TRIES, _MARKER):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()


class Sightings:
    """Remembers when each file was first seen as it is, by our own clock.

    The clock of the partner's file server may be wrong, and programs write modification times of
    their own; a file is settled when its size and time stand still for us.
    """

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[int, int, datetime]] = {}

    def settled(self, path: Path, found: os.stat_result, seconds: float, now: datetime) -> bool:
        """Whether the file has stood still for so long."""
        before = self._seen.get(path)
        if before is None or before[:2] != (found.st_size, found.st_mtime_ns):
            self._seen[path] = (found.st_size, found.st_mtime_ns, now)
            return seconds <= 0
        return (now - before[2]).total_seconds() >= seconds

    def forget_all_but(self, paths: set[Path]) -> None:
        """Forget files that are gone."""
        for path in set(self._seen) - paths:
            del self._seen[path]


class Directories:
    """The five directories of an inbox, made when missing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming, self.work, self.done, self.error, self.out = (root / n for n in NAMES)
        for path in (self.incoming, self.work, self.done, self.error, self.out):
            path.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Hold the inbox; False when another watcher, of any process or node, holds it."""
        with _own(self.work / _LOCK) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def arrivals(self, marker: str = "") -> list[tuple[Path, os.stat_result]]:
        """Return the files that may be taken, oldest first: regular, not hidden, not partial.

        marker: ending of the companion file without which a file is not taken. Nothing counts that
        is no plain file: a link would be read where it points, and a pipe for ever.
        """
        found = []
        with os.scandir(self.incoming) as entries:
            names = {entry.name for entry in entries if entry.is_file(follow_symlinks=False)}
        for name in names:
            if name.startswith(".") or name.lower().endswith(PARTIAL):
                continue
            if marker and (name.endswith(MARKERS) or name + marker not in names):
                continue
            path = self.incoming / name
            with suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    found.append((path, status))
        return sorted(found, key=lambda pair: (pair[1].st_mtime_ns, pair[0].name))

    def claim(self, path: Path, marker: str = "") -> Claim | None:
        """Take a file by renaming it into work/; None when somebody else was faster."""
        file_id = uuid7()
        folder = self.work / str(file_id)
        folder.mkdir()
        claim = Claim(id=file_id, folder=folder, name=path.name)
        try:
            path.rename(claim.path)
        except FileNotFoundError:
            folder.rmdir()
            return None
        if marker:
            self._take_marker(claim, marker)
        sync(folder)
        sync(self.work)
        sync(self.incoming)
        return claim

    def abandoned(self, marker: str = "") -> list[Claim]:
        """Return what a watcher that died left in work/, oldest first; the lock must be held."""
        claims = []
        for folder in sorted(path for path in self.work.iterdir() if path.is_dir()):
            try:
                file_id = UUID(folder.name)
            except ValueError:
                continue
            names = [p.name for p in folder.iterdir() if p.name not in (_TRIES, _MARKER)]
            if not names:
                Claim(id=file_id, folder=folder, name="").clear()
                continue
            claim = Claim(id=file_id, folder=folder, name=names[0])
            if marker and not claim.marker.exists():
                self._take_marker(claim, marker)
            claims.append(claim)
        return claims

    def sweep(self) -> None:
        """Remove acknowledgements that a watcher that died was still writing."""
        for path in self.out.glob(".*.tmp"):
            with suppress(OSError):
                path.unlink()

    def _take_marker(self, claim: Claim, marker: str) -> None:
        with suppress(FileNotFoundError):
            (self.incoming / f"{claim.name}{marker}").rename(claim.marker)


def _own(path: Path) -> IO[bytes]:
    """Open a file of ours to append to; a link that somebody planted in its place is refused."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o644), "ab")


def short(name: str) -> str:
    """Return a file name that fits into what file systems allow, its ending kept."""
    raw = os.fsencode(name)
    if len(raw) <= _NAME_BYTES:
        return name
    tail = raw[-60:]
    head = raw[: _NAME_BYTES - len(tail)].decode("utf-8", "ignore")
    return head + tail.decode("utf-8", "ignore")


def sync(folder: Path) -> None:
    """Make names in a directory durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
