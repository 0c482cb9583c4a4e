"""Folders in a directory: written so that nobody sees half of one, read when nobody writes them.

`in/` holds what the partner dropped, `out/` what he is to take, `done/` and `error/` what was taken
and what could not be, `state/` small files of our own that make a repeat harmless.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import time
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from adapters.sed.folder import NAME_BYTES
from gateway import limits
from gateway.errors import TooLargeError
from gateway.model.filenames import flaw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PENDING: Final = ".pending"
"""Where a folder of `out/` is written before it appears."""
LISTED: Final = 50_000
"""So many folders of `in/` are put in order at once."""
_ASIDE: Final = re.compile(r"[.~_]|.*\.(?:tmp|part|partial|lock)\Z", re.IGNORECASE)
"""Names that partners give to what they are still writing, and hidden ones."""
_AHEAD: Final = 3600.0
"""How far the partner's clock may be ahead, in seconds."""
_SAFE: Final = re.compile(r"[\w-][\w.()\- ]{0,199}")


class Waiting(NamedTuple):
    """A folder of `in/`. changed: when it was, in nanoseconds. name: as it stands on the disk."""

    changed: int
    name: bytes

    @property
    def place(self) -> str:
        """Where it stands among all, in words that a cursor may hold."""
        return f"{self.changed}/{self.name.hex()}"

    @classmethod
    def at(cls, place: str) -> Waiting:
        """Return what stands at a place; before everything where the words are not ours."""
        changed, _, name = place.partition("/")
        try:
            return cls(int(changed), bytes.fromhex(name)) if name else _BEFORE_ALL
        except ValueError:
            return _BEFORE_ALL


_BEFORE_ALL: Final = Waiting(-(2**63), b"")


