"""What is done with is kept for a time: `done/`, `error/` and our own ledgers grow no further.

A few entries a call, for the calls are those of `receive`, and a directory may hold years. What a
delivery still waits for stays, however old it is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adapters.sed.spool import Spool

SETTLED: Final = "settled"
"""Ledger of our messages whose receipts were read by whoever asked what became of them."""
_FOLDERS: Final = ("done", "error")
_LEDGERS: Final = ("receipts", "sent", SETTLED, "states", "told")
LOOKS: Final = 2_000
"""So many entries are looked at in one call, and"""
REMOVED: Final = 100
"""so many at most removed."""
_REST: Final = 3_600.0
"""Seconds from the end of one walk to the beginning of the next."""
_DAY: Final = 86_400.0


class Pruner:
    """Walks a few steps a call, in one thread at a time.

    days: how long everything is kept; 0: for ever. waits: deliveries are settled by receipts.
    """

    def __init__(self, days: float, *, waits: bool, now: Callable[[], float] = time.time) -> None:
        self._seconds = days * _DAY
        self._waits = waits
        self._now = now
        self._lock = threading.Lock()
        self._walk: Iterator[tuple[str, os.DirEntry[str]]] | None = None
        self._rests_until = 0.0

    def step(self, spool: Spool, since: float) -> int:
        """Remove some of what is older than it is kept; return how many entries.

        since: when what waits in `in/` came, or later; marks that are no older belong to it.
        """
        if not self._seconds or not self._lock.acquire(blocking=False):
            return 0
        try:
            return self._some(spool, since)
        finally:
            self._lock.release()

    def _some(self, spool: Spool, since: float) -> int:
        now, removed, looks = self._now(), 0, 0
        if self._walk is None:
            if now < self._rests_until:
                return 0
            self._walk = _entries(spool.root)
        for ledger, entry in islice(self._walk, LOOKS):
            looks += 1
            with contextlib.suppress(OSError):
                told = entry.stat(follow_symlinks=False)
                # A folder keeps the partner's time when it is moved; ours is that of its inode.
                changed = max(told.st_mtime, told.st_ctime)
                if now - changed > self._seconds and self._may_go(spool, ledger, entry, since):
                    _remove(entry)
                    removed += 1
            if removed == REMOVED:
                return removed
        if looks < LOOKS:
            self._walk, self._rests_until = None, now + _REST
        return removed

    def _may_go(self, spool: Spool, ledger: str, entry: os.DirEntry[str], since: float) -> bool:
        """Whether nobody can ask for it any more."""
        name = entry.name
        if name.startswith("."):
            return True  # a draft of a process that ended
        match ledger:
            case "receipts":
                return not (self._waits and _there(spool, "sent", name)) or _there(
                    spool, SETTLED, name
                )
            case "sent":
                settled = not self._waits or _there(spool, SETTLED, name)
                return settled and not (spool.outgoing / name).exists()
            case "settled":
                return not _there(spool, "sent", name)
            case "told":
                # What still waits may have been answered already, and this is what says so.
                return entry.stat(follow_symlinks=False).st_mtime < since
        return True


def _there(spool: Spool, ledger: str, name: str) -> bool:
    return spool.place(ledger, name).exists()


def _entries(root: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield everything that may be pruned, with the name of its folder or ledger."""
    for name in _FOLDERS:
        for entry in _scanned(root / name):
            yield name, entry
    for name in _LEDGERS:
        for shelf in _scanned(root / "state" / name):
            if shelf.is_dir(follow_symlinks=False):
                for entry in _scanned(shelf.path):
                    yield name, entry


def _scanned(place: Path | str) -> Iterator[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        yield from entries


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        Path(entry.path).unlink()
