"""Advisory locks on files (flock): the kernel frees them when their holder dies, however it dies.

A lock belongs to the open file description, so a child that inherits the descriptor holds it too.
The launcher uses that twice: `guard.lock` is handed to the guard and on to every postgres process,
and `open.lock` to initdb, so that a freed lock means that all of them are gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


def open_lock(path: Path) -> int:
    """Open a lock file, creating it when it is missing; the caller closes the descriptor."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a lock file for the length of the block; a lock taken in it ends with it."""
    descriptor = open_lock(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def take(descriptor: int, *, shared: bool = False) -> None:
    """Wait for the lock.

    Raises:
        ConfigurationError: the file system has no locks (some network file systems).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    except OSError as error:
        raise ConfigurationError(
            "the file system of the data directory does not support flock",
            found=str(error.strerror),
            todo="put the data directory on a local disk",
        ) from error


def try_take(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if it is free now."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Hold the lock alone for the length of the block; yields the descriptor."""
    with opened(path) as descriptor:
        take(descriptor)
        yield descriptor


def is_free(path: Path) -> bool:
    """Tell whether nobody holds the lock; needs only the right to read the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        return try_take(descriptor, shared=True)
    finally:
        os.close(descriptor)


def await_free(path: Path) -> None:
    """Sleep until nobody holds the lock.

    Raises:
        FileNotFoundError: there is no such file any more.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        take(descriptor, shared=True)
    finally:
        os.close(descriptor)


def sharers(path: Path) -> tuple[int, ...]:
    """Pids that share the lock, from /proc/locks; of a forked descriptor only the first taker."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return ()
    pids = set()
    for line in lines:
        # "1: FLOCK  ADVISORY  READ  1234 fe:01:4567 0 EOF"; a waiter has "->" as its second word.
        words = line.split()
        if words[1] == "FLOCK" and words[3] == "READ" and words[5].endswith(f":{inode}"):
            pids.add(int(words[4]))
    return tuple(sorted(pids))