class Spool:
    """The directories of one exchange.

    settle: seconds that a folder must have been left alone.
    """

    def __init__(self, incoming: Path, outgoing: Path, root: Path, *, settle: float) -> None:
        self.incoming = incoming
        self.outgoing = outgoing
        self.root = root
        self._settle = settle

    def waiting(self) -> tuple[list[Waiting], float]:
        """Return the folders of `in/`, the oldest first, and since when the first one has waited.

        One look a folder, whatever is in it, and no more than `LISTED` of them. The instant is
        infinite when nothing waits; of a list that is cut short it is zero.
        """
        found: list[Waiting] = []
        since = inf
        with os.scandir(self.incoming) as entries:
            for entry in entries:
                if _ASIDE.match(entry.name) or not entry.is_dir(follow_symlinks=False):
                    continue
                if len(found) == LISTED:
                    since = 0.0
                    break
                with contextlib.suppress(FileNotFoundError):
                    told = entry.stat(follow_symlinks=False)
                    found.append(Waiting(told.st_mtime_ns, os.fsencode(entry.name)))
                    since = min(since, told.st_ctime)
        return sorted(found), since

    def age(self, name: str) -> float | None:
        """Return for how long a folder of `in/` was left alone; None while it is being written.

        In seconds, since the last change of the folder or of a file of it.
        """
        now = time.time()
        try:
            changed = _changed(self.incoming / name)
        except FileNotFoundError:
            return None
        # A clock that is ahead of ours must not make a folder wait for years.
        age = now - changed if changed < now + _AHEAD else _AHEAD
        return age if age >= self._settle else None

    def read(self, name: str) -> dict[str, bytes]:
        """Return the files of a folder of `in/`.

        Links, folders and names that lead elsewhere are passed over. Raises TooLargeError, OSError.
        """
        folder = self.incoming / name
        found: dict[str, bytes] = {}
        left = limits.ZIP_TOTAL_BYTES
        for entry in sorted(os.scandir(folder), key=lambda e: e.name):
            member = _spelt(entry.name)
            if flaw(member) or not entry.is_file(follow_symlinks=False):
                continue
            if len(found) >= limits.ZIP_MEMBERS:
                raise TooLargeError("too many files in the folder", where=name)
            data = read_file(folder / entry.name, min(limits.ZIP_MEMBER_BYTES, left))
            left -= len(data)
            found[member] = data
        return found

    def appear(self, name: str, files: Mapping[str, bytes]) -> bool:
        """Let a folder appear in `out/`, whole; False when one of this name is there already."""
        shown = self.outgoing / name
        if shown.exists():
            return False
        pending = self.outgoing / PENDING
        make(pending)
        draft = pending / name
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for member, data in files.items():
            write_file(draft / member, data)
        sync(draft)
        try:
            draft.rename(shown)
        except OSError as error:
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                raise
            shutil.rmtree(draft, ignore_errors=True)
            return False
        sync(self.outgoing)
        return True

    def move(self, name: str, to: str, why: str = "") -> None:
        """Take a folder out of `in/`; one that is gone already is no mistake.

        to: `done` or `error`. why: for a person, beside the folder.
        """
        target = self.root / to
        make(target)
        if why:
            write_file(target / f"{name[: NAME_BYTES - 80]}.txt", why.encode())
        place, number = target / name, 1
        while place.exists():
            number += 1
            place = target / f"{name}.{number}"
        with contextlib.suppress(FileNotFoundError):
            (self.incoming / name).rename(place)
            sync(target)
            sync(self.incoming)

    def place(self, ledger: str, name: str) -> Path:
        """Return where a small file of ours lies; the first letters of its name spread them."""
        return self.root / "state" / ledger / name[:2] / name

    def keep(self, ledger: str, name: str, data: bytes) -> None:
        """Keep a small file of ours, whole; one that is there is replaced."""
        place = self.place(ledger, name)
        make(place.parent)
        draft = place.with_name(f".{name}.{os.getpid()}.{time.monotonic_ns()}")
        write_file(draft, data)
        draft.rename(place)
        sync(place.parent)

    def kept(self, ledger: str, name: str) -> bytes | None:
        """Return a small file of ours, None when there is none."""
        with contextlib.suppress(FileNotFoundError):
            return self.place(ledger, name).read_bytes()
        return None

    def kept_since(self, ledger: str, name: str) -> float:
        """Return how many seconds ago a file of ours was written; 0 when it is not there."""
        with contextlib.suppress(FileNotFoundError):
            return max(0.0, time.time() - self.place(ledger, name).stat().st_mtime)
        return 0.0

    def drop(self, ledger: str, name: str) -> None:
        """Remove a small file of ours."""
        self.place(ledger, name).unlink(missing_ok=True)

    def all_kept(self, ledger: str) -> Iterator[tuple[str, bytes]]:
        """Yield the small files of a ledger by name."""
        for path in sorted((self.root / "state" / ledger).glob("*/*")):
            if not path.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    yield path.name, path.read_bytes()

    def places(self) -> tuple[Path, ...]:
        """Return every directory that must be there and writable."""
        return self.incoming, self.outgoing, self.root

    def make(self) -> None:
        """Make what is missing below the exchange directory."""
        for place in self.places():
            place.mkdir(parents=True, exist_ok=True)


def is_name(name: str) -> bool:
    """Whether a folder of ours may be called so."""
    return _SAFE.fullmatch(name) is not None


def read_file(path: Path, most: int) -> bytes:
    """Return a plain file of at most so many bytes; raise TooLargeError or OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a plain file", path.name)
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLargeError(
            "a file of the folder is too large", where=path.name, expected=str(most)
        )
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a file through to the disk; what is there under its name is replaced."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def make(path: Path) -> None:
    """Make a folder of ours; a link that the partner planted leads where nobody must write."""
    path.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path.name} is a link")


def sync(directory: Path) -> None:
    """Make the names of a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _spelt(name: str) -> str:
    """The name of a file; one that is no UTF-8 was written by a system of windows-1251."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("cp1251", "replace")
    return name


def _changed(folder: Path) -> float:
    """When the folder, or a file of it, was changed last."""
    latest = folder.stat().st_mtime
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                latest = max(latest, entry.stat(follow_symlinks=False).st_mtime)
    return latest
