"""What an antivirus said of a file, remembered by the file's digest.

A file is asked about before it first leaves, and again when the word on it has grown old: what is
a virus today was none yesterday.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import psycopg
import structlog

from gateway.errors import BusyError, InfectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from gateway.antivirus import Scanner
    from gateway.store.pool import Pool

log = structlog.get_logger(__name__)

SCANS: Final = 2
"""Files that one process has checked at once."""
KNOWN: Final = "SELECT infected FROM verdict WHERE sha256 = $1 AND scanned_at > $2"
SAVE: Final = """
INSERT INTO verdict (sha256, scanned_at, infected) VALUES ($1, $2, $3)
ON CONFLICT (sha256) DO UPDATE SET scanned_at = excluded.scanned_at, infected = excluded.infected
"""


class Verdicts:
    """Lets only clean files out. scanner: None lets everything out. fresh: how long a word holds.

    Blocks while a file is scanned, so it is called in a thread and outside of a transaction.
    """

    def __init__(
        self,
        pool: Pool,
        scanner: Scanner | None,
        fresh: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._pool = pool
        self._scanner = scanner
        self._fresh = fresh
        self._clock = clock
        self._asking = threading.BoundedSemaphore(SCANS)

    def require_clean(
        self, digest: bytes, size: int, pieces: Callable[[], Iterable[bytes]]
    ) -> None:
        """Return when a file may leave; raise InfectedError, BusyError or ConfigurationError.

        pieces: opens the file. A file without a verdict does not leave.
        """
        if self._scanner is None:
            return
        now = self._clock()
        infected = self._known(digest, now)
        if infected is None:
            infected = self._asked(size, pieces)
            with self._pool.connection() as connection, connection.transaction():
                psycopg.RawCursor(connection).execute(SAVE, (digest, now, infected))
            if infected:
                log.warning("antivirus.found", sha256=digest.hex(), bytes=size, name=infected)
        if infected:
            raise InfectedError(
                "the antivirus found something in this file", found=infected, where=digest.hex()
            )

    def _asked(self, size: int, pieces: Callable[[], Iterable[bytes]]) -> str:
        """Ask the antivirus; few at a time, because each question holds a thread till its end."""
        assert self._scanner is not None
        if not self._asking.acquire(blocking=False):
            raise BusyError(
                "other files are being checked for viruses", retry_after=5, where="antivirus"
            )
        try:
            return self._scanner.scan(pieces(), size).infected
        finally:
            self._asking.release()

    def _known(self, digest: bytes, now: datetime) -> str | None:
        with self._pool.connection() as connection:
            cursor: psycopg.RawCursor[Any] = psycopg.RawCursor(connection)
            row = cursor.execute(KNOWN, (digest, now - self._fresh)).fetchone()
        return None if row is None else str(row[0])
