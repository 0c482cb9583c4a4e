"""Writes refused calls to the `refusal` table, off the request path and bounded.

A flood of refusals must cost the flooder's patience, not our disk: at most 500 wait, and what does
not fit is counted.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import psycopg
import structlog

from gateway.model.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.access.policy import Refused

log = structlog.get_logger(__name__)

WAITING = 500
INSERT = """
INSERT INTO refusal (id, at, peer, address, path, code, reason, correlation)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


class RefusalLog:
    """A bounded queue and the thread that empties it."""

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        self._url = url
        self._clock = clock
        self._queue: queue.Queue[tuple[datetime, Refused] | None] = queue.Queue(WAITING)
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join(5)

    def record(self, refused: Refused) -> None:
        """Take one refusal; never blocks, never raises."""
        log.warning(
            "access.refused",
            reason=refused.reason,
            client=refused.address,
            correlation=refused.correlation,
        )
        try:
            self._queue.put_nowait((self._clock(), refused))
        except queue.Full:
            self.dropped += 1

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            rows = [item]
            while len(rows) < WAITING:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._queue.put(None)
                    break
                rows.append(following)
            self._write(rows)

    def _write(self, rows: list[tuple[datetime, Refused]]) -> None:
        try:
            with psycopg.connect(self._url, connect_timeout=3) as connection:
                connection.cursor().executemany(
                    INSERT,
                    [
                        (
                            uuid7(), at, _text(r.peer), r.address, _text(r.path), "access",
                            r.reason, r.correlation,
                        )
                        for at, r in rows
                    ],
                )  # fmt: skip
        except psycopg.Error:
            self.dropped += len(rows)
            log.warning("access.refusals_not_written", count=len(rows))
        except Exception:  # nobody would miss a thread that ended
            self.dropped += len(rows)
            log.exception("access.refusals_defect", count=len(rows))


def _text(given: str) -> str:
    """What a stranger sent, without NUL: one row that cannot be written would cost the others."""
    return given.replace("\0", "\N{REPLACEMENT CHARACTER}")
