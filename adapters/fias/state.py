"""What became of the last refresh, in a file beside the deliveries, and who is at it now."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from adapters.fias.download import require_folder, write_durably
from gateway.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from zoneinfo import ZoneInfo

FILE: Final = "refresh.json"
_LOCK: Final = ".refresh.lock"
_TEXT_CHARS: Final = 1_000


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a refresh. at: when it ended. version: newest VersionId that it brought or found.

    error: what it failed with, as an operator reads it; empty when it did not. failures: in a row.
    """

    at: dt.datetime
    version: int = 0
    error: str = ""
    failures: int = 0

    @property
    def line(self) -> str:
        """What a person reads of it."""
        said = f"Обновление · refresh: {self.at:%Y-%m-%d %H:%M} UTC, {self.version or '-'}"
        failed = f"; не удалось · failed ({self.failures}): {self.error}"
        return said + failed if self.error else said


def read(folder: Path) -> State | None:
    """Return how the last refresh ended, None when there was none that is known of."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError):
        return None


def note(folder: Path, now: dt.datetime, *, version: int = 0, error: str = "") -> State:
    """Keep how a refresh ended; a failure keeps the version that was known before."""
    last = read(folder)
    failures = (last.failures if last else 0) + 1 if error else 0
    found = State(
        at=now,
        version=version or (last.version if last else 0),
        error=error[:_TEXT_CHARS],
        failures=failures,
    )
    require_folder(folder)
    write_durably(folder / FILE, msgspec.json.encode(found))
    return found


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one who fetches into a folder; raise BusyError when somebody is at it."""
    require_folder(folder)
    fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(
                "обновление уже идёт · a refresh is under way", retry_after=600, where=str(folder)
            ) from error
        yield
    finally:
        os.close(fd)


def due(last: State | None, hours: tuple[int, ...], now: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether a refresh is to begin now: in a named hour of the day in which none has ended yet.

    One that failed is tried again in the next named hour.
    """
    local = now.astimezone(zone)
    begun = local.replace(minute=0, second=0, microsecond=0)
    return local.hour in hours and (last is None or last.at < begun)
